{# Answers that an estimate takes from donors, in its flags and errors. Here: which of a record's answers they are, how many in a
   cell, and how much less they are worth. Not here: donors (staging), estimates.

   A cell counts a record once for what its measure, domain and value read, and once for each of its dimensions. #}

{# The columns of a fact behind others that follow from them. #}
{% macro answers_behind() -%}
    {{ return({
        'age_group': ['age_years'], 'is_foreign_born': ['birth_status', 'country_of_birth_code'], 'birth_status': ['country_of_birth_code'],
        'is_foreign_citizen': ['citizenship_status', 'country_of_citizenship_code'], 'citizenship_status': ['country_of_citizenship_code'],
        'was_abroad_5y': ['residence_5y_status'], 'area_5y_code': ['residence_5y_status', 'area_code'],
    }) }}
{%- endmacro %}

{# `answer` and each dimension -> condition that a record has a value of a donor there; without those that never do.
   answer: SQL of measure, domain and value together. known: dimension -> SQL. #}
{% macro imputed_where(fact, answer, dims, known) -%}
    {%- set texts, conditions = {'answer': answer}, {} -%}
    {%- for name in dims -%}{%- do texts.update({name: known[name]}) -%}{%- endfor -%}
    {%- for key, text in texts.items() -%}
        {%- set read = [] -%}
        {%- for name in imputable_columns().get(fact, []) -%}
            {%- if name in text -%}{%- do read.append(name) -%}{%- endif -%}
            {%- for derived, behind in answers_behind().items() if derived in text and name in behind -%}{%- do read.append(name) -%}{%- endfor -%}
        {%- endfor -%}
        {%- if read -%}
            {%- set quoted = [] -%}
            {%- for name in read | unique -%}{%- do quoted.append("'" ~ name ~ "'") -%}{%- endfor -%}
            {%- do conditions.update({key: 'imputed_columns is not null and ' ~ have_common(parts_of('imputed_columns', ' '), list_of(quoted))}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(conditions) }}
{%- endmacro %}

{# Columns of records: `imputed_<key>`, true or false. #}
{% macro imputed_flags(conditions) -%}
    {%- for key, condition in conditions.items() %}
        {{ condition }} as imputed_{{ key }},
    {%- endfor -%}
{%- endmacro %}

{# Records with such a value, by key: counted where rows meet a condition, else the sum of such counts. #}
{% macro imputed_counts(conditions, where=none) -%}
    {%- for key in conditions -%}
        , {{ 'count(*) filter (where (' ~ where ~ ') and imputed_' ~ key ~ ')' if where else 'sum(imputed_' ~ key ~ ')' }} as imputed_{{ key }}
    {%- endfor -%}
{%- endmacro %}

{# Of a cell: records of it that rest on a donor, at most all. #}
{% macro imputed_records(conditions, relation, records) -%}
    {%- if conditions -%}
        least({{ relation }}.{{ records }}, 0{% for key in conditions %} + {{ relation ~ '.imputed_answer' if key == 'answer' else 'case when ' ~ relation ~ '.' ~ key ~ " != '_T' then " ~ relation ~ '.imputed_' ~ key ~ ' else 0 end' }}{% endfor %})
    {%- else -%} 0 {%- endif -%}
{%- endmacro %}

{# How much wider an error is than if donors' values had been answered: the root of n/r + 1 - r/n, with r of n records that
   answered (a hot deck drawn with replacement: Little and Rubin 2002, Statistical Analysis with Missing Data, ch. 4). #}
{% macro imputation_inflation(conditions, relation, records) -%}
    {%- set answered = 'greatest(' ~ relation ~ '.' ~ records ~ ' - ' ~ imputed_records(conditions, relation, records) ~ ', 1)' -%}
    sqrt({{ relation }}.{{ records }} / {{ answered }} + 1 - {{ answered }} / {{ relation }}.{{ records }})
{%- endmacro %}
