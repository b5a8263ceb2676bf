"""What the search for identifiers passes over, and what of all that may change makes it search again."""

import shutil
from dataclasses import replace

import pytest

from hims_pipeline import gates
from hims_pipeline.carry import plan
from hims_pipeline.carry.content import content_of
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.privacy.identifier_search import FILE as SHAPES
from hims_pipeline.privacy.identifier_search import load_known
from hims_pipeline.privacy.keys import Key
from hims_pipeline.privacy.pseudonym import install, normalise_sql, pseudonym
from hims_pipeline.release import audit, leaks, searched
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection, literal

KEY = Key("test", bytes(range(3, 35)))
TABLES = {
    "published.figures": "select 'row ' || i as note from range(3) as t(i)",
    "published.names": "select 'file X9-447123' as note, 1 as n",  # which may be the number of somebody, and is not yet
}
IBAN = "select 'TN5910006035183598478831' as note"


class Night:
    """Candidates of one installation, each searched like on a night of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.known, self.tables, self.carried = settings, ["Z0000001"], dict(TABLES), set[str]()
        self.engine = plan.OWN_ENGINE

    def known_persons(self, settings, con):
        install(con, KEY, ["demo"])
        numbers = f"select {normalise_sql('p')} as v from (select unnest({self.known}) as p)"
        con.execute(f"create table persons as select {pseudonym('v', ['demo'], 'demo')} as id from ({numbers})")
        return load_known(con, KEY, [("demo", "select id from persons")])

    def build(self, change=lambda con: None):
        """Both files of a candidate and the plan beside it; `change` comes over the files when the plan is sealed."""
        folder = self.settings.build / "run"
        shutil.rmtree(folder, ignore_errors=True)
        carried = {}
        for part in audit.PARTS:
            path = folder / "release" / part / "warehouse.duckdb"
            path.parent.mkdir(parents=True)
            with connection(self.settings, path) as con:
                con.execute("create schema published")
                for name, sql in self.tables.items():
                    con.execute(f"create table {name} as {sql}")
                    if name in self.carried:
                        carried[name] = {"table": name, **vars(content_of(con, *name.split(".")))}
                change(con)
        write_sealed(self.settings, folder / plan.PLAN, plan.KIND, vars(plan.CarryPlan(carried, 1, self.engine)))
        return folder / "release"

    def audit(self, candidate=None) -> tuple[bool, int]:
        """Whether nobody is named, and how many tables of the staff's file were searched."""
        told = []
        audited = audit.audit_release(self.settings, candidate or self.build(), told.append)
        return audited["verdict"]["accepted"], int(told[-1].split(" in ")[1].split()[0])


@pytest.fixture
def night(tmp_path, monkeypatch) -> Night:
    """The night after one on which all was searched; both tables are carried over."""
    data = tmp_path / "data"
    data.mkdir()
    for name in (SHAPES, leaks.LOOKALIKES):
        shutil.copy(REPOSITORY / "data" / name, data)
    made = Night(Settings(REPOSITORY, data, REPOSITORY / "expectations", tmp_path / "home", env="test"))
    monkeypatch.setattr(leaks, "known_persons", made.known_persons)
    held = {"code": "A", "severity": "blocking", "success": True, "blind": False}
    fine = gates.GateOutcome(findings=(), declared=1, evaluated=1, canary="passed", rules=(held,), versions={})
    monkeypatch.setattr(gates, "judge_database", lambda *a: fine)
    assert made.audit() == (True, 2)
    made.carried = set(TABLES)
    return made


def test_what_was_searched_and_is_carried_over_is_passed_over_night_after_night(night) -> None:
    assert night.audit() == night.audit() == (True, 0)
    night.tables["published.figures"] = "select 'another row' as note"
    night.carried.remove("published.figures")
    assert night.audit() == (True, 1)


def test_a_number_in_a_changed_table_is_found(night) -> None:
    night.tables["published.figures"] = IBAN
    night.carried.remove("published.figures")
    assert night.audit() == (False, 1)
    night.tables["published.figures"] = TABLES["published.figures"]
    night.carried.add("published.figures")
    assert night.audit() == (True, 0)  # what names somebody has left no trace in what is kept


def test_a_table_that_is_not_what_the_plan_carries_over_is_searched(night) -> None:
    candidate = night.build(lambda con: con.execute(f"insert into published.figures {IBAN}"))
    assert night.audit(candidate) == (False, 1)


def test_the_same_content_built_anew_is_searched(night) -> None:
    """Only of what is carried over the inputs are proved; contents are compared by 64 bits."""
    night.carried = {"published.names"}
    assert night.audit() == (True, 1)


