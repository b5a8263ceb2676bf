{{ mirror_rows('B17', 'ASYLUM_APPLICANTS', dims={'applicant_type': 'applicant_type'}) }}
