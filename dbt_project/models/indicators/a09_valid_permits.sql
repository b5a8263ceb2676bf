{{ mirror_rows('A09', 'VALID_PERMITS', dims={'reason_code': 'reason', 'permit_duration': 'permit_duration'}) }}
