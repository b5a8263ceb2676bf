"""The generated pages are what they would be if they were made now, and nothing in them is without a description."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import TypeAdapter

from hims_pipeline.contracts.corrections import Correction
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.yaml_records import read_yaml
from hims_pipeline.docs.contracts import (
    contracts_page,
    documented_records,
    examples_of,
    find_undescribed,
    find_without_example,
)
from hims_pipeline.docs.dictionary import WORDS, DictionaryPage, read_tables
from hims_pipeline.docs.sources import sources_page
from hims_pipeline.settings import REPOSITORY, Settings

DOCS = REPOSITORY / "docs"
TABLES = DOCS / "dictionary/tables.csv"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("docs")
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", home, env="test")


@pytest.mark.parametrize("language", WORDS)
def test_the_dictionary_is_up_to_date_and_whole(settings: Settings, language: str) -> None:
    dictionary, tables = DictionaryPage(settings, language), read_tables(TABLES)
    assert dictionary.find_missing(tables) == [], "say it in dbt_project/dictionary.yml or in the model's own file"
    page = (DOCS / f"dictionary/{language}.md").read_text(encoding="utf-8")
    assert page == dictionary.page(tables), "make docs writes it anew"


def test_every_described_model_is_in_the_list_of_tables() -> None:
    listed = {(layer, table) for layer, table, _ in read_tables(TABLES)}
    models = (REPOSITORY / "dbt_project/models").rglob("*.sql")
    built = {(path.parent.name, path.stem) for path in models if path.parent.name != "staging"}
    apart = {("conformed", "fct_person_links")}  # joins registers: no release holds it, so no reader meets it
    assert built - listed == apart, "make run, then hims docs --counted"
    seeds = {("reference", path.stem) for path in (REPOSITORY / "data/codelists").glob("*.csv")}
    assert seeds - listed == set(), "make run, then hims docs --counted"


def test_a_column_that_nothing_describes_is_named(settings: Settings) -> None:
    tables = [("conformed", "fct_persons", [("sex", "VARCHAR"), ("shoe_size", "INTEGER")])]
    for language in WORDS:
        assert DictionaryPage(settings, language).find_missing(tables) == ["fct_persons.shoe_size"]


def test_every_key_of_a_contract_has_a_meaning_and_the_page_is_up_to_date(settings: Settings) -> None:
    assert find_undescribed() == [], "say it under Args in the record's docstring"
    assert (DOCS / "contracts.md").read_text(encoding="utf-8") == contracts_page(settings.data), (
        "make docs writes it anew"
    )


def test_every_key_of_a_contract_has_an_example_that_loads(settings: Settings, tmp_path: Path) -> None:
    assert find_without_example(settings.data) == [], "say one in EXAMPLES"
    records = {record.__name__: record for record in documented_records(Contract, Correction)}
    for (name, field), example in examples_of(settings.data).items():  # those that the page shows
        if name not in records:
            continue  # a name by language, which is shown whole where it stands
        info = records[name].model_fields[field]
        (tmp_path / "key.yml").write_text(example.strip("`").replace("\\|", "|"), encoding="utf-8")
        ((key, value),) = read_yaml(tmp_path / "key.yml").items()
        assert key == (info.alias or field)
        annotated = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        TypeAdapter(annotated).validate_python(value)


def test_the_table_of_sources_is_up_to_date(settings: Settings) -> None:
    assert (DOCS / "sources.md").read_text(encoding="utf-8") == sources_page(settings), "make docs writes it anew"
