"""Spellings of a number that a contract allows, undone in SQL: blanks around it, digits of another script, a minus that
is a dash, a sign for per cent, groups of three digits. What is not spelt so is left as it stands, and is no number.

Not here: which plain spellings are a number of a type (`lexical`).
"""

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.formats import Format
from hims_pipeline.contracts.missing import BLANKS
from hims_pipeline.sql import literal

_DIGITS = "0123456789"
_SCRIPTS = ("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹")  # Arabic-Indic, Persian
_POINT = "٫"
# Between groups of three digits, one and the same within a number. A comma or a point, which may be a decimal mark as
# well, is allowed by a word of its own.
_BETWEEN = (" ", "\u00a0", "\u2007", "\u2009", "\u202f", "'", "\u2019", "٬")
_MINUS = "\u2212"  # what typographers call a minus
_PER_CENT = f"[{BLANKS}]*[%٪]$"


def plain_number(column: Column, text: str, form: Format) -> str:
    """SQL: the text without the spellings that the column allows for numbers."""
    if "padding" in column.allow:
        text = f"trim({text}, {literal(BLANKS)})"
    if "percent" in column.allow:
        text = f"regexp_replace({text}, {literal(_PER_CENT)}, '')"
    if "arabic_digits" in column.allow:
        text = _latin_digits_sql(text, form)
    if "minus_sign" in column.allow:
        text = f"regexp_replace({text}, {literal('^' + _MINUS)}, '-')"
    if between := marks_between_groups(column, form):
        groups = "|".join(f"([{mark}][0-9]{{3}})+" for mark in between)
        grouped = literal(f"[-+]?[0-9]{{1,3}}({groups})([{form.decimal}][0-9]*)?")
        together = f"translate({text}, {literal(''.join(between))}, '')"
        text = f"case when regexp_full_match({text}, {grouped}) then {together} else {text} end"
    return text


def marks_between_groups(column: Column, form: Format) -> tuple[str, ...]:
    """What may stand between groups of three digits; with `mark_groups` the comma or point that is no decimal mark."""
    blanks = _BETWEEN if "digit_groups" in column.allow else ()
    return blanks + (("," if form.decimal == "." else ".",) if "mark_groups" in column.allow else ())


def _latin_digits_sql(text: str, form: Format) -> str:
    """SQL: digits of one other script as ours; where two scripts are mixed, somebody mistyped or it is no number."""
    whens = []
    for digits in _SCRIPTS:
        others = literal("[" + "".join(one for one in (_DIGITS, *_SCRIPTS) if one != digits) + "]")
        latin = f"translate({text}, {literal(digits + _POINT)}, {literal(_DIGITS + form.decimal)})"
        whens.append(f"when not regexp_matches({text}, {others}) then {latin}")
    return f"case {' '.join(whens)} else {text} end"
