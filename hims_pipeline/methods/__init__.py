"""Methods for what no register sees: estimates of people, flows and areas that nobody counted.

Here: one module a method, pure functions over NumPy arrays, each with its published source; what they need together (a
Poisson regression, a likelihood at its top) stands in `likelihood.py`. Not here: reading tables or printing, estimates
from the records of a fact with their sampling errors (macro `estimates`), or any figure of the warehouse: what is
published of them is computed in SQL (macro `flows_from_stocks`).

No result here is a count, and none is one number alone: each comes with an interval or with what other choices give.
"""
