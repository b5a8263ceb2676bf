{{ mirror_rows('B29', 'ORDERED_TO_LEAVE') }}
