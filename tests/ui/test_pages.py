"""Our own pages beside Dagster's: reports and Data Docs, for whoever may look, and nothing else of the installation."""

import pytest


@pytest.fixture
def looking(here) -> dict[str, str]:
    return {"cookie": here.cookie("viewer")}


def test_index_is_for_every_visitor_and_nobody_else(here, looking) -> None:
    answer = here.ask("GET", "/gate/", **looking)
    assert answer.status == 200
    assert "<h1>Data Docs</h1>" in answer.text
    assert answer.getheader("content-type").startswith("text/html")
    assert here.ask("GET", "/gate/").status == 401


@pytest.mark.parametrize(
    "path",
    ["/gate/key.json", "/gate/batches/a/2024/b/data_docs.html", "/gate/..%2F..%2Fkey.json", "/gate/release/x.html"],
)
def test_what_is_no_page_is_not_there(here, looking, path) -> None:
    assert here.ask("GET", path, **looking).status == 404


def test_nothing_is_sent_there(here) -> None:
    own = {"cookie": here.cookie("operator"), "origin": here.origin}
    assert here.ask("POST", "/gate/", "{}", **own).status == 405


def test_what_is_damaged_is_told(here, looking) -> None:
    pointer = here.settings.releases / "CURRENT"
    pointer.parent.mkdir(exist_ok=True)
    pointer.write_text("r000009")
    try:
        answer = here.ask("GET", "/gate/", **looking)
        assert answer.status == 503
        assert "CURRENT" in answer.text
    finally:
        pointer.unlink()
