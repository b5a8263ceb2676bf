select kind, code, name_en, name_fr, name_ar, description_en, source as definition_source from {{ ref('definitions') }}
