{{ mirror_rows('B22', 'NATURALISATIONS') }}
