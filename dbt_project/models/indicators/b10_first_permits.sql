-- ref_area _W: holders of all citizenships, where a country's own are not told apart.
{{ mirror_rows('B10', 'FIRST_PERMITS', dims={'reason_code': 'reason', 'permit_duration': 'permit_duration'}) }}
