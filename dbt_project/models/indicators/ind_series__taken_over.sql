{{ open_series('taken_over') }}
