{# 95 percent confidence intervals of estimates, or the reason why there is none. Here: how bounds follow from an estimate,
   its error and its degrees of freedom. Not here: estimates and errors (`estimates`), names of the kinds (definitions.csv). #}

{# Columns `interval_kind`, `degrees_of_freedom`, `ci_lower` and `ci_upper` of rows that have estimate, error,
   standard_error, degrees (units drawn less strata), units (those in which somebody of the domain was found), design_kind.

   A share lies on the logit scale, p +- t se / (p (1 - p)), as R's svyciprop(method = "logit"), and stays within 0 and 100.
   Nobody, or everybody, gives no error: there the bounds are Clopper and Pearson's (1934) of as many trials as units, which
   is the least that they can be worth, however much people of one unit are alike.
   Totals and ratios of two groups lie on the log scale, y exp(+- t se / y): they are positive and skewed where few were
   found, and bounds of a part of one are that part of its bounds. A zero of them has no error to draw bounds from.
   What may be negative, `mean` and `difference`, has y +- t se. #}
{% macro interval_columns(kind) -%}
{%- set made = {'share': 'LOGIT_T', 'total': 'LOG_T', 'ratio': 'LOG_T', 'mean': 'SYMMETRIC_T', 'difference': 'SYMMETRIC_T'}[kind] -%}
        case
            when design_kind = 'census' then 'NO_SAMPLE'
            {%- if kind == 'share' %}
            when estimate <= 0 or estimate >= 100 then 'CLOPPER_PEARSON'
            {%- elif made == 'LOG_T' %}
            when estimate <= 0 then 'NOBODY_COUNTED'
            {%- endif %}
            when error is null then 'LONELY_UNIT'
            when degrees < 1 then 'NO_DEGREES_OF_FREEDOM'
            else '{{ made }}'
        end as interval_kind,
        case when interval_kind = '{{ made }}' then degrees end as degrees_of_freedom,
        {{ t_quantile('degrees_of_freedom') }} * error as margin,
        {%- for name, sign in {'ci_lower': '-', 'ci_upper': '+'}.items() %}
        {% if kind == 'share' -%}
        case interval_kind
            when 'LOGIT_T' then {{ rounded('100 / (1 + (100 / estimate - 1) * exp(-(' ~ sign ~ '100 * margin / (estimate * (100 - estimate)))))') }}
            when 'CLOPPER_PEARSON' then {{ rounded('case when estimate >= 100 then 100 * pow(0.025, 1.0 / units) else 0 end' if sign == '-' else 'case when estimate >= 100 then 100 else 100 * (1 - pow(0.025, 1.0 / units)) end') }}
        end
        {%- elif made == 'LOG_T' -%}
        case when interval_kind = 'LOG_T' then {{ rounded('estimate * exp(' ~ sign ~ 'margin / estimate)') }} end
        {%- else -%}
        {{ rounded('estimate ' ~ sign ~ ' margin') }}
        {%- endif %} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}

{# The 97.5 percent quantile of Student's t for whole degrees of freedom: from the table up to 30, beyond it by Fisher and
   Cornish's expansion around the normal quantile (1960; Abramowitz and Stegun 26.7.5, with its fifth term), which is off by
   4e-10 of the quantile at 31 and by less above. NULL below 1. #}
{% macro t_quantile(degrees) -%}
    case
        {%- set quantiles = [] %}
        {%- for quantile in [
            12.706204736175, 4.302652729749, 3.182446305284, 2.776445105198, 2.570581835636, 2.446911851145, 2.364624251593,
            2.306004135204, 2.262157162798, 2.228138851986, 2.200985160092, 2.178812829667, 2.160368656463, 2.144786687918,
            2.131449545560, 2.119905299221, 2.109815577833, 2.100922040241, 2.093024054408, 2.085963447266, 2.079613844728,
            2.073873067904, 2.068657610419, 2.063898561628, 2.059538552753, 2.055529438643, 2.051830516480, 2.048407141795,
            2.045229642133, 2.042272456301
        ] %}{% do quantiles.append(quantile ~ 'e0') %}{% endfor %}
        when {{ degrees }} between 1 and 30 then {{ value_at(list_of(quantiles), degrees) }}
        when {{ degrees }} > 30 then 1.959963984540054
            {%- set z = 1.959963984540054 %}
            {%- for term in [
                (z ** 3 + z) / 4,
                (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
                (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
                (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160,
                (27 * z ** 11 + 339 * z ** 9 + 930 * z ** 7 - 1782 * z ** 5 - 765 * z ** 3 + 17955 * z) / 368640,
            ] %} + {{ term }} / pow({{ degrees }}, {{ loop.index }}){% endfor %}
    end
{%- endmacro %}
