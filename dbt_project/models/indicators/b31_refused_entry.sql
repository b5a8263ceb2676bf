{{ mirror_rows('B31', 'REFUSED_ENTRY') }}
