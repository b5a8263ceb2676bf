"""`hims dbt …` runs dbt on the rendered tree with its environment set, and leaves tree and release alone."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hims_pipeline.cli import main
from tests.stand_in import place

SAYS = """
target.mkdir(parents=True, exist_ok=True)
(target / 'manifest.json').write_text('{}')
(target / 'partial_parse.msgpack').write_text('')
if sys.argv[1] != '--quiet':
    found = {k: os.environ[k] for k in ('HIMS_WAREHOUSE', 'HIMS_INPUTS', 'DBT_TARGET_PATH', 'DBT_PROFILES_DIR')}
    pathlib.Path(os.environ['TOLD']).write_text(json.dumps({'words': sys.argv[1:], 'env': found}))
    sys.exit(3)
"""


def test_any_command_of_dbt_runs_on_the_rendered_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place(tmp_path, monkeypatch, SAYS.replace("os.environ['TOLD']", repr(str(tmp_path / "told.json"))))
    env = {"HIMS_HOME": str(tmp_path / "home"), "HIMS_ENV": "test"}
    done = CliRunner(env=env).invoke(main, ["dbt", "show", "--select", "dim_area", "--limit", "3"])
    assert done.exit_code == 3, done.output  # dbt's own word
    told = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
    tree = told["env"]["DBT_PROFILES_DIR"]
    assert told["words"] == ["show", "--select", "dim_area", "--limit", "3", "--project-dir", tree]
    assert Path(tree).parent == tmp_path / "home/rendered"
    for name in ("HIMS_WAREHOUSE", "HIMS_INPUTS", "DBT_TARGET_PATH"):
        assert Path(told["env"][name]).parent == tmp_path / "home/build/by_hand", name
    assert json.loads((tmp_path / "home/build/by_hand/inputs.json").read_text(encoding="utf-8")) == []
