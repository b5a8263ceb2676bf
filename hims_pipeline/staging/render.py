"""Render contracts, code lists and the observatory's policies into a dbt project, once for each state of `data/`.

    $HIMS_HOME/rendered/<hash>/                       a copy of dbt_project/, and added to it:
    $HIMS_HOME/rendered/<hash>/models/staging/*.sql   staging views, the union of all that feeds a fact
    $HIMS_HOME/rendered/<hash>/macros/observatory.sql what SQL needs to know of `data/`
    $HIMS_HOME/rendered/<hash>/seeds/*.csv            code lists as they are, and tables made from the YAML files
    $HIMS_HOME/rendered/<hash>/target/                dbt's manifest of this state, and what it parsed
    $HIMS_HOME/rendered/<hash>/tree.json              the hash of each of these files, sealed

The hash covers `data/`, the dbt project, the code that renders them and dbt's version, so a folder that exists is never
stale; a damaged one is made again.
"""

import fcntl
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.corrections import Correction
from hims_pipeline.contracts.facts import load_facts
from hims_pipeline.contracts.indicators import breakdown_columns, load_indicators
from hims_pipeline.contracts.load import fingerprint, tree_fingerprint
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake.files import move_folder, remove_folder, sha256_of, write_text
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.plain_file import open_lock
from hims_pipeline.processes import describe_ending, start_bound
from hims_pipeline.provenance import RENDERING, provenance_of
from hims_pipeline.settings import Settings, quiet_environment
from hims_pipeline.sql import connection
from hims_pipeline.staging import project_files
from hims_pipeline.staging.corrections import corrected_models, matched_sql
from hims_pipeline.staging.in_force import find_in_force, former_texts
from hims_pipeline.staging.indicators import describe_indicators as described_indicators
from hims_pipeline.staging.indicators import find_taken_over, own_models, write_indicators
from hims_pipeline.staging.models import Donated, Feeder, feed_sql, find_imputable, staging_sql
from hims_pipeline.staging.names import BATCH_COLUMNS, staged_name
from hims_pipeline.staging.seeds import as_yaml, write_seeds

TREE = "tree.json"
MANIFEST, PARSED = "target/manifest.json", "target/partial_parse.msgpack"  # what dbt parsed, for us and for dbt
EDITED = ("contracts", "codelists", "controls", "corrections", "indicators", "models", "observatory.yml")


def state(settings: Settings) -> str:
    """Hash of all that rendering depends on."""
    edited = [settings.data / name for name in EDITED if (settings.data / name).exists()]
    files = tree_fingerprint(*edited, settings.dbt_project, suffixes=(".yml", ".csv", ".sql"))
    renderer = provenance_of(*RENDERING)
    former = former_texts(settings)
    return fingerprint([files, renderer.code, renderer.libraries, *([former] if former else [])])[:16]


def ensure_rendered(settings: Settings, log: Callable[[str], None] = lambda text: None) -> Path:
    """The rendered tree of the present state, with dbt's manifest; made where it is not there, or not as it was made.

    Raises:
        ContractError: `data/` does not say what it must.
        HimsError: dbt cannot parse the project.
    """
    target = settings.rendered / state(settings)
    settings.rendered.mkdir(parents=True, exist_ok=True)
    with _hold_lock(settings):
        if target.exists():
            if not (damaged := find_damaged_in(settings, target)):
                return target
            log(
                f"{target} was damaged and is made again: {damaged[0]}"
                + (f", {len(damaged) - 1} more" * (len(damaged) > 1))
            )
            remove_folder(target)
        working = settings.rendered / f".making-{target.name}"
        shutil.rmtree(working, ignore_errors=True)
        try:
            log("rendering staging models from the contracts")
            render_project(settings, working)
            log("dbt parse")
            _parse(settings, working)
            write_sealed(settings, working / TREE, "tree", {"state": target.name, "files": _hashes(working)})
            move_folder(working, target)
        finally:
            shutil.rmtree(working, ignore_errors=True)
    return target


