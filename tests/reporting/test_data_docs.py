"""Great Expectations' pages of a verdict: each rule as the library states it, in counts, and nothing from elsewhere."""

import re
import shutil

import pytest

from hims_pipeline.errors import HimsError
from hims_pipeline.gates import rules_of
from hims_pipeline.gates.rules import Rule
from hims_pipeline.intake import contract_of
from hims_pipeline.lake import batches
from hims_pipeline.release.data_docs import find_page, render_index, write_site
from hims_pipeline.reporting import DATA_DOCS, render_data_docs
from hims_pipeline.settings import REPOSITORY
from tests.reporting.conftest import SPITE, csv, rows
from tests.reporting.test_reports import Read

BAD = [*rows(women=0.1), (5000, "X", 30, "N", "FAITHUNHEARDOF")]


def page_of(settings, delivery) -> str:
    return (batches.settled_folder(settings, delivery) / DATA_DOCS).read_text(encoding="utf-8")


def test_page_states_every_rule_with_what_came_of_it(settings, deliver) -> None:
    delivery, verdict = deliver(csv(BAD))
    page = page_of(settings, delivery)
    text = " ".join(Read(page).text.split())
    for rule in rules_of(settings, contract_of(settings, "arrivals"), "2023"):
        assert rule.code in text
    held = sum(one["success"] and not one["blind"] for one in verdict.rules)
    assert f"{held} of {len(verdict.rules)}" in text
    assert "select share from (select avg(case when sex = 'F' then 1.0 else 0.0 end)" in text
    assert "values must belong to this set: M F" in text
    assert "1 unexpected values found" in text
    assert "≈0.0999% of 1001 total rows" in text
    broken = re.findall(r'<tr class="broken blocking">.*?<code>(.*?)</code>', page, re.DOTALL)
    assert set(broken) == {one["code"] for one in verdict.rules if not one["success"]}
    assert "synthetic" in text


def test_page_shows_no_value_of_the_data_and_no_word_of_the_sender(settings, deliver) -> None:
    delivery, _ = deliver(csv(BAD))
    page = page_of(settings, delivery)
    assert "FAITHUNHEARDOF" not in page
    assert ">X<" not in page
    assert "Ben_Salah" not in page


def test_page_needs_nothing_from_elsewhere(settings, deliver) -> None:
    delivery, _ = deliver(csv(BAD))
    page = page_of(settings, delivery)
    assert "default-src 'none'" in page
    for tag, attributes in Read(page).elements:
        assert tag not in ("script", "img", "iframe", "link", "object")
        assert not attributes.get("src")
        assert (attributes.get("href") or "#").startswith("#")


def test_no_word_of_a_rule_becomes_markup() -> None:
    rule = Rule(
        SPITE,
        SPITE,
        "expect_column_values_to_be_in_set",
        {"column": SPITE, "value_set": [SPITE]},
        "blocking",
        SPITE,
        SPITE,
    )
    result = {
        "code": SPITE, "severity": "blocking", "success": False, "rows": 3, "unexpected": 2, "missing": 0,
        "blind": False,
    }  # fmt: skip
    page = render_data_docs(SPITE, {SPITE: SPITE}, [rule], [result])
    assert "script" not in {tag for tag, _ in Read(page).elements}
    assert Read(page).text.count("alert(1)") > 5


def test_a_rule_that_is_gone_is_still_told() -> None:
    result = {
        "code": "GONE-1",
        "severity": "warning",
        "success": True,
        "rows": 3,
        "unexpected": 0,
        "missing": 0,
        "blind": True,
    }
    text = Read(render_data_docs("t", {}, [], [result])).text
    assert "GONE-1" in text
    assert "0 of 1" in text


def test_nothing_was_judged_where_nothing_could_be_read(settings, deliver) -> None:
    delivery, verdict = deliver("id;sex\n1;F\n")
    assert not verdict.rules
    assert not (batches.settled_folder(settings, delivery) / DATA_DOCS).exists()


@pytest.mark.parametrize("column", ["sex", "age", "place", "faith"])
def test_every_kind_of_rule_is_rendered_without_an_error_of_the_library(settings, deliver, column) -> None:
    shutil.copy(REPOSITORY / "expectations/comparisons.yml", settings.expectations)
    delivery, _ = deliver(csv(rows()))
    page = page_of(settings, delivery)
    assert f">people: {column}<" in page
    assert "An unexpected Exception" not in page
    assert "**" not in Read(page).text, "the library shows what it cannot render as `expectation(**arguments)`"


def test_folder_to_browse_has_an_index_whose_links_lead_somewhere(settings, deliver, tmp_path) -> None:
    refused, _ = deliver(csv(BAD), "2022")
    deliver(csv(rows()), "2023")
    number = write_site(settings, tmp_path / "site")
    index = (tmp_path / "site/index.html").read_text(encoding="utf-8")
    links = [attributes["href"] for tag, attributes in Read(index).elements if tag == "a"]
    assert len(links) == number == 8
    assert all((tmp_path / "site" / link).is_file() for link in links)
    assert f"batches/{refused.batch}/data_docs.html" in links
    assert "ARRIVALS-001" in index
    assert write_site(settings, tmp_path / "site") == 8, "again in its own folder"


@pytest.mark.parametrize("beside", ["thesis.txt", "release/thesis.txt"])
def test_folder_of_somebody_else_is_left_alone(settings, deliver, tmp_path, beside) -> None:
    deliver(csv(rows()))
    (tmp_path / "mine/release").mkdir(parents=True)
    (tmp_path / "mine" / beside).write_text("mine")
    with pytest.raises(HimsError, match="holds other things"):
        write_site(settings, tmp_path / "mine")
    assert (tmp_path / "mine" / beside).exists()
    assert (tmp_path / "mine/release").is_dir()


@pytest.mark.parametrize(
    "place",
    ["../key.json", "batches/arrivals/2023/nothing/data_docs.html", "batches/../../key.json",
     "release/../manifest.json", "batches/{batch}/verdict.json", "batches/{batch}/../data_docs.html", "nothing"],
)  # fmt: skip
def test_nothing_but_pages_is_found(settings, deliver, place) -> None:
    delivery, _ = deliver(csv(rows()))
    assert find_page(settings, place.format(batch=delivery.batch)) is None
    assert find_page(settings, f"batches/{delivery.batch}/data_docs.html") is not None
    assert "arrivals" in render_index(settings)
