{{ mirror_rows('B33', 'IMMIGRATION') }}
