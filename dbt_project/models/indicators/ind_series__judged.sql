{{ open_series('judged') }}