def test_what_another_engine_made_tonight_is_searched(night) -> None:
    """It stands in the plan as if it were carried over, and is of no earlier night."""
    night.engine = "spark"
    assert night.audit() == (True, 2)


def test_a_night_that_carries_nothing_over_searches_everything(night) -> None:
    night.carried = set()
    assert night.audit() == (True, 2)


@pytest.mark.parametrize(
    "change",
    [
        "alter table published.figures rename column note to household_id",  # which look-alikes may excuse
        "alter table published.names alter column n type varchar",  # no text before, so not searched then
    ],
)
def test_other_columns_of_the_same_content_are_searched(night, change) -> None:
    candidate = night.build(lambda con: con.execute(change))
    assert night.audit(candidate) == (True, 1)


@pytest.mark.parametrize("name", [SHAPES, leaks.LOOKALIKES])
def test_other_shapes_and_look_alikes_search_everything_anew(night, name) -> None:
    path = night.settings.data / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert night.audit() == (True, 2)


def test_a_shape_that_was_not_known_is_found_in_what_did_not_change(night) -> None:
    head, *_ = (night.settings.data / SHAPES).read_text(encoding="utf-8").splitlines()
    row = {"shape": "FILE_NUMBER", "country": "XX", "pattern": "X9-[0-9]{6}", "check": ""}
    with (night.settings.data / SHAPES).open("a", encoding="utf-8") as file:
        file.write(",".join(row.get(name, "") for name in head.split(",")) + "\n")
    assert night.audit() == (False, 2)


@pytest.mark.parametrize("what", ["code", "versions"])
def test_other_code_or_libraries_search_everything_anew(night, monkeypatch, what) -> None:
    own = searched.provenance_of(*searched.SEARCHING)
    other = replace(own, **{what: "another" if what == "code" else {"duckdb": "another"}})
    monkeypatch.setattr(searched, "provenance_of", lambda *entries: other)
    assert night.audit() == (True, 2)


def test_who_came_since_is_found_in_what_did_not_change(night) -> None:
    night.known.append("Z0000002")
    assert night.audit() == (True, 0)
    night.known.append("X9447123")
    assert night.audit() == (False, 1)


@pytest.mark.parametrize("number", ["RSSMRA85T10A562S", "A1B2C3D"])  # an Italian tax code, and a shorter one
def test_a_known_number_whose_digits_stand_apart_is_found(night, number) -> None:
    night.known.append(number)
    night.tables["published.figures"] = f"select 'of {number}' as note"
    night.carried.remove("published.figures")
    assert night.audit() == (False, 1)


def test_a_planted_result_is_not_believed(night) -> None:
    """Marks of a candidate that names somebody, written by one who has no key; and what may be numbers, emptied."""
    night.tables["published.figures"] = IBAN
    candidate, path = night.build(), night.settings.kept / searched.RECORD
    whole = path.read_bytes()
    record = read_sealed(night.settings, path, searched.KIND)
    with connection(night.settings, candidate / "staff/warehouse.duckdb", read_only=True) as con:
        contents = {name: vars(content_of(con, *name.split("."))) for name in TABLES}
        marks = searched.mark_tables(con, "warehouse", contents, searched.fingerprint_search(night.settings))
    path.write_text(whole.decode().replace(record["marks"]["published.figures"], marks["published.figures"]))
    assert night.audit(candidate) == (False, 2)
    write_sealed(night.settings, path, "another kind", record | {"marks": marks})
    assert night.audit(candidate) == (False, 2)
    path.write_bytes(whole)
    night.tables, night.known = dict(TABLES), ["X9447123"]
    with connection(night.settings) as con:
        tokens = literal(night.settings.kept / record["file"])
        con.execute(f"copy (select * from read_parquet({tokens}) limit 0) to {tokens}")
    assert night.audit() == (False, 2)


@pytest.mark.parametrize("lost", [searched.RECORD, "searched-*.parquet"])
def test_where_what_is_kept_is_gone_everything_is_searched_and_kept_again(night, lost) -> None:
    next(night.settings.kept.glob(lost)).unlink()
    assert night.audit() == (True, 2)
    assert night.audit() == (True, 0)


def test_a_plan_that_is_not_ours_carries_nothing(night) -> None:
    candidate = night.build()
    path = candidate.parent / plan.PLAN
    path.write_bytes(path.read_bytes().replace(b'"rows": 3', b'"rows": 4'))
    assert night.audit(candidate) == (True, 2)
