-- Applications that are new, and those that the source does not tell from later ones: status D where there are such.
-- Persons: cases, each of one person or several, are another measure and are left out.
{{ asylum_rows('B16', "outcome = 'APPLICATION'", 'procedures') }}
