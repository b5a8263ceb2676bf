"""Pages generated from what already says it: contracts, dbt's descriptions, code lists. `hims docs` writes them; a test
holds them against what they are made from."""
