"""Is what people edit whole? All that a night needs of `data/` and `expectations/`, looked at before it begins and told
together. Not here: single sources that do not hold (`sources`), since a night goes on without them.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path

from hims_pipeline.contracts.code_references import LISTS
from hims_pipeline.contracts.controls import load_controls
from hims_pipeline.contracts.crosswalks import CROSSWALKS
from hims_pipeline.contracts.deliveries import load_deliveries
from hims_pipeline.contracts.indicators import load_indicators
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import ContractError, HimsError
from hims_pipeline.gates.comparisons import load_comparison_limits
from hims_pipeline.gates.revisions import load_revision_limits
from hims_pipeline.gates.warehouse import warehouse_rules
from hims_pipeline.privacy.identifier_search import load_identifier_shapes
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.staging.indicators import own_models

_REF = re.compile(r"ref\(\s*['\"](\w+)['\"]\s*\)")
_LABEL = re.compile(r"_[a-z]{2,3}$")
_DAYS = {"valid_from", "valid_to", "from_date"}
_FREE = {"note"}  # a column that nothing reads


def require_parts(settings: Settings) -> None:
    """
    Raises:
        HimsError: all that is missing or does not hold.
    """
    if lost := missing_parts(settings):
        listed = "\n  ".join(lost)
        raise HimsError(f"What a night needs is not whole ({settings.data}, {settings.expectations}):\n  {listed}")


def missing_parts(settings: Settings) -> list[str]:
    """What is missing, in sentences; empty where a night can begin."""
    missing = [*_records(settings), *_tables(settings), *_lists(settings), *_country(settings)]
    if not (settings.expectations / "release.json").is_file():
        missing.append("expectations/release.json is missing: the rules for what may leave")
    if not list((settings.data / "contracts").glob("*.yml")):
        missing.append("data/contracts has no contract: `hims source draft FILE` writes a first one")
    return list(dict.fromkeys(missing))


def _records(settings: Settings) -> Iterator[str]:
    """Records that cannot be read; the observatory's first, since the others name its languages."""
    if not (settings.data / "observatory.yml").is_file():
        yield "data/observatory.yml is missing: whose observatory this is; `hims init` writes one"
        return
    readers: tuple[Callable[[], object], ...] = (
        lambda: load_observatory(settings.data),
        lambda: load_indicators(settings.data),
        lambda: load_controls(settings.data),
        lambda: load_revision_limits(settings.expectations),
        lambda: load_comparison_limits(settings.expectations),
        lambda: load_deliveries(settings.data),
        lambda: load_identifier_shapes(settings.data),
        lambda: warehouse_rules(settings.expectations),
        lambda: own_models(settings),
    )
    for read in readers:
        try:
            read()
        except ContractError as error:
            yield str(error)
        except (UnicodeDecodeError, csv.Error):
            continue  # a table that is told below
    if not list((settings.data / "indicators").glob("[A-Z]*.yml")):
        yield "data/indicators has no indicator: which figures there are and what of them may leave"


def _tables(settings: Settings) -> Iterator[str]:
    """Tables that people edit, often in Excel, and that cannot be read as they stand."""
    for folder in ("", "codelists", "controls"):
        for path in sorted((settings.data / folder).glob("[!.]*.csv")):
            for problem in _problems_of_table(path, is_list=folder == "codelists"):
                yield f"{path.relative_to(settings.data.parent)}{problem}"


def _problems_of_table(path: Path, is_list: bool) -> Iterator[str]:
    """What is wrong with a table: its bytes; of a list, rows with more or fewer fields than the header, a code twice,
    no day where one stands."""
    sent = path.read_bytes()
    try:
        reader = csv.reader(io.StringIO(sent.decode(), newline=""), strict=True)
        header = next(reader, [])
        rows = [(reader.line_num, row) for row in reader if row]
    except UnicodeDecodeError as error:
        line = sent.count(b"\n", 0, error.start) + 1
        yield f", line {line}: is not in UTF-8; save it as such"
        return
    except csv.Error as error:
        yield f", line {reader.line_num}: is no CSV ({error})"
        return
    if header and header[0].startswith("\ufeff"):
        yield " begins with a byte order mark, as Excel's CSV UTF-8 does: save it without one"
        return
    if not is_list or path.name in CROSSWALKS:  # of these each scheme is the matter of the sources that name it
        return
    ragged = [line for line, row in rows if len(row) != len(header)]
    if ragged:
        yield (
            f", line {ragged[0]}: not as many fields as the header's {len(header)} (in {len(ragged)} lines); "
            "put what holds a comma in quotes"
        )
        return
    key = dict(LISTS.values()).get(path.name)
    codes = [row[header.index(key)] for _, row in rows] if key in header else []
    if doubled := [code for code, count in Counter(codes).items() if count > 1]:
        yield f": {key} {', '.join(doubled[:5])} stands twice"
    for place in (place for place, name in enumerate(header) if name in _DAYS):
        if wrong := [line for line, row in rows if row[place] and not _is_day(row[place])]:
            yield f", line {wrong[0]}: {header[place]} is no day written 2024-01-31 (in {len(wrong)} lines)"


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _lists(settings: Settings) -> Iterator[str]:
    """Code lists that models read, and their columns."""
    for name, wanted in _read_by_models(settings.dbt_project).items():
        path = settings.data / "codelists" / f"{name}.csv"
        if not path.is_file():
            yield f"data/codelists/{name}.csv is missing, with the columns {', '.join(wanted)}"
            continue
        with path.open(encoding="utf-8", newline="", errors="replace") as file:
            header = next(csv.reader(file), [])
        if lost := [column for column in wanted if column not in header]:
            yield f"data/codelists/{name}.csv lacks the column{'s' * (len(lost) > 1)} {', '.join(lost)}"


@lru_cache(maxsize=4)
def _read_by_models(project: Path) -> dict[str, tuple[str, ...]]:
    """Code list -> its columns, of those that models, macros and tests name. English is every label's own column."""
    texts = [path.read_text(encoding="utf-8") for path in project.rglob("*.sql") if "target" not in path.parts]
    named = {name for text in texts for name in _REF.findall(text)}
    models = {}
    for path in sorted((REPOSITORY / "data/codelists").glob("*.csv")):
        if path.stem in named:
            with path.open(encoding="utf-8", newline="") as file:
                header = next(csv.reader(file))
            labels = {name.removesuffix("_en") for name in header if name.endswith("_en")}
            others = {name for name in header if _LABEL.sub("", name) in labels and not name.endswith("_en")}
            models[path.stem] = tuple(name for name in header if name not in others | _FREE)
    return models


def _country(settings: Settings) -> Iterator[str]:
    """The country itself is one of the list."""
    path = settings.data / "codelists/countries.csv"
    try:
        code = load_observatory(settings.data).reference_country
        with path.open(encoding="utf-8", newline="") as file:
            known = {row.get("country_code") for row in csv.DictReader(file)}
    except (ContractError, OSError, UnicodeDecodeError, csv.Error):
        return  # told already
    if code not in known:
        yield f"observatory.yml: reference_country {code} stands in no row of data/codelists/countries.csv"
