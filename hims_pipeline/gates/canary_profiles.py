"""The canary of the comparing rules: a made register, one like it and some with much wrong in them, profiled and
compared as batches are. A comparison that finds nothing in a bad one, or something in the good one, is not believed."""

from functools import lru_cache
from typing import Any

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates.comparisons import ComparisonLimits, load_comparison_limits
from hims_pipeline.gates.differences import compare_profiles
from hims_pipeline.gates.engine import GateError
from hims_pipeline.gates.evidence import Evidence, Subject, evidence_of
from hims_pipeline.gates.profile import Profile, take_profile
from hims_pipeline.gates.roles import Roles, roles_of
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection

_SOURCE: dict[str, Any] = {
    "source": "canary", "title": {"en": "Canary"}, "description": "Made by the gate.", "data_kind": "synthetic",
    "owner": {"institution": "none", "contact": "none"}, "purpose": "proof",
    "licence": {"name": "none", "attribution": "none", "redistributable": True},
    "legal": {"basis": "none", "retention_years": 1}, "cadence": "monthly", "period": {"pattern": "month"},
    "clock": "none", "universe": "passages", "duration_rule": "NONE", "measure_type": "flow",
    "entities": {
        "rows": {
            "title": {"en": "Rows"}, "grain": "a row", "files": ["rows*"], "key": ["no"], "period": {"date": "day"},
            "columns": [
                {"name": "no", "type": "integer", "required": True},
                {"name": "day", "type": "date", "required": True},
                {"name": "area", "type": "text", "crosswalk": "INS_GOV", "required": True},
                {"name": "sex", "type": "text", "codes": {"M": "men", "F": "women"}, "required": True},
                {"name": "age", "type": "integer"},
                {"name": "why", "type": "text", "codes": {"a": "a", "b": "b", "c": "c"}},
                {"name": "wage", "type": "decimal"},
            ],
            "feeds": [
                {
                    "fact": "insurance_periods",
                    "columns": {
                        "sex": {"from": "sex", "codes": {"M": "M", "F": "F"}}, "age_years": {"from": "age"},
                        "area_code": {"from": "area", "crosswalk": "INS_GOV"}, "wage_amount": {"from": "wage"},
                    },
                }
            ],
        }
    },
}  # fmt: skip
# Draws without chance: the hash of a row's number. A month has about 8 % more rows than the one before.
_DRAWN = """
    select i as no, date '2024-{month:02}-01' + cast(h % 28 as integer) as day,
        cast(11 + (h // 28) % 4 as varchar) as area,
        case when (h // 500) % 100 < 40 then 'F' else 'M' end as sex,
        cast(18 + (h // 50000) % 45 as bigint) as age,
        case when (h // 7) % 10 < 6 then 'a' when (h // 7) % 10 < 9 then 'b' else 'c' end as why,
        cast(400 + (h // 11) % 900 as decimal(18, 2)) as wage, i + 1 as _line
    from (select i, cast(hash(i + {seed}) % 1000000007 as bigint) as h from range(1, {rows} + 1) as t (i)) as drawn"""
# Days and areas gone, sexes exchanged, ages heaped and raised, wages in millimes.
_WRONG = """
    select 2 * no as no, day + interval 1 month as day, area, case sex when 'F' then 'M' else 'F' end as sex,
        cast(20 + 5 * (age // 5) as bigint) as age, case when no % 3 > 0 then why end as why, wage * 1000 as wage, _line
    from before where area not in ('13', '14') and day(day) not between 10 and 17"""
_AGAIN = "select no + 5000 as no, day + interval 1 month as day, area, sex, age, why, wage, _line from before"
_TWICE = """
    from good union all by name
    select no + 5000 as no, day, area, sex, age, why, wage, _line + 5000 as _line
    from good where no between 200 and 700"""
BAD: dict[str, tuple[str, tuple[str, ...]]] = {
    "wrong": (
        _WRONG,
        ("heaping", "size", "more_unknown", "shares", "shift", "more_women", "ages", "mean_age", "heaping_more",
         "days_missing", "middle", "sum", "top", "numbers_missing"),
    ),
    "again": (_AGAIN, ("again",)),
    "twice": (_TWICE, ("rows_twice", "runs_twice")),
}  # fmt: skip


@lru_cache(maxsize=4)
def show(settings: Settings) -> None:
    """Profile and compare the made registers, once a process.

    Raises:
        GateError: the comparison found something in the good one, or missed something in the bad one.
    """
    limits = load_comparison_limits(settings.expectations)
    if limits is None:
        return
    contract = Contract.model_validate(_SOURCE)
    roles = roles_of(contract, "rows", "2024-06")
    with connection(settings) as con:
        tables = {
            "before": _DRAWN.format(month=5, seed=0, rows=3000),
            "good": _DRAWN.format(month=6, seed=9999, rows=3240),
        }
        subjects = {name: _subject(con, contract, roles, name, query) for name, query in tables.items()}
        subjects |= {name: _subject(con, contract, roles, name, query) for name, (query, _) in BAD.items()}
    measures = {name: _measures_beyond(limits, subject, subjects["before"]) for name, subject in subjects.items()}
    wrong = [*sorted(measures["good"])]
    wrong += [one for name, (_, must) in BAD.items() for one in sorted(set(must) - measures[name])]
    if wrong:
        raise GateError(
            f"The gate does not trust its comparisons, and accepts nothing: canaries went wrong: {', '.join(wrong)}."
        )


def _subject(con: Any, contract: Contract, roles: Roles, name: str, query: str) -> Subject:
    con.execute(f"create or replace table {name} as {query}")
    con.execute(f"create or replace view rows as from {name}")
    period = "2024-05" if name == "before" else "2024-06"
    return Subject(contract, "rows", period, Profile(take_profile(con, contract, "rows", period, roles)), roles)


def _measures_beyond(limits: ComparisonLimits, now: Subject, before: Subject) -> set[str]:
    """The measures of which some number is beyond the limit that holds for all."""
    all_evidence: list[Evidence] = [*evidence_of(now), *compare_profiles(now, before)]
    return {
        one.measure for one in all_evidence if one.value is not None and not one.value <= limits.limits[one.measure]
    }
