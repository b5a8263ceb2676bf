"""Names of columns that SQL cannot tell apart take their own source out of the night, and no other."""

from pathlib import Path

import pytest
import yaml

from hims_pipeline.contracts.load import broken_contracts, load_contracts
from hims_pipeline.contracts.names import find_confused, fold_name
from hims_pipeline.staging.names import snake
from tests.contracts.made import contract_of

ARABIC = ["الجهة", "السكان"]


@pytest.mark.parametrize(
    ("names", "confused"),
    [
        (["region", "persons"], []),
        (["Población", "V-1"], []),
        (ARABIC, ARABIC),
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


def test_a_name_is_folded_as_staging_folds_it() -> None:
    for name in (*ARABIC, "Población", "V-1", "A b%c", "_x_", "ÀÉ"):
        assert fold_name(name) == snake(name)
