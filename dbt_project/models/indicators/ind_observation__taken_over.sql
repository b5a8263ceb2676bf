{{ open_observations('taken_over') }}
