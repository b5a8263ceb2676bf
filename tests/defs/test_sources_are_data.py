"""Adding or removing a source is a change to data files alone: models, feeds, reference, graph and docs follow."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from hims_pipeline import intake
from hims_pipeline.defs.assembly import build_definitions
from hims_pipeline.docs.sources import sources_page
from hims_pipeline.errors import ContractError
from hims_pipeline.release.revision import basis_of
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sources import broken_sources
from hims_pipeline.staging.render import ensure_rendered

GONE, NEW = "unhcr_population", "refugee_agency"
# Copies of the new source with something wrong in each.
BROKEN = {
    "no_yaml": ("entities:", "entities: ["),
    "text_to_number": ("stock_persons: {from: refugees}", "stock_persons: {from: coo_name}"),
    "no_such_scheme": ("crosswalk: UNHCR", "crosswalk: NOBODYS"),
}


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Our own data with one contract under another name: one source less and one more."""
    root = tmp_path_factory.mktemp("sources")
    shutil.copytree(REPOSITORY / "data", root / "data")
    old, new = (root / "data/contracts" / f"{name}.yml" for name in (GONE, NEW))
    new.write_text(old.read_text(encoding="utf-8").replace(f"source: {GONE}", f"source: {NEW}"), encoding="utf-8")
    old.unlink()
    whole = new.read_text(encoding="utf-8")
    for name, (there, instead) in BROKEN.items():
        assert there in whole
        text = whole.replace(f"source: {NEW}", f"source: {name}").replace(there, instead, 1)
        (root / f"data/contracts/{name}.yml").write_text(text, encoding="utf-8")
    for folder in ("codelists", "contracts", "controls", "indicators"):  # what editors and file managers leave
        (root / "data" / folder / "._areas.csv").write_bytes(b"\x00\x05\x16\x07")
        (root / "data" / folder / ".#areas.csv").symlink_to("nobody@nowhere.4711")
    return Settings(REPOSITORY, root / "data", REPOSITORY / "expectations", root / "home", env="test")


def test_what_editors_leave_is_no_data(changed: Settings) -> None:
    tree = ensure_rendered(changed)
    assert [path.name for path in (tree / "seeds").iterdir() if path.name[0] in "._"] == []
    assert not [name for name in basis_of(changed, tree)["files"] if "/." in name]


def test_models_feeds_and_reference_follow(changed: Settings) -> None:
    tree = ensure_rendered(changed)
    names = {path.stem for path in (tree / "models/staging").glob("*.sql")}
    assert f"stg_{NEW}__population" in names
    assert not [name for name in names if GONE in name]
    feed = Path(tree / "models/staging/feed_displaced_persons.sql").read_text(encoding="utf-8")
    assert f"stg_{NEW}__population" in feed
    assert GONE not in feed
    sources = (tree / "seeds/sources.csv").read_text(encoding="utf-8")
    assert f"\n{NEW}," in sources
    assert f"\n{GONE}," not in sources


def test_the_graph_follows(changed: Settings) -> None:
    keys = build_definitions(changed).resolve_asset_graph().get_all_asset_keys()
    for layer in ("landing", "bronze", "validated"):
        assert dg.AssetKey([layer, NEW]) in keys
        assert dg.AssetKey([layer, GONE]) not in keys


def test_a_contract_that_does_not_hold_is_red_on_its_own_source(changed: Settings) -> None:
    assert set(broken_sources(changed)) == set(BROKEN)
    graph = build_definitions(changed).resolve_asset_graph()
    for name in BROKEN:
        assert dg.AssetCheckKey(dg.AssetKey(["landing", name]), "holds") in graph.asset_check_keys
        assert dg.AssetKey(["bronze", name]) not in graph.get_all_asset_keys()
    models = {path.stem for path in (ensure_rendered(changed) / "models/staging").glob("*.sql")}
    assert not [model for model in models for name in BROKEN if name in model]
    assert intake.contract_of(changed, NEW)
    with pytest.raises(ContractError, match="no_such_scheme"):
        intake.contract_of(changed, "no_such_scheme")


def test_the_docs_follow(changed: Settings) -> None:
    page = sources_page(changed)
    assert f"`{NEW}`" in page
    assert f"`{GONE}`" not in page
