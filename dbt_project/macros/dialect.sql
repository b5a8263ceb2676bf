{# What the engines say differently, and nothing else: a type, a function or a clause for which there is no one form that both
   read. Models, macros, tests and the renderer of staging call these and never name an engine. `default__` is DuckDB's
   word, `spark__` Spark's; where both read a plainer form, that form is written and no macro made. #}

{# The type of a pseudonym: sixteen bytes, or their text where an engine has no such type. #}
{% macro key_type() -%} {{ adapter.dispatch('key_type')() }} {%- endmacro %}
{% macro default__key_type() -%} uuid {%- endmacro %}
{% macro spark__key_type() -%} string {%- endmacro %}

{# The type of whole numbers whose squares are summed. #}
{% macro wide_integer() -%} {{ adapter.dispatch('wide_integer')() }} {%- endmacro %}
{% macro default__wide_integer() -%} hugeint {%- endmacro %}
{% macro spark__wide_integer() -%} decimal(38, 0) {%- endmacro %}

{# All columns of a relation but these (a list, or names with commas); without a relation, of the whole select. #}
{% macro all_but(columns, relation=none) -%}
    {{ (relation ~ '.' if relation else '') ~ '* ' }}{{ adapter.dispatch('excluding')() }} ({{ columns if columns is string else columns | join(', ') }})
{%- endmacro %}
{% macro default__excluding() -%} exclude {%- endmacro %}
{% macro spark__excluding() -%} except {%- endmacro %}

{# Models under each other, their columns matched by name: what a model lacks is null.
   columns: name -> type, of which a model may have some. left_out: columns of all models that are not asked for; then each row once. #}
{% macro union_by_name(columns, models, left_out=[]) -%} {{ adapter.dispatch('union_by_name')(columns, models, left_out) }} {%- endmacro %}
{% macro default__union_by_name(columns, models, left_out) -%}
        {{ empty_relation(columns) }}
        {%- for model in models %}
        union all by name
        select {{ 'distinct ' ~ all_but(left_out) if left_out else '*' }} from {{ ref(model) }}
        {%- endfor %}
{%- endmacro %}
{% macro spark__union_by_name(columns, models, left_out) -%}
        {{ empty_relation(columns) }}
        {%- for model in models %}
        {%- set own = spark_columns(model) %}
        union all
        select {{ 'distinct' if left_out }}
            {%- for name, type in columns.items() %}
            {{ name if name in own else 'cast(null as ' ~ type ~ ') as ' ~ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ ref(model) }}
        {%- endfor %}
{%- endmacro %}

{# The names of a model's columns. In a unit test of dbt `ref` gives a fixture, whose columns are those of the table that it
   stands for: it is looked for in every schema, since no graph is known there. #}
{% macro spark_columns(name) -%}
    {%- set relation, known = ref(name), [] -%}
    {%- if execute -%}
        {%- set schemas = run_query('show databases').columns[0].values() if relation.is_cte else [relation.schema] -%}
        {%- for schema in schemas -%}
            {%- set place = api.Relation.create(schema=schema, identifier=name) -%}
            {%- do known.extend(adapter.get_columns_in_relation(place) | map(attribute='name')) -%}
        {%- endfor -%}
        {%- if not known -%}
            {%- do exceptions.raise_compiler_error('Spark knows no column of ' ~ name ~ ': build it before what unites it with others, or each of its columns would be null.') -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(known) }}
{%- endmacro %}

{# No row of these columns, name -> type. #}
{% macro empty_relation(columns) -%}
    select {% for name, type in columns.items() %}cast(null as {{ type }}) as "{{ name }}"{{ ', ' if not loop.last }}{% endfor %} where false
{%- endmacro %}

{# A common table expression that is worked out once, however often it is read. #}
{% macro materialized() -%} {{ adapter.dispatch('materialized')() }} {%- endmacro %}
{% macro default__materialized() -%} materialized {%- endmacro %}
{% macro spark__materialized() -%}{%- endmacro %}

{# A common table expression that is worked out within each query that reads it, where it is small by what that one asks. #}
{% macro inlined() -%} {{ adapter.dispatch('inlined')() }} {%- endmacro %}
{% macro default__inlined() -%} not materialized {%- endmacro %}
{% macro spark__inlined() -%}{%- endmacro %}

{# A sum of decimals as a double, off by no more than two of its last places, whatever the order; over rows that meet a
   condition. DuckDB divides a decimal of more than sixteen digits by hand where it casts it, but not in a mean. #}
{% macro sum_as_double(value, where=none) -%} {{ adapter.dispatch('sum_as_double')(value, ' filter (where ' ~ where ~ ')' if where else '') }} {%- endmacro %}
{% macro default__sum_as_double(value, filter) -%} coalesce(avg({{ value }}){{ filter }}, 0) * count({{ value }}){{ filter }} {%- endmacro %}
{% macro spark__sum_as_double(value, filter) -%} coalesce(cast(sum({{ value }}){{ filter }} as double), 0) {%- endmacro %}

{# How a relation that many read is kept, whose rows stand in others already: a view, or a table where every reader would
   have the query of a hundred models planned anew. #}
{% macro kept_as() -%} {{ return(adapter.dispatch('kept_as')()) }} {%- endmacro %}
{% macro default__kept_as() -%} {{ return('view') }} {%- endmacro %}
{% macro spark__kept_as() -%} {{ return('table') }} {%- endmacro %}

{# Whole days, months and years from one day to another. A month is over on the same day of the next one, or on its last day
   where that has none of the number: from 31 January to 28 February is one. Negative where the days stand the other way round. #}
{% macro days_between(first, last) -%} {{ adapter.dispatch('days_between')(first, last) }} {%- endmacro %}
{% macro default__days_between(first, last) -%} date_diff('day', {{ first }}, {{ last }}) {%- endmacro %}
{% macro spark__days_between(first, last) -%} datediff({{ last }}, {{ first }}) {%- endmacro %}

{% macro whole_months(first, last) -%} {{ adapter.dispatch('whole_months')(first, last) }} {%- endmacro %}
{% macro default__whole_months(first, last) -%} datesub('month', {{ first }}, {{ last }}) {%- endmacro %}
{% macro spark__whole_months(first, last) -%}
    case
        when {{ first }} <= {{ last }} then cast({{ months_over(first, last) }} as bigint)
        when {{ first }} > {{ last }} then cast(-({{ months_over(last, first) }}) as bigint)
    end
{%- endmacro %}
{% macro months_over(first, last) -%}
    (year({{ last }}) - year({{ first }})) * 12 + month({{ last }}) - month({{ first }})
    - case when day({{ last }}) < day({{ first }}) and {{ last }} < last_day({{ last }}) then 1 else 0 end
{%- endmacro %}

{% macro whole_years(first, last) -%} {{ adapter.dispatch('whole_years')(first, last) }} {%- endmacro %}
{% macro default__whole_years(first, last) -%} datesub('year', {{ first }}, {{ last }}) {%- endmacro %}
{% macro spark__whole_years(first, last) -%} ({{ spark__whole_months(first, last) }}) div 12 {%- endmacro %}

{# The day so many years after another; before it where the number is negative. #}
{% macro years_after(day, years) -%} {{ adapter.dispatch('years_after')(day, years) }} {%- endmacro %}
{% macro default__years_after(day, years) -%} cast({{ day }} + to_years(cast({{ years }} as integer)) as date) {%- endmacro %}
{% macro spark__years_after(day, years) -%} add_months({{ day }}, cast(12 * ({{ years }}) as int)) {%- endmacro %}

{# A list of these values, each an SQL expression. #}
{% macro list_of(values) -%} {{ adapter.dispatch('list_of')(values) }} {%- endmacro %}
{% macro default__list_of(values) -%} [{{ values | join(', ') }}] {%- endmacro %}
{% macro spark__list_of(values) -%} array({{ values | join(', ') }}) {%- endmacro %}

{# The parts of a text between marks of one letter. #}
{% macro parts_of(text, mark) -%} {{ adapter.dispatch('parts_of')(text, mark) }} {%- endmacro %}
{% macro default__parts_of(text, mark) -%} string_split({{ text }}, '{{ mark }}') {%- endmacro %}
{% macro spark__parts_of(text, mark) -%} split({{ text }}, '[{{ mark }}]') {%- endmacro %}

{# A row for each value of a list. #}
{% macro each_of(list) -%} {{ adapter.dispatch('each_of')(list) }} {%- endmacro %}
{% macro default__each_of(list) -%} unnest({{ list }}) {%- endmacro %}
{% macro spark__each_of(list) -%} explode({{ list }}) {%- endmacro %}

{# The value at a place of a list, counted from 1. #}
{% macro value_at(list, place) -%} {{ adapter.dispatch('value_at')(list, place) }} {%- endmacro %}
{% macro default__value_at(list, place) -%} {{ list }}[{{ place }}] {%- endmacro %}
{% macro spark__value_at(list, place) -%} try_element_at({{ list }}, cast({{ place }} as int)) {%- endmacro %}

{# A list from its second value on. #}
{% macro rest_of(list) -%} {{ adapter.dispatch('rest_of')(list) }} {%- endmacro %}
{% macro default__rest_of(list) -%} {{ list }}[2:] {%- endmacro %}
{% macro spark__rest_of(list) -%} slice({{ list }}, 2, greatest(size({{ list }}) - 1, 0)) {%- endmacro %}

{# A list without a value. #}
{% macro list_without(list, value) -%} {{ adapter.dispatch('list_without')(list, value) }} {%- endmacro %}
{% macro default__list_without(list, value) -%} list_filter({{ list }}, lambda part: part != {{ value }}) {%- endmacro %}
{% macro spark__list_without(list, value) -%} array_remove({{ list }}, {{ value }}) {%- endmacro %}

{# Whether two lists have a value in common. #}
{% macro have_common(list, other) -%} {{ adapter.dispatch('have_common')(list, other) }} {%- endmacro %}
{% macro default__have_common(list, other) -%} list_has_any({{ list }}, {{ other }}) {%- endmacro %}
{% macro spark__have_common(list, other) -%} arrays_overlap({{ list }}, {{ other }}) {%- endmacro %}

{# The texts of a list, with a mark between them. #}
{% macro list_as_text(list, mark) -%} {{ adapter.dispatch('list_as_text')(list, mark) }} {%- endmacro %}
{% macro default__list_as_text(list, mark) -%} array_to_string({{ list }}, '{{ mark }}') {%- endmacro %}
{% macro spark__list_as_text(list, mark) -%} array_join({{ list }}, '{{ mark }}') {%- endmacro %}

{# The distinct values of a group or window, in a list of no order. #}
{% macro set_of(value) -%} {{ adapter.dispatch('set_of')(value) }} {%- endmacro %}
{% macro default__set_of(value) -%} list(distinct {{ value }}) {%- endmacro %}
{% macro spark__set_of(value) -%} collect_set({{ value }}) {%- endmacro %}

{# The texts of a group in an order, with a mark between them. #}
{% macro joined(value, mark, order) -%} {{ adapter.dispatch('joined')(value, mark, order) }} {%- endmacro %}
{% macro default__joined(value, mark, order) -%} string_agg({{ value }}, '{{ mark }}' order by {{ order }}) {%- endmacro %}
{% macro spark__joined(value, mark, order) -%} string_agg({{ value }}, '{{ mark }}') within group (order by {{ order }}) {%- endmacro %}

{# One value with fields, name -> SQL expression. #}
{% macro record_of(fields) -%} {{ adapter.dispatch('record_of')(fields) }} {%- endmacro %}
{% macro default__record_of(fields) -%}
    struct_pack({% for name, value in fields.items() %}{{ name }} := {{ value }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
{% macro spark__record_of(fields) -%}
    named_struct({% for name, value in fields.items() %}'{{ name }}', {{ value }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{# Whether a text fits a glob (`*`, `?`, `[12]`). #}
{% macro fits_glob(text, glob) -%} {{ adapter.dispatch('fits_glob')(text, glob) }} {%- endmacro %}
{% macro default__fits_glob(text, glob) -%} {{ text }} glob '{{ glob | replace("'", "''") }}' {%- endmacro %}
{% macro spark__fits_glob(text, glob) -%}
    {{ text }} rlike '^{{ glob | replace("'", "''") | replace('.', '[.]') | replace('*', '.*') | replace('?', '.') | replace('[!', '[^') }}$'
{%- endmacro %}

{# A number of up to fifteen hexadecimal digits. #}
{% macro number_of_hex(text) -%} {{ adapter.dispatch('number_of_hex')(text) }} {%- endmacro %}
{% macro default__number_of_hex(text) -%} cast('0x' || {{ text }} as bigint) {%- endmacro %}
{% macro spark__number_of_hex(text) -%} cast(conv({{ text }}, 16, 10) as bigint) {%- endmacro %}

{# The last eight bytes of a text's MD5 as a number, the lowest byte first. #}
{% macro md5_number(text) -%} {{ adapter.dispatch('md5_number')(text) }} {%- endmacro %}
{% macro default__md5_number(text) -%} md5_number_lower({{ text }}) {%- endmacro %}
{% macro spark__md5_number(text) -%}
    cast(conv(regexp_replace(right(md5({{ text }}), 16), '(..)(..)(..)(..)(..)(..)(..)(..)', '$8$7$6$5$4$3$2$1'), 16, 10) as decimal(20, 0))
{%- endmacro %}

{# To twelve digits, which hold what an error is worth: `exp` and `pow` differ between machines in the last two of sixteen.
   Figures and errors themselves, which need neither, are not rounded. #}
{% macro rounded(value) -%} {{ adapter.dispatch('rounded')(value) }} {%- endmacro %}
{% macro default__rounded(value) -%}
    round({{ value }}, 11 - coalesce(try_cast(floor(log10(nullif(abs({{ value }}), 0))) as integer), 0))
{%- endmacro %}
{% macro spark__rounded(value) -%} try_cast(format_string('%.11e', cast({{ value }} as double)) as double) {%- endmacro %}

{# The build's list of inputs as a relation of these columns, name -> type. #}
{% macro listed_inputs(columns) -%} {{ adapter.dispatch('listed_inputs')(columns) }} {%- endmacro %}
{% macro default__listed_inputs(columns) -%}
    read_json('{{ env_var("HIMS_INPUTS") }}', columns = {
        {%- for name, type in columns.items() %}{{ name }}: '{{ type }}'{{ ', ' if not loop.last }}{% endfor -%}
    })
{%- endmacro %}
{% macro spark__listed_inputs(columns) -%}
    (
        select inline(from_json(cast(content as string), 'array<struct<{% for name, type in columns.items() %}{{ name }}:{{ type }}{{ ',' if not loop.last }}{% endfor %}>>'))
        from binaryFile.`{{ env_var("HIMS_INPUTS") }}`
    ) as listed
{%- endmacro %}

{# The rows of Parquet files, each with its batch beside it: these columns (name -> type), also those that no file at hand has.
   keys: columns that hold pseudonyms. A file's folders are its batch, `<source>/<period>/<id>`, and a long entity has several
   files there. Spark reads pseudonyms as sixteen bytes, and only where the columns are declared: so a table without rows of its
   own stands before the files. #}
{% macro read_files(source, files, columns, keys) -%} {{ adapter.dispatch('read_files')(source, files, columns, keys) }} {%- endmacro %}
{% macro default__read_files(source, files, columns, keys) %}
    select
        rows_sent.* exclude (filename),
        '{{ source }}' as _source,
        batches._period,
        batches._batch,
        batches._layout
    from (
        {{ empty_relation(columns) }}
        union all by name
        select * from read_parquet([
            {%- for file in files %}'{{ file['path'] | replace("'", "''") }}'{{ ", " if not loop.last }}{% endfor -%}
        ], filename = true, union_by_name = true)
    ) as rows_sent
    join (values
        {%- for file in files %}
        ('{{ file['path'] | replace("'", "''") }}', '{{ file['period'] }}', '{{ file['batch_id'] }}', '{{ file['layout'] }}'){{ "," if not loop.last }}
        {%- endfor %}
    ) as batches (_path, _period, _batch, _layout) on rows_sent.filename = batches._path
{% endmacro %}
{% macro spark__read_files(source, files, columns, keys) %}
    {% set files_sent, paths, batches = this.schema ~ '.files_of_' ~ this.identifier, [], {} %}
    {% for file in files %}
        {% do paths.append(spark_path(file['path'][1:])) %}
        {% do batches.update({file['path'].split('/')[-4:-1] | join('/'): file}) %}
    {% endfor %}
    {% do run_query('drop table if exists ' ~ files_sent) %}
    {% set declared %}
        create table {{ files_sent }} (
            {%- for name, type in columns.items() %}"{{ name }}" {{ 'binary' if name in keys else type }}, {% endfor %}_line bigint
        ) using parquet options (path '{{ '/{' ~ paths | join(',') ~ '}' }}')
    {% endset %}
    {% do run_query(declared) %}
    select
        {%- for name in columns %}
        {{ spark_key(name) if name in keys else '"' ~ name ~ '"' }} as "{{ name }}",
        {%- endfor %}
        _line,
        '{{ source }}' as _source,
        batches._period,
        batches._batch,
        batches._layout
    from {{ files_sent }} as rows_sent
    join (values
        {%- for folder, file in batches.items() %}
        ('{{ folder }}', '{{ file['period'] }}', '{{ file['batch_id'] }}', '{{ file['layout'] }}'){{ "," if not loop.last }}
        {%- endfor %}
    ) as batches (_folder, _period, _batch, _layout)
        on batches._folder = regexp_extract(rows_sent._metadata.file_path, '([^/]+/[^/]+/[^/]+)/[^/]+$', 1)
{% endmacro %}

{# A path within a glob of paths. #}
{% macro spark_path(path) -%}
    {%- set ns = namespace(path=path) -%}
    {%- for mark in '\\{}[]*?,' -%}{%- set ns.path = ns.path | replace(mark, '\\' ~ mark) -%}{%- endfor -%}
    {{- ns.path | replace("'", "''") -}}
{%- endmacro %}

{# The text of a pseudonym's sixteen bytes, as an engine with a type for them prints it. #}
{% macro spark_key(name) -%}
    regexp_replace(lower(hex("{{ name }}")), '(.{8})(.{4})(.{4})(.{4})(.{12})', '$1-$2-$3-$4-$5')
{%- endmacro %}

{# Seeds, read as the files that they are: dbt-spark writes their cells into SQL, an empty one as the text None, and leaves
   apostrophes alone. #}
{% macro spark__load_csv_rows(model, agate_table) %}
    {% set view, columns = model['alias'] ~ '_rows', agate_table.column_names %}
    {% set declared %}
        create or replace temporary view {{ view }} (
            {%- for name in columns %}"{{ name }}" string{{ ', ' if not loop.last }}{% endfor -%}
        ) using csv options (
            path '{{ spark_path(model['root_path'] ~ '/' ~ model['original_file_path']) }}',
            header 'true', multiLine 'true', escape '"', encoding 'UTF-8', mode 'FAILFAST'
        )
    {% endset %}
    {% do run_query(declared) %}
    {% set sql = 'insert into ' ~ this.render() ~ ' select * from ' ~ view %}
    {% do adapter.add_query(sql) %}
    {{ return(sql) }}
{% endmacro %}
