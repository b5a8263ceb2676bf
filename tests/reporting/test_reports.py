"""The report on a delivery: one page that can be forwarded as it is, in three languages, whatever was sent."""

import json
import re
import shutil
from html.parser import HTMLParser

import pytest

from hims_pipeline import intake
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.gates import rules_of
from hims_pipeline.gates.measures import MEASURES
from hims_pipeline.gates.suites import load_suite
from hims_pipeline.lake import batches
from hims_pipeline.lake.periods import is_period
from hims_pipeline.reporting import LANGUAGES, page_of, report_of
from hims_pipeline.reporting.sentences import reading_sentences, sentence_labels
from hims_pipeline.settings import REPOSITORY, Settings
from tests.reporting.conftest import csv, rows


class Read(HTMLParser):
    """A page as a browser takes it: its elements with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def compared(settings, deliver):
    """A register whose comparing rules are those of the sample."""
    shutil.copy(REPOSITORY / "expectations/comparisons.yml", settings.expectations)
    return deliver


def pages(settings, delivery) -> dict[str, str]:
    folder = batches.settled_folder(settings, delivery)
    return {one: (folder / f"report.{one}.html").read_text(encoding="utf-8") for one in LANGUAGES}


def test_page_says_what_failed_and_what_to_do_in_each_language(settings, deliver) -> None:
    delivery, _ = deliver(csv([*rows(women=0.1), (5000, "X", 30, "N", "OTHERFAITH")]))
    found = pages(settings, delivery)
    for language, said in (
        ("fr", "De 30 à 70 % de femmes."),
        ("ar", "نسبة النساء."),
        ("en", "Women are 30 to 70 %."),
    ):
        page, text = found[language], Read(found[language]).text
        assert said in text
        assert sentence_labels(language)["send_again"] in text
        assert "ARRIVALS-PEOPLE-SEX-CODES" in text
        assert "1002" in text, "the line of the row with another code"
        assert sentence_labels(language)["transport_not_checked"] in text
        assert "Ben_Salah" not in page, "no name of a file"
        assert f'lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in page


def test_nothing_that_people_wrote_becomes_markup(settings, deliver) -> None:
    delivery, _ = deliver(csv([*rows(women=0.1), (5000, "X", 30, "N", "OTHERFAITH")]))
    for page in pages(settings, delivery).values():
        for tag, attributes in Read(page).elements:
            assert tag not in ("script", "img", "a", "b", "iframe", "link", "object")
            assert not any(name.startswith("on") or name in ("src", "href") for name in attributes)
        assert "default-src 'none'" in page
        assert "&lt;" in page


def test_distribution_is_drawn_and_nothing_of_a_sensitive_column(settings, compared) -> None:
    compared(csv(rows()), "2022")
    old = [(n, s, a, p, "OTHERFAITH") for n, s, a, p, _ in rows(1000, 0.5, 2000)]
    delivery, verdict = compared(csv([(n, s, a // 3, "N", f) for n, s, a, p, f in old]))
    assert {one.rule for one in verdict.findings} >= {
        "ARRIVALS-PEOPLE-PROFILE-SHARES",
        "ARRIVALS-PEOPLE-PROFILE-SHIFT",
    }
    for language, page in pages(settings, delivery).items():
        bars = {attributes.get("class") for tag, attributes in Read(page).elements if tag == "rect"}
        assert bars == {"new", "old"}
        assert "arrivals/2022/" in page, "what it was compared with"
        assert "FAITH<" not in page
        assert sentence_labels(language)["compared"] in Read(page).text
    (record,) = [json.loads(p.read_text()) for p in batches.settled_folder(settings, delivery).glob("report.json")]
    drawn = {plot["about"] for one in record["findings"] for plot in one["plots"]}
    assert "faith" not in drawn
    assert drawn


def test_file_that_could_not_be_read_has_a_page(settings, deliver) -> None:
    for content, period in ((b"\x00\x01\x02", "2020"), (b"", "2021"), ("id,sex\n1,M\n".encode("utf-16"), "2022")):
        delivery, verdict = deliver(content, period)
        assert verdict.stage == "envelope"
        for language, page in pages(settings, delivery).items():
            assert sentence_labels(language)["refused_envelope"] in Read(page).text
            assert verdict.findings[0].rule in page


def test_wide_file_has_a_page_of_some_size(settings, deliver) -> None:
    header = ",".join(["id", "sex", "age", "place", "faith", *(f"Salah{n}" for n in range(5000))])
    delivery, _ = deliver(f"{header}\n" + ",".join(["1"] * 5005) + "\n")
    page = pages(settings, delivery)["fr"]
    assert len(page) < 100_000
    assert "Salah" not in page


def test_page_can_be_had_again_and_is_the_same(settings, deliver) -> None:
    delivery, verdict = deliver(csv(rows(women=0.1)))
    contract, folder = load_contracts(settings.data)["arrivals"], batches.settled_folder(settings, delivery)
    manifest = batches.read_batch_manifest(settings, folder)
    report = report_of(settings, contract, delivery, folder, verdict, manifest)
    assert {one: page_of(report, one) for one in LANGUAGES} == pages(settings, delivery)
    intake.withdraw(settings, delivery.batch, "<b>wrong</b>")
    again = report_of(
        settings, contract, batches_delivery(settings), batches.settled_folder(settings, delivery), verdict, manifest
    )
    assert "&lt;b&gt;wrong" in page_of(again, "en")


def batches_delivery(settings):
    from hims_pipeline.lake import landing

    return landing.deliveries(settings)[0]


SAMPLE = Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", REPOSITORY / "nowhere", env="test")


PERIODS = ("2024", "2024Q1", "2024-01", "2024-W01", "2023-24", "2024-01-31")


def test_every_rule_speaks_three_languages() -> None:
    judged = 0
    for contract in load_contracts(REPOSITORY / "data").values():
        spelt = [one for one in PERIODS if is_period(contract, one)]
        for period in {*spelt[:1], *(one for layout in contract.layouts for one in layout.known_periods)}:
            for rule in rules_of(SAMPLE, contract, period):
                judged += 1
                assert rule.messages.get("fr", "").strip(), f"{rule.code} says nothing in French"
                assert re.search("[\u0600-\u06ff]", rule.messages.get("ar", "")), f"{rule.code}: nothing in Arabic"
    assert judged > 1000


def test_every_finding_of_the_readers_speaks_three_languages() -> None:
    source = "".join(p.read_text(encoding="utf-8") for p in (REPOSITORY / "hims_pipeline/readers").rglob("*.py"))
    codes = set(re.findall(r'"((?:ENVELOPE|TOTALS|TYPES)-[A-Z0-9-]+)"', source))
    assert len(codes) > 45
    types = {f"TYPES-{one.upper()}" for one in ("integer", "decimal", "number", "text", "date", "boolean")}
    known = reading_sentences()
    assert codes | types <= known.keys() | set(), f"no sentence for {sorted((codes | types) - known.keys())}"
    for code, said in known.items():
        assert said["fr"].strip(), code
        assert re.search("[\u0600-\u06ff]", said["ar"]), code
    assert all(set(sentence_labels(one)) == set(sentence_labels("en")) for one in LANGUAGES)
    assert all(one.fr and one.ar for one in MEASURES.values())
    release = load_suite(REPOSITORY / "expectations/release.json")
    assert all({"fr", "ar"} <= one.meta.message.others.keys() for one in release.expectations)
