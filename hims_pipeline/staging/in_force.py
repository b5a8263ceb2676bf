"""By which contracts and corrections a build is made: those that hold, and where what people edit now does not hold,
those that last did. So a slip in a file costs a source its new deliveries, which wait, and none of its figures.

    $HIMS_HOME/kept/contracts.json   source -> the text of its contract and of its corrections, sealed; written each
                                     time before deliveries are judged

Not here: which sources take in nothing meanwhile (`sources.broken_sources`).
"""

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from hims_pipeline.contracts.corrections import Correction, corrections_of
from hims_pipeline.contracts.load import edited_state, load_contracts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.yaml_records import EDITED
from hims_pipeline.errors import ContractError, Damaged
from hims_pipeline.lake.files import private_folder
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection
from hims_pipeline.staging.corrections import check_corrections

RECORD, KIND = "contracts.json", "contracts in force"
PARTS = ("contracts", "corrections")  # folders of data/
Texts = dict[str, dict[str, str]]  # source -> folder -> what stands there


class InForce(NamedTuple):
    """What a build is made by.

    Args:
        contracts, corrections: by source.
        broken: source -> what is wrong with its corrections.
        former: sources whose contract and corrections are those that last held.
    """

    contracts: dict[str, Contract]
    corrections: dict[str, tuple[Correction, ...]]
    broken: dict[str, str]
    former: frozenset[str] = frozenset()


def find_in_force(settings: Settings) -> InForce:
    """Contracts and corrections that count, by source; worked out once while the files stay as they are."""
    record = settings.kept / RECORD
    known = (record.stat().st_mtime_ns, record.stat().st_size) if record.exists() else None
    return _find(settings, edited_state(settings.data), known)


@lru_cache(maxsize=8)
def _find(settings: Settings, _edited: tuple[tuple[str, int, int], ...], _record: tuple[int, int] | None) -> InForce:
    now = _find_holding(settings, settings.data)
    edited = {path.stem for path in (settings.data / PARTS[0]).glob(EDITED)}  # a contract that is gone was withdrawn
    if not (lost := edited - now.contracts.keys()):
        return now
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        (data / PARTS[0]).mkdir()
        for source, parts in _read_texts(settings).items():
            for part, text in parts.items() if source in lost else ():
                (data / part).mkdir(exist_ok=True)
                (data / part / f"{source}.yml").write_text(text, encoding="utf-8")
        (data / "codelists").symlink_to((settings.data / "codelists").resolve())
        former = _find_holding(settings, data)
    contracts = dict(sorted((now.contracts | former.contracts).items()))
    return InForce(contracts, now.corrections | former.corrections, now.broken, frozenset(former.contracts))


def _find_holding(settings: Settings, data: Path) -> InForce:
    """Those of a folder whose contract holds, and whose corrections are SQL over their own columns."""
    contracts, mended, broken = load_contracts(data), {}, {}
    with_corrections = {
        source: some for source, one in contracts.items() if (some := corrections_of(data, source, one))
    }
    if not with_corrections:
        return InForce(contracts, {}, {})
    # Asked also of an installation in which nothing may be made: `clear_dead_builds` has just cleared its scratch.
    with tempfile.TemporaryDirectory() as spill, connection(settings, spill=Path(spill)) as con:
        for source, corrections in with_corrections.items():
            try:
                check_corrections(con, contracts[source], corrections)
                mended[source] = corrections
            except ContractError as error:
                broken[source] = str(error)
                del contracts[source]
    return InForce(contracts, mended, broken)


def former_texts(settings: Settings) -> Texts:
    """What stands for files that do not hold: of this too a build is made."""
    former = find_in_force(settings).former
    return {source: text for source, text in _read_texts(settings).items() if source in former} if former else {}


def keep_contracts(settings: Settings) -> None:
    """Write down by which contracts and corrections deliveries are judged now, for the day when one does not hold."""
    in_force, former = find_in_force(settings), _read_texts(settings)
    texts = {
        source: former[source]
        if source in in_force.former
        else {
            part: path.read_text(encoding="utf-8")
            for part in PARTS
            if (path := settings.data / part / f"{source}.yml").exists()
        }
        for source in in_force.contracts
    }
    if texts != former:
        write_sealed(settings, private_folder(settings.kept) / RECORD, KIND, texts)


def record_damage(settings: Settings) -> Damaged | None:
    """What is wrong with the record, where there is one."""
    try:
        if (settings.kept / RECORD).exists():
            read_sealed(settings, settings.kept / RECORD, KIND)
    except Damaged as error:
        return error
    return None


def _read_texts(settings: Settings) -> Texts:
    """What was written down; nothing where it is not there or damaged, which a scrub tells."""
    path = settings.kept / RECORD
    try:
        return dict(read_sealed(settings, path, KIND)) if path.exists() else {}
    except Damaged:
        return {}
