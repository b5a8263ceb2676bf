{{ open_observations('judged') }}
