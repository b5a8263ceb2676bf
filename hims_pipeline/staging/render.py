"""Render contracts, code lists and the observatory's policies into a dbt project, once for each state of `data/`.

    $HIMS_HOME/rendered/<hash>/                       a copy of dbt_project/, and added to it:
    $HIMS_HOME/rendered/<hash>/models/staging/*.sql   staging views, the union of all that feeds a fact
    $HIMS_HOME/rendered/<hash>/macros/observatory.sql what SQL needs to know of `data/`
    $HIMS_HOME/rendered/<hash>/seeds/*.csv            code lists as they are, and tables made from the YAML files
    $HIMS_HOME/rendered/<hash>/target/manifest.json   dbt's manifest of this state

The hash covers `data/`, the dbt project and this package, so a folder that exists is never stale.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.corrections import Correction
from hims_pipeline.contracts.facts import load_facts
from hims_pipeline.contracts.indicators import breakdown_columns
from hims_pipeline.contracts.load import tree_fingerprint
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import HimsError
from hims_pipeline.lake.files import write_text
from hims_pipeline.settings import Settings, quiet_environment
from hims_pipeline.staging.corrections import corrected_models, matched_sql
from hims_pipeline.staging.held import held_sources
from hims_pipeline.staging.models import BATCH_COLUMNS, feed_sql, staged_name, staging_sql
from hims_pipeline.staging.seeds import as_yaml, write_seeds

EDITED = ("contracts", "codelists", "controls", "corrections", "indicators", "observatory.yml")


def state(settings: Settings) -> str:
    """Hash of all that rendering depends on."""
    edited = [settings.data / name for name in EDITED if (settings.data / name).exists()]
    here = Path(__file__).parent
    return tree_fingerprint(
        *edited, settings.dbt_project, here, here.parent / "contracts", suffixes=(".yml", ".csv", ".sql", ".py")
    )[:16]


def rendered(settings: Settings, log: Callable[[str], None] = lambda text: None) -> Path:
    """The rendered tree of the present state, made if it is not there yet, with dbt's manifest.

    Raises:
        ContractError: `data/` does not say what it must.
        HimsError: dbt cannot parse the project.
    """
    target = settings.rendered / state(settings)
    if target.exists():
        return target
    settings.rendered.mkdir(parents=True, exist_ok=True)
    working = settings.rendered / f".making-{target.name}-{os.getpid()}"
    shutil.rmtree(working, ignore_errors=True)
    log("rendering staging models from the contracts")
    _render(settings, working)
    log("dbt parse")
    _parse(settings, working)
    try:
        working.rename(target)
    except OSError:  # another process was first, with the same content
        shutil.rmtree(working)
    return target


def clear_leftovers(settings: Settings) -> None:
    """Remove rendered trees of other states and what a killed rendering left."""
    keep = state(settings)
    for folder in settings.rendered.glob("*"):
        if folder.name != keep:
            shutil.rmtree(folder)


def dbt_environment(settings: Settings, tree: Path, build: Path) -> dict[str, str]:
    """What dbt and its profile read from the environment; all paths absolute."""
    return quiet_environment(settings) | {
        "HIMS_WAREHOUSE": str(build / "warehouse.duckdb"),
        "HIMS_INPUTS": str(build / "inputs.json"),
        "HIMS_SPILL": str(build / "spill"),
        "DBT_TARGET_PATH": str(build / "target"),
        "DBT_LOG_PATH": str(build / "logs"),
        "DBT_LOG_LEVEL_FILE": "none",  # a data error quotes the value; stdout is filtered, a file would stay
        "DBT_PROFILES_DIR": str(tree),
    }


def dbt_executable() -> str:
    """dbt beside the running Python, so that no activated environment is needed."""
    return str(Path(sys.executable).parent / "dbt")


def _parse(settings: Settings, tree: Path) -> None:
    env = dbt_environment(settings, tree, tree)
    done = subprocess.run(
        [dbt_executable(), "--quiet", "parse", "--project-dir", str(tree)],
        env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise HimsError(f"dbt cannot parse the project:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    for name in ("logs", "spill", "partial_parse.msgpack"):
        shutil.rmtree(tree / name, ignore_errors=True)


def _render(settings: Settings, tree: Path) -> None:
    contracts, mended, _ = held_sources(settings)
    shutil.copytree(settings.dbt_project, tree, ignore=shutil.ignore_patterns("target", "logs"))
    described = [
        _staging_model(tree, contract, name, mended.get(source, ()))
        for source, contract in contracts.items()
        for name in contract.entities
    ]
    described += _sent_models(tree, contracts, mended)
    described += [_feed_model(tree, fact, columns, contracts.values()) for fact, columns in load_facts().items()]
    write_text(tree / "models/staging/staging.yml", as_yaml({"version": 2, "models": described}))
    write_text(tree / "macros/observatory.sql", _macros(settings))
    write_seeds(settings, tree / "seeds", contracts.values(), mended)


def _staging_model(tree: Path, contract: Contract, name: str, corrections: tuple[Correction, ...]) -> dict[str, Any]:
    entity, model = contract.entities[name], f"stg_{contract.source}__{name}"
    own = tuple(one for one in corrections if one.entity == name)
    views = corrected_models(contract, name, own) if own else {model: staging_sql(contract, name)}
    for view, sql in views.items():
        write_text(tree / f"models/staging/{view}.sql", sql + "\n")
    columns = [{"name": c, "description": "Of the batch"} for c in BATCH_COLUMNS]
    for column in entity.kept_columns:
        label = column.label if isinstance(column.label, str) else column.label.en
        columns.append({"name": staged_name(column.name), "description": label or column.name})
    return {
        "name": model,
        "description": f"{contract.title.en}: {entity.title.en}, accepted batches"
        f"{', known errors mended' if own else ''}. Grain: {entity.grain}.",
        "config": {"meta": {"source": contract.source, "owner": contract.owner.institution}},
        "columns": columns,
    }


def _sent_models(
    tree: Path, contracts: dict[str, Contract], mended: dict[str, tuple[Correction, ...]]
) -> list[dict[str, Any]]:
    """Entities with known errors as they were delivered, and what each correction does to each batch."""
    described = []
    for source, entity in sorted({(source, one.entity) for source, some in mended.items() for one in some}):
        write_text(tree / f"models/staging/sent_{source}__{entity}.sql", staging_sql(contracts[source], entity) + "\n")
        described.append({"name": f"sent_{source}__{entity}", "description": f"stg_{source}__{entity} as delivered."})
        if any(one.entity == entity and one.donors for one in mended[source]):
            description = f"stg_{source}__{entity} with known errors mended, before imputation by donors."
            described.append({"name": f"edited_{source}__{entity}", "description": description})
    write_text(tree / "models/staging/feed_corrections.sql", matched_sql(mended, contracts) + "\n")
    return [*described, {"name": "feed_corrections", "description": "What each correction does to each batch."}]


def _feed_model(tree: Path, fact: str, columns: dict[str, str], contracts: Iterable[Contract]) -> dict[str, Any]:
    feeders = [
        (contract, name, position)
        for contract in contracts
        for name, entity in contract.entities.items()
        for position, feed in enumerate(entity.feeds)
        if feed.fact == fact
    ]
    write_text(tree / f"models/staging/feed_{fact}.sql", feed_sql(fact, columns, feeders) + "\n")
    sources = ", ".join(sorted({contract.source for contract, _, _ in feeders})) or "nothing yet"
    return {"name": f"feed_{fact}", "description": f"All that feeds fct_{fact}, mapped to its columns: {sources}."}


def _macros(settings: Settings) -> str:
    observatory = load_observatory(settings.data)
    known = {
        "breakdown_columns": list(breakdown_columns(settings.data)),
        "reference_country": observatory.reference_country,
        "minimum_count": observatory.policies.minimum_count,
        "indicator_models": _indicator_models(settings),
        "fact_models": [f"fct_{fact}" for fact in load_facts()],
    }
    macros = [f"{{% macro {name}() %}}{{{{ return({value!r}) }}}}{{% endmacro %}}" for name, value in known.items()]
    # Text, not a list: the linter renders models with a list of its own, and its Jinja cannot return one.
    return "\n".join([*macros, f"{{% macro languages() %}}{' '.join(observatory.languages)}{{% endmacro %}}"])


def _indicator_models(settings: Settings) -> list[str]:
    names = sorted(path.stem for path in (settings.dbt_project / "models/indicators").glob("ind_*.sql"))
    return [name for name in names if name != "ind_values"]
