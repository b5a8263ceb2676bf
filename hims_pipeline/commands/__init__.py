"""The verbs of `hims`, one module a noun. Thin: what they do lives elsewhere; here is what a person types and reads."""
