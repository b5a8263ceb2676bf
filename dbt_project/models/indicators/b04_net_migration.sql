{{ component_rows('B04', 'NET_MIGRATION') }}
