{{ broken_series('judged') }}
