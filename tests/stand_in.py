"""Stand-ins for dbt at the boundary of its process: programs that end as dbt has been seen to end."""

import sys
from pathlib import Path

import pytest

from hims_pipeline.staging import render

# What a stand-in may use: where dbt writes, all that it should have built, and results as dbt writes them.
HELP = f"""#!{sys.executable} -I
import json, os, pathlib, signal, sys
target = pathlib.Path(os.environ["DBT_TARGET_PATH"])
tree = pathlib.Path(sys.argv[sys.argv.index("--project-dir") + 1])
warehouse = pathlib.Path(os.environ["HIMS_WAREHOUSE"])

def say(name, message, **data):
    print(json.dumps({{"info": {{"name": name, "msg": message, "level": "info"}}, "data": data}}), flush=True)

def start(node):
    say("LogStartLine", "START " + node, node_info={{"unique_id": node}})

def nodes():
    manifest = json.loads((tree / "target/manifest.json").read_text())
    return [*manifest["nodes"], *manifest["unit_tests"]]

def build():
    # every table and view that a whole build has, without a row
    import duckdb

    con = duckdb.connect(str(warehouse))
    con.begin()
    manifest = json.loads((tree / "target/manifest.json").read_text())
    for node in manifest["nodes"].values():
        if node["resource_type"] in ("model", "seed"):
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            schema, name = node["schema"], node["alias"]
            con.execute(f'create schema if not exists "{{schema}}"')
            con.execute(f'create {{kind}} "{{schema}}"."{{name}}" as select 1 as n where false')
    con.commit()
    con.close()

def write_results(names, status="success", message="", of=os.environ.get("DBT_ENV_CUSTOM_ENV_HIMS_BUILD")):
    about = {{"status": status, "message": message, "execution_time": 0.1, "failures": None}}
    found = [{{"unique_id": n}} | about for n in names]
    target.mkdir(parents=True, exist_ok=True)
    record = {{"metadata": {{"env": {{"HIMS_BUILD": of}}}}, "results": found}}
    (target / "run_results.json").write_text(json.dumps(record))

"""
GOOD = "build(); write_results(nodes())\n"


def place(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Put a program in dbt's place."""
    program = folder / "dbt"
    program.write_text(HELP + body, encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setattr(render, "dbt_executable", lambda: str(program))
    monkeypatch.setattr(render, "parsed_dbt", lambda tree: [str(program)])
