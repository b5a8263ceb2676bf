"""Proper tables with wrong values: what the lexical types, the contract's rules and the judgement rules must catch."""

from collections.abc import Callable
from dataclasses import dataclass

Row = dict[str, str]
Rows = list[Row]
Pick = Callable[[Row], bool]
ONE = 700  # the row that single faults are about, not near an end of the file
MINOR = 15


@dataclass(frozen=True)
class RowFault:
    """A fault of values: `make` takes the good rows, may change them, and gives the broken ones."""

    name: str
    why: str
    make: Callable[[Rows], Rows]
    expected_rule: str
    source: str = "rgph"
    period: str = "2024"
    refused: bool = True


def _passages(name: str, why: str, make: Callable[[Rows], Rows], expected_rule: str, refused: bool = True) -> RowFault:
    return RowFault(name, why, make, expected_rule, source="border_crossings", period="2024-01", refused=refused)


def _change_one(column: str, value: str, pick: Pick = lambda row: True) -> Callable[[Rows], Rows]:
    """Put a value into one column of one row, the first from `ONE` on that `pick` takes."""

    def make(rows: Rows) -> Rows:
        next(row for row in rows[ONE:] if pick(row))[column] = value
        return rows

    return make


def _change_every(nth: int, pick: Pick, change: Callable[[Row], Row]) -> Callable[[Rows], Rows]:
    """Change every nth of the rows that `pick` takes; `change` gives the new values."""

    def make(rows: Rows) -> Rows:
        for row in [row for row in rows if pick(row)][::nth]:
            row.update(change(row))
        return rows

    return make


def _leave_out(nth: int, pick: Pick) -> Callable[[Rows], Rows]:
    """Leave out every nth of the rows that `pick` takes."""

    def make(rows: Rows) -> Rows:
        gone = {id(row) for row in [row for row in rows if pick(row)][::nth]}
        return [row for row in rows if id(row) not in gone]

    return make


def _share_identity(rows: Rows) -> Rows:
    first, second = [row for row in rows[ONE:] if row["national_id"]][:2]
    second["national_id"] = first["national_id"]
    return rows


def _households_cut(rows: Rows) -> Rows:
    """Each adult who is neither head nor spouse becomes a household of one."""
    adults = [row for row in rows if int(row["age"]) >= 20 and row["relationship"] not in ("1", "2")]
    for number, row in enumerate(adults):
        row.update(household_no=f"{90_000_000 + number}", line_no="1", relationship="1")
    return rows


def _move_elsewhere(row: Row) -> Row:
    return {"residence_5y": "2", "governorate_of_residence_5y": "13" if row["governorate"] == "11" else "11"}


def _is(column: str, *values: str) -> Pick:
    return lambda row: row[column] in values


def _pick_aged(first: int, last: int) -> Pick:
    return lambda row: first <= int(row["age"]) <= last


