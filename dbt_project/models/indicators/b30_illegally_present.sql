{{ mirror_rows('B30', 'ILLEGALLY_PRESENT', dims={'ground_code': 'ground'}) }}
