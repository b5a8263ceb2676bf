"""Another country's `data/` and `expectations/`, written so that they run: `hims init`. Not here: running them."""
