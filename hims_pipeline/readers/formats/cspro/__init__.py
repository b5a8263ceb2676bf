"""CSPro: its dictionaries, and data files of several records that only a dictionary explains."""
