"""Rendered trees: any damage is found, a damaged tree is made again, and several processes may ask at once."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hims_pipeline.errors import HimsError
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.staging import render
from tests.stand_in import place

PARSES = """target.mkdir(parents=True, exist_ok=True)
(target / 'manifest.json').write_text('{}'); (target / 'partial_parse.msgpack').write_text('')
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path / "home", env="test")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree as it is made, with a manifest of no dbt."""
    home = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patched:
        place(home, patched, PARSES)
        return render.ensure_rendered(
            Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", home, env="test")
        )


@pytest.fixture
def tree(settings: Settings, template: Path, stand_in) -> Path:
    stand_in(PARSES)
    return Path(shutil.copytree(template, settings.rendered / template.name))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGES = {
    "a model is cut": (lambda tree: cut(tree / "models/published/v_claims.sql"), "v_claims.sql is not what"),
    "a staging model is gone": (lambda tree: (tree / "models/staging/staging.yml").unlink(), "staging.yml is missing"),
    "a seed is cut": (lambda tree: cut(tree / "seeds/areas.csv"), "seeds/areas.csv is not what"),
    "garbage in the project": (lambda tree: (tree / "dbt_project.yml").write_text("{"), "dbt_project.yml is not what"),
    "the manifest is cut": (lambda tree: cut(tree / "target/manifest.json"), "target/manifest.json is not what"),
    "a model too many": (lambda tree: (tree / "models/x.sql").write_text("select 1"), "models/x.sql is foreign"),
    "what was parsed": (lambda tree: (tree / "target/partial_parse.msgpack").write_bytes(b"x"), "msgpack is not what"),
    "a link": (lambda tree: (tree / "macros/x.sql").symlink_to("/etc/passwd"), "macros/x.sql is foreign"),
    "a folder is gone": (lambda tree: shutil.rmtree(tree / "macros"), "is missing"),
    "its list is cut": (lambda tree: cut(tree / "tree.json"), "tree.json cannot be read"),
    "its list is gone": (lambda tree: (tree / "tree.json").unlink(), "tree.json cannot be read"),
    "its list was edited": (
        lambda tree: (tree / "tree.json").write_text((tree / "tree.json").read_text().replace('"seeds/', '"seed/')),
        "seal does not hold",
    ),
    "an empty folder": (lambda tree: [shutil.rmtree(tree), tree.mkdir()], "tree.json cannot be read"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_tree_is_found(settings, tree, damage: str) -> None:
    assert render.find_damaged_in(settings, tree) == []
    spoil, reason = DAMAGES[damage]
    spoil(tree)
    assert reason in render.find_damaged_in(settings, tree)[0]


def test_a_damaged_tree_is_made_again(settings, tree) -> None:
    whole = render._hashes(tree)
    (tree / "dbt_project.yml").write_text("{")
    shutil.rmtree(tree / "seeds")
    said: list[str] = []
    assert render.ensure_rendered(settings, said.append) == tree
    assert said[0].startswith(f"{tree} was damaged and is made again: dbt_project.yml is not what was rendered, ")
    assert render._hashes(tree) == whole
    assert render.find_damaged_in(settings, tree) == []
    assert sorted(path.name for path in settings.rendered.iterdir()) == [tree.name, "making.lock"]


def test_an_intact_tree_is_not_made_again(settings, tree) -> None:
    said: list[str] = []
    before = (tree / "tree.json").stat().st_ino
    assert render.ensure_rendered(settings, said.append) == tree
    assert said == []
    assert (tree / "tree.json").stat().st_ino == before


def test_several_at_once_make_one_tree(settings, tree) -> None:
    cut(tree / "seeds/areas.csv")
    said: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: render.ensure_rendered(settings, said.append), range(4))) == {tree}
    assert len([line for line in said if "made again" in line]) == 1
    assert render.find_damaged_in(settings, tree) == []


@pytest.mark.parametrize("program", ["sys.exit(2)", "", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_project_that_cannot_be_parsed_leaves_no_tree(settings, stand_in, program: str) -> None:
    stand_in(program)
    with pytest.raises(HimsError, match=r"dbt cannot parse the project: it (ended with code|was killed by SIGKILL)"):
        render.ensure_rendered(settings)
    assert [path.name for path in settings.rendered.iterdir()] == ["making.lock"]
