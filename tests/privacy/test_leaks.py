"""No word of a sender leaves the identified zone: persons in every place where a sender can write, in every format and
in every fault, and none of them in any byte outside or in anything that was said."""

import ast
import json

import pytest

from hims_pipeline import intake
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.errors import DataError
from hims_pipeline.gates.report import reasons_markdown, render_letter
from hims_pipeline.lake import batches, reports
from hims_pipeline.readers.findings import block
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.words import inner_text, markdown, our_text, printable, senders_text, words
from tests.privacy.leak_scan import HASHES, Scanner, deliver, make_data, needles, scan
from tests.privacy.persons import people
from tests.privacy.seeded_formats import FORMATS

PERSONS = people(6, seed=11)
JUDGED = ("zip", "gz", "unknown code")  # the gate takes seconds and knows no format: one of them is enough
AS_OTHERS = ("eurostat", "sdmx", "titled_text", "titled_excel", "records")  # written anew, then read as other formats
OF_THEIR_OWN = ("sound", "heading replaced", "wrong type", "keys of a person", "a flag", "another dataset", "an action")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("leaks") / "data")


@pytest.mark.parametrize("form", FORMATS)
def test_no_person_leaves_the_zone(data, tmp_path, form) -> None:
    settings = Settings(REPOSITORY, data, REPOSITORY / "expectations", tmp_path, env="test")
    said: list[str] = []
    states = {}
    for what, delivery in deliver(settings, PERSONS, [form]).values():
        if (form != "delimited" and what in JUDGED) or (form in AS_OTHERS and what not in OF_THEIR_OWN):
            continue  # `make leak-scan` leaves nothing out
        verdict = intake.take_in(settings, delivery, said.append)
        states[what] = verdict.status
        said += [json.dumps(verdict.as_json(), ensure_ascii=False), repr(verdict), reasons_markdown(verdict)]
        contract = load_contracts(data)[delivery.source]
        findings = reports.read_findings(settings, delivery)
        assert findings is not None
        assert [one.rule for one in findings] == [one.rule for one in verdict.findings]
        assert delivery.batch in render_letter(verdict, contract, findings)
    said.append(json.dumps([one.as_json() for one in intake.states(settings)], ensure_ascii=False))
    assert scan(tmp_path, PERSONS, {"what was said": "\n".join(said)}) == []
    assert {what for what, state in states.items() if state == "accepted"} == {"sound"} | (
        {"zip", "gz"} if form == "delimited" else set()
    )
    assert not list(settings.bronze.rglob("*.parquet"))


def test_the_letter_to_the_sender_gives_their_own_words_back(data, tmp_path) -> None:
    settings = Settings(REPOSITORY, data, REPOSITORY / "expectations", tmp_path, env="test")
    [delivery] = [one for what, one in deliver(settings, PERSONS, ["excel"]).values() if what == "heading added"]
    verdict = intake.take_in(settings, delivery, lambda text: None)
    contract, findings = load_contracts(data)[delivery.source], reports.read_findings(settings, delivery)
    assert findings is not None
    told = render_letter(verdict, contract, findings).replace(
        "\\", ""
    )  # what Markdown would take for its own is escaped
    assert delivery.files[0].name in told
    assert any(one.whole in told for one in PERSONS)
    assert "file 1" in verdict.findings[0].sentence()
    assert "column 7" in verdict.findings[0].sentence()
    place = settings.identified / "reports" / delivery.batch / "findings.json"
    assert place.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("form", ["plain", "JSON", "utf-16-le", "hex", "base64", *HASHES])
def test_the_scan_finds_what_is_there(tmp_path, form) -> None:
    (tmp_path / "identified").mkdir()
    (tmp_path / "identified/kept.txt").write_text(PERSONS[0].whole)
    assert scan(tmp_path, PERSONS) == []
    wanted = next(one for one in needles(PERSONS) if one.form == form and one.person == 3)
    (tmp_path / "log.txt").write_bytes(b"some text " + wanted.content + b" and more")
    assert len(scan(tmp_path, PERSONS)) == 1
    assert Scanner(needles(PERSONS)).hits(b"nothing" * 1000) == set()


def test_a_message_shows_a_sender_s_words_inside_alone() -> None:
    message = words(
        "{file} has {count:,} in {column}", file=senders_text("Ali.csv", "file 1"), count=1200, column=our_text("sex")
    )
    assert str(message) == f"{message}" == json.loads(json.dumps(message)) == "file 1 has 1,200 in sex"
    assert inner_text(message) == "Ali.csv has 1,200 in sex"
    with pytest.raises(TypeError, match="our_text"):
        words("{name}", name="Ali")  # type: ignore[arg-type]


def test_plain_text_in_a_finding_stays_inside_as_a_whole() -> None:
    """What somebody put together without saying whose words they are is taken for the sender's."""
    name = "Ali Trabelsi"
    finding = block("ENVELOPE-X", f"has a column {name}", f"{name}.csv")
    error = DataError("ENVELOPE-X", f"has a column {name}", f"{name}.csv")
    for outside in (finding.sentence(), repr(finding), str(error), repr(error)):
        assert name not in outside
    assert name in finding.full_text()


def test_messages_of_readers_are_templates_of_ours() -> None:
    """The first argument of `words` is a constant: a sender's word can come into it as a part alone."""
    for path in (REPOSITORY / "hims_pipeline").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "words":
                assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}"


def test_what_our_own_people_type_does_nothing_where_it_is_shown() -> None:
    typed = "<script>x</script> [a](http://b) ![i](u) | **b** \x1b[31mred\x07\nnext \u202eback"
    shown = markdown(typed)
    assert not set("<>\x1b\x07\n\u202e") & set(shown)
    assert "](" not in shown.replace("\\]\\(", "")
    assert "\\|" in shown
    assert printable("a\x1b[2Jb\r\n") == "a [2Jb "


def test_batches_name_files_by_their_place(data, tmp_path) -> None:
    settings = Settings(REPOSITORY, data, REPOSITORY / "expectations", tmp_path, env="test")
    [delivery] = [one for what, one in deliver(settings, PERSONS, ["delimited"]).values() if what == "zip"]
    intake.take_in(settings, delivery, lambda text: None)
    manifest = batches.read_batch_manifest(settings, batches.folder_of(settings.validated, delivery))
    assert manifest is not None
    assert manifest.entities["people"].sent_as == "file 1, member 1"
    assert [part.file for part in manifest.entities["people"].parts] == ["people.parquet"]