VALUE_FAULTS = (
    RowFault("decimal_in_integer", "Age 1.5.", _change_one("age", "1.5"), "TYPES-INTEGER"),
    RowFault("exponent_in_integer", "Age 1e2.", _change_one("age", "1e2"), "TYPES-INTEGER"),
    RowFault("hexadecimal_in_integer", "Age 0x10.", _change_one("age", "0x10"), "TYPES-INTEGER"),
    RowFault(
        "leading_zeros", "Age 007, where the wave allows no leading zeros.", _change_one("age", "007"), "TYPES-INTEGER"
    ),
    RowFault("padded_integer", "A blank before an age.", _change_one("age", " 7"), "TYPES-INTEGER"),
    RowFault("arabic_digits", "An age in Arabic-Indic digits.", _change_one("age", "٣٤"), "TYPES-INTEGER"),
    RowFault("text_in_integer", "An age in words.", _change_one("age", "trente"), "TYPES-INTEGER"),
    RowFault(
        "identity_too_short",
        "An identity number of 7 digits.",
        _change_one("national_id", "9123456"),
        "TYPES-IDENTIFIER",
    ),
    _passages("no_such_day", "31 February.", _change_one("crossing_date", "31/02/2024"), "TYPES-DATE"),
    _passages(
        "other_date_format", "A date in another format.", _change_one("crossing_date", "2024-01-05"), "TYPES-DATE"
    ),
)
CONTRACT_FAULTS = (
    RowFault(
        "duplicate_keys", "A line number stands twice in a household.",
        _change_one("line_no", "1", _is("line_no", "2")), "RGPH-PERSONS-KEY",
    ),
    _passages(
        "duplicate_passages", "A passage number stands twice.", _change_one("passage_no", "7"),
        "BORDER-CROSSINGS-PASSAGES-KEY",
    ),
    RowFault(
        "unknown_governorate", "A governorate that does not exist.", _change_one("governorate", "99"),
        "RGPH-PERSONS-GOVERNORATE-XWALK",
    ),
    RowFault(
        "unknown_country", "A country that does not exist.",
        _change_one("country_of_birth", "ZZZ", _is("birthplace", "2")),
        "RGPH-PERSONS-COUNTRY-OF-BIRTH-XWALK",
    ),
    RowFault(
        "sex_code_3", "Sex 3 where 1 and 2 are known.", _change_one("SEXE", "3"), "RGPH-PERSONS-SEX-CODES",
        period="2014",
    ),
    RowFault("missing_required", "A person without sex.", _change_one("sex", ""), "RGPH-PERSONS-SEX-REQUIRED"),
    RowFault("impossible_age", "A person of 150 years.", _change_one("age", "150"), "RGPH-PERSONS-AGE-RANGE"),
    RowFault("too_few_rows", "The first 1,000 persons only.", lambda rows: rows[:1000], "ENVELOPE-ROWS"),
)  # fmt: skip
RGPH_FAULTS = (
    RowFault(
        "women_missing", "Every third woman is coded as a man.",
        _change_every(3, _is("sex", "F"), lambda row: {"sex": "M"}), "RGPH-PERSON-001",
    ),
    RowFault(
        "too_many_foreigners", "Every twentieth citizen is coded as an Algerian.",
        _change_every(20, _is("citizenship", "1"), lambda row: {"citizenship": "2", "nationality": "DZA"}),
        "RGPH-PERSON-002",
    ),
    RowFault("governorate_missing", "Kébili is missing.", _leave_out(1, _is("governorate", "63")), "RGPH-PERSON-003"),
    RowFault(
        "two_heads", "A household with two heads.", _change_one("relationship", "1", _is("relationship", "2")),
        "RGPH-PERSON-004",
    ),
    RowFault(
        "children_missing", "Every second child under 15 is missing.", _leave_out(2, _pick_aged(0, MINOR - 1)),
        "RGPH-PERSON-005",
    ),
    RowFault(
        "middle_ages_too_old", "Everybody from 25 to 58 is 59.",
        _change_every(1, _pick_aged(25, 58), lambda row: {"age": "59"}), "RGPH-PERSON-006", refused=False,
    ),
    RowFault(
        "rounded_ages", "Every fourth age is rounded down to 0 or 5.",
        _change_every(4, _pick_aged(25, 62), lambda row: {"age": str(int(row["age"]) // 5 * 5)}),
        "RGPH-PERSON-007", refused=False,
    ),
    RowFault(
        "born_abroad_at_home", "A person born abroad in Tunisia.",
        _change_one("birthplace", "2", _is("country_of_birth", "TUN")), "RGPH-PERSON-008",
    ),
    RowFault(
        "foreign_citizen_of_home", "A foreigner of Tunisian nationality.",
        _change_one("citizenship", "2", _is("nationality", "TUN")), "RGPH-PERSON-009",
    ),
    RowFault(
        "residence_before_birth", "A child under five who lived somewhere five years before.",
        _change_one("residence_5y", "1", _pick_aged(0, 4)), "RGPH-PERSON-010",
    ),
    RowFault(
        "abroad_without_country", "A person who lived abroad, in no country.",
        _change_one("country_of_residence_5y", "", _is("residence_5y", "3")), "RGPH-PERSON-011",
    ),
    RowFault("identity_twice", "One identity number for two persons.", _share_identity, "RGPH-PERSON-012"),
    RowFault(
        "households_cut", "Adults beside the couple are households of their own.", _households_cut, "RGPH-PERSON-013",
        refused=False,
    ),
    RowFault(
        "moved_from_nowhere", "A person who lived elsewhere in the country, in no governorate.",
        _change_one("governorate_of_residence_5y", "", _is("residence_5y", "2")), "RGPH-PERSON-015",
    ),
    RowFault(
        "too_many_movers", "Every sixth person who stayed comes from another governorate.",
        _change_every(6, _is("residence_5y", "1"), _move_elsewhere), "RGPH-PERSON-017", refused=False,
    ),
)  # fmt: skip
BORDER_FAULTS = (
    _passages(
        "entries_missing", "Every second entry is missing.", _leave_out(2, _is("direction", "E")),
        "BORDER-PASSAGE-001", refused=False,
    ),
    _passages(
        "two_months", "A passage of the next month.", _change_one("crossing_date", "01/02/2024"), "BORDER-PASSAGE-002"
    ),
    _passages(
        "day_missing", "15 January is missing.", _leave_out(1, _is("crossing_date", "15/01/2024")),
        "BORDER-PASSAGE-003",
    ),
    _passages(
        "nationality_missing", "Every tenth nationality is missing.",
        _change_every(10, lambda row: True, lambda row: {"nationality": ""}), "BORDER-PASSAGE-004",
    ),
    _passages("entries_only", "No exit at all.", _leave_out(1, _is("direction", "S")), "BORDER-PASSAGE-005"),
    _passages(
        "few_women", "Women are coded as men, but for every other one.",
        _change_every(2, _is("sex", "F"), lambda row: {"sex": "M"}), "BORDER-PASSAGE-006", refused=False,
    ),
    _passages(
        "placeholder_document", "One document number in every twentieth passage.",
        _change_every(20, lambda row: True, lambda row: {"document_no": "X0000000"}),
        "BORDER-PASSAGE-007", refused=False,
    ),
    _passages(
        "residents_foreign", "Every resident is coded as an Algerian.",
        _change_every(1, _is("residence_status", "R"), lambda row: {"nationality": "DZA"}), "BORDER-PASSAGE-008",
    ),
)  # fmt: skip
ROW_FAULTS = (*VALUE_FAULTS, *CONTRACT_FAULTS, *RGPH_FAULTS, *BORDER_FAULTS)