def find_damaged_in(settings: Settings, tree: Path) -> list[str]:
    """What is wrong with a rendered tree: files that are gone, changed or foreign. Empty when all is well."""
    try:
        made = read_sealed(settings, tree / TREE, "tree")
        if made["state"] != tree.name:
            return [f"{TREE} is that of another tree"]
        hashes = _hashes(tree)
    except (Damaged, OSError) as error:
        return [str(error)]
    listed = made["files"]
    words = {name: "is not what was rendered" if name in listed else "is foreign" for name in hashes}
    return [
        f"{name} {words.get(name, 'is missing')}"
        for name in sorted(hashes.keys() | listed.keys())
        if hashes.get(name) != listed.get(name)
    ]


def _hashes(tree: Path) -> dict[str, str]:
    """Path in the tree -> SHA-256 of the file there; links and the like are none of ours and have no hash."""
    hashes = {}
    for path in tree.rglob("*"):
        name, plain = path.relative_to(tree).as_posix(), path.is_file() and not path.is_symlink()
        if name != TREE and (path.is_symlink() or not path.is_dir()):
            hashes[name] = sha256_of(path) if plain else "not a plain file"
    return hashes


@contextmanager
def _hold_lock(settings: Settings) -> Iterator[None]:
    """One process at a time makes or clears trees: none takes away what another has just made."""
    with open_lock(settings.rendered / "making.lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def clear_rendered(settings: Settings) -> None:
    """Remove rendered trees of other states and what a killed rendering left."""
    keep = state(settings)
    if not settings.rendered.exists():
        return
    with _hold_lock(settings):
        for folder in settings.rendered.glob("*"):
            if folder.is_dir() and folder.name != keep:
                shutil.rmtree(folder)


def dbt_environment(settings: Settings, tree: Path, build: Path) -> dict[str, str]:
    """What dbt and its profile read from the environment; all paths absolute."""
    return quiet_environment(settings) | {
        "HIMS_WAREHOUSE": str(build / "warehouse.duckdb"),
        "HIMS_INPUTS": str(build / "inputs.json"),
        "HIMS_SPILL": str(build / "spill"),
        "HIMS_SPARK_TABLES": str(build / "tables"),
        "DBT_TARGET_PATH": str(build / "target"),
        "DBT_LOG_PATH": str(build / "logs"),
        "DBT_LOG_LEVEL_FILE": "none",  # a data error quotes the value; stdout is filtered, a file would stay
        "DBT_PROFILES_DIR": str(tree),
    }


def dbt_executable() -> str:
    """dbt beside the running Python, so that no activated environment is needed."""
    return str(Path(sys.executable).parent / "dbt")


def parsed_dbt(tree: Path) -> list[str]:
    """dbt on a rendered tree without parsing it again: the beginning of a command."""
    return [sys.executable, "-I", str(Path(__file__).parent.parent / "parsed_dbt.py"), str(tree / PARSED)]


def _parse(settings: Settings, tree: Path) -> None:
    command = [dbt_executable(), "--quiet", "parse", "--project-dir", str(tree)]
    with start_bound(command, dbt_environment(settings, tree, tree)) as dbt:
        assert dbt.stdout is not None
        messages = dbt.stdout.read()
        code = dbt.wait()
    made = (tree / MANIFEST, tree / PARSED)
    if code or not all(path.exists() for path in made):
        raise HimsError(f"dbt cannot parse the project: it {describe_ending(code)}.\n{messages[-4000:]}")
    for path in tree.glob("target/*"):  # what else it writes rests on this moment and is of no use
        if path not in made:
            path.unlink() if path.is_file() else shutil.rmtree(path)
    for name in ("logs", "spill"):
        shutil.rmtree(tree / name, ignore_errors=True)


def render_project(settings: Settings, tree: Path) -> None:
    """Write the dbt project of the present `data/` into a new folder; dbt has not looked at it.

    Raises:
        ContractError: `data/` does not say what it must.
    """
    contracts, mended, *_ = find_in_force(settings)
    shutil.copytree(settings.dbt_project, tree, ignore=shutil.ignore_patterns("target", "logs"))
    for path in own_models(settings):
        shutil.copyfile(path, tree / "models/indicators" / path.name)
    described = [
        _staging_model(tree, contract, name, mended.get(source, ()))
        for source, contract in contracts.items()
        for name in contract.entities
    ]
    described += _sent_models(tree, contracts, mended)
    donated: dict[tuple[str, str], set[str]] = defaultdict(set)
    for source, one in ((source, one) for source, some in mended.items() for one in some if one.donors):
        donated[source, one.entity] |= {*one.changed}
    feeders = {fact: _feeders(fact, contracts.values()) for fact in load_facts()}
    described += [_feed_model(tree, fact, columns, feeders[fact], donated) for fact, columns in load_facts().items()]
    write_text(tree / "models/staging/staging.yml", as_yaml({"version": 2, "models": described}))
    imputable = {f"fct_{fact}": names for fact, some in feeders.items() if (names := find_imputable(some, donated))}
    models = _indicator_models(settings, tree)
    counted = load_observatory(settings.data).policies.delivered_counts
    others = find_taken_over(load_indicators(settings.data), contracts, counted, tree / "models/indicators")
    write_text(tree / "macros/observatory.sql", _macros(settings, models, others, imputable))
    _write_properties(settings, tree, contracts.values())
    write_seeds(settings, tree / "seeds", contracts.values(), mended)


def _staging_model(tree: Path, contract: Contract, name: str, corrections: tuple[Correction, ...]) -> dict[str, Any]:
    entity, model = contract.entities[name], f"stg_{contract.source}__{name}"
    own = tuple(correction for correction in corrections if correction.entity == name)
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


def _feeders(fact: str, contracts: Iterable[Contract]) -> list[Feeder]:
    """What feeds a fact."""
    return [
        (contract, name, position)
        for contract in contracts
        for name, entity in contract.entities.items()
        for position, feed in enumerate(entity.feeds)
        if feed.fact == fact
    ]


def _feed_model(
    tree: Path, fact: str, columns: dict[str, str], feeders: list[Feeder], donated: Donated
) -> dict[str, Any]:
    write_text(tree / f"models/staging/feed_{fact}.sql", feed_sql(columns, feeders, donated) + "\n")
    sources = ", ".join(sorted({contract.source for contract, _, _ in feeders})) or "nothing yet"
    return {"name": f"feed_{fact}", "description": f"All that feeds fct_{fact}, mapped to its columns: {sources}."}


def _indicator_models(settings: Settings, tree: Path) -> list[str]:
    """Names of the models of indicators; those that follow from a record are written, and all described."""
    records, folder = load_indicators(settings.data), tree / "models/indicators"
    with connection(settings) as con:
        names = write_indicators(con, folder, records, set(load_facts()))
    write_text(folder / "records.yml", as_yaml({"version": 2, "models": described_indicators(records, names)}))
    return names


def _write_properties(settings: Settings, tree: Path, contracts: Iterable[Contract]) -> None:
    """What dbt's own tools read of a project beside its models."""
    published = project_files.published_models(settings, tree)
    names = [model["name"] for model in published["models"]]
    write_text(tree / project_files.PUBLISHED, as_yaml(published))
    write_text(tree / "models/staging/sources.yml", as_yaml(project_files.sources(contracts)))
    owner = load_observatory(settings.data)
    write_text(
        tree / "models/published/exposures.yml", as_yaml(project_files.exposures(owner.name.en, owner.contact, names))
    )


def _macros(settings: Settings, models: list[str], taken_over: list[str], imputable: dict[str, list[str]]) -> str:
    observatory = load_observatory(settings.data)
    known = {
        "breakdown_columns": list(breakdown_columns(settings.data)),
        "reference_country": observatory.reference_country,
        "minimum_count": observatory.policies.minimum_count,
        "indicator_models": models,
        "taken_over_models": taken_over,
        "fact_models": [f"fct_{fact}" for fact in load_facts()],
        "imputable_columns": imputable,
    }
    macros = [f"{{% macro {name}() %}}{{{{ return({value!r}) }}}}{{% endmacro %}}" for name, value in known.items()]
    # Text, not a list: the linter renders models with a list of its own, and its Jinja cannot return one.
    return "\n".join([*macros, f"{{% macro languages() %}}{' '.join(observatory.languages)}{{% endmacro %}}"])
