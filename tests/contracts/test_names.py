"""Names of columns that SQL cannot tell apart take their own source out of the night, and no other."""

import re
from pathlib import Path

import duckdb
import pytest
import yaml

from hims_pipeline.contracts.load import broken_contracts, load_contracts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.names import find_confused, fold_name
from hims_pipeline.sql import quote
from hims_pipeline.staging.models import staging_sql
from tests.contracts.made import contract_of
from tests.jinja import compiled

ARABIC = ["الجهة", "السكان"]


@pytest.mark.parametrize(
    ("names", "confused"),
    [
        (["region", "persons"], []),
        (["Población", "V-1"], []),
        (ARABIC, []),
        (["né", "ne\u0301"], ["né", "ne\u0301"]),
        (["V-1", "V_1", "x"], ["V-1", "V_1"]),
        (["%", "n"], ["%"]),
    ],
)
def test_names_that_come_to_the_same_or_to_nothing_are_told(tmp_path: Path, names, confused) -> None:
    contract = contract_of([{"name": name} for name in names], {"source": "demo"})
    record = contract.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts/demo.yml").write_text(yaml.safe_dump(record, allow_unicode=True), encoding="utf-8")
    assert find_confused(names) == confused
    assert (set(broken_contracts(tmp_path)), set(load_contracts(tmp_path))) == (
        ({"demo"}, set()) if confused else (set(), {"demo"})
    )
    assert all(name in broken_contracts(tmp_path).get("demo", "") for name in confused)


def test_a_name_keeps_its_letters() -> None:
    assert [fold_name(name) for name in ("Población", "V-1", "A b%c", "_x_", "N° contrat")] == [
        "población", "v_1", "a_b_c", "x", "n_contrat",
    ]  # fmt: skip


def test_staging_reads_columns_with_arabic_names() -> None:
    contract = contract_of([{"name": name} for name in ARABIC], {"source": "demo"})
    (entity,) = contract.entities
    rows = "(select 'demo' as _source, '2024' as _period, 'b' as _batch, '' as _layout, 1 as _line,"
    rows += f" 'تونس' as {quote(ARABIC[0])}, '5' as {quote(ARABIC[1])})"
    sql = re.sub(r"\(\{\{ read_batches\(.*\) \}\}\)", lambda _: rows, staging_sql(contract, entity))
    found = duckdb.sql(f"select {', '.join(map(quote, ARABIC))} from ({compiled(sql)})").fetchall()
    assert found == [("تونس", "5")]


@pytest.mark.parametrize("name", ["a__b", "a_", "_a", "A", "1a"])
def test_a_model_belongs_to_one_source_and_entity(name: str) -> None:
    """`stg_a__b__c` would be entity `c` of `a__b` as well as `b__c` of `a`."""
    whole = contract_of([{"name": "x"}]).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for changed in ({"source": name}, {"entities": {name: whole["entities"]["people"]}}):
        with pytest.raises(ValueError, match="should match pattern"):
            Contract.model_validate(whole | changed)
