{{ broken_series('taken_over') }}
