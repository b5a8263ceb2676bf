"""How much of what can be wrong with a delivery the gate stops: `python -m tests.mutants`, which is `make mutants`.

Seeded mutants of the sample's deliveries, and as many honest variants, are judged through the real readers, suites and
comparisons, without building a warehouse. Here too: the table by class and source, and the names of what got through.
"""
