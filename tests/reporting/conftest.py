"""A small register with a suite, sent as its institution would send it: a good delivery, and one with a fault."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hims_pipeline import intake
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.lake import landing
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.settings import REPOSITORY, Settings

SPITE = "<script>alert(1)</script>\"'&{{7*7}}"
CONTRACT = """
source: arrivals
title: {en: 'Arrivals <script>alert(1)</script>', fr: 'Arrivées <img src=x onerror=alert(1)>', ar: 'الوافدون'}
description: For tests.
data_kind: synthetic
personal: true
owner: {institution: 'Office <b>of</b> borders', contact: a@b.example}
licence: {name: none, attribution: none, redistributable: true}
purpose: tests
legal: {basis: none, retention_years: 9}
cadence: annual
period: {pattern: year}
clock: none
universe: resident_population
duration_rule: NONE
measure_type: stock
entities:
  people:
    title: {en: 'People <script>', fr: Personnes, ar: أشخاص}
    grain: a person
    files: ["*.csv"]
    key: [id]
    set_aside: {AGE-RANGE: 0.01}
    columns:
      - {name: id, type: integer}
      - {name: sex, type: text, codes: {M: men, F: women}, required: true, sensitivity: quasi, label: '<i>sex</i>'}
      - {name: age, type: integer, minimum: 0, maximum: 110, sensitivity: quasi}
      - {name: place, type: text, codes: {N: north, S: south}}
      - {name: faith, type: text, sensitivity: sensitive, codes: {SECRETFAITH: one, OTHERFAITH: two}}
    feeds: []
"""
SUITE = {
    "name": "arrivals__people",
    "expectations": [
        {
            "type": "unexpected_rows_expectation",
            "kwargs": {
                "unexpected_rows_query": "select share from (select avg(case when sex = 'F' then 1.0 else 0.0 end) as"
                " share from {batch}) as s where share not between 0.3 and 0.7"
            },
            "severity": "critical",
            "meta": {
                "code": "ARRIVALS-001",
                "message": {"en": "Women are 30 to 70 %.", "fr": "De 30 à 70 % de femmes.", "ar": "نسبة النساء."},
                "may_be_accepted": True,
            },
        },
        {
            "type": "unexpected_rows_expectation",
            "kwargs": {"unexpected_rows_query": "select _line from {batch} where place = 'S' and age > 100"},
            "severity": "critical",
            "meta": {
                "code": "ARRIVALS-002",
                "message": {"en": "No centenarians in the south.", "fr": "Pas de centenaires.", "ar": "لا معمرين."},
                "set_aside": 0.01,
            },
        },
    ],
}
Row = tuple[int, str, int, str, str]


def rows(number: int = 1000, women: float = 0.5, start: int = 0) -> list[Row]:
    """Persons of evenly spread ages, `women` of them women."""
    made: list[Row] = []
    for n in range(number):
        sex = "F" if (n * 7919 % 1000) < women * 1000 else "M"
        age, place = (n * 37 + n // 9) % 80, "NS"[n * 31 % 7 > 3]
        made.append((start + n, sex, age, place, "SECRETFAITH" if n % 3 else "OTHERFAITH"))
    return made


def csv(lines: list[Row]) -> str:
    return "id,sex,age,place,faith\n" + "".join(",".join(map(str, row)) + "\n" for row in lines)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    (data / "contracts").mkdir(parents=True)
    (data / "contracts/arrivals.yml").write_text(CONTRACT, encoding="utf-8")
    for folder in ("codelists", "indicators"):
        shutil.copytree(REPOSITORY / "data" / folder, data / folder)
    shutil.copy(REPOSITORY / "data/observatory.yml", data)
    (tmp_path / "expectations").mkdir()
    (tmp_path / "expectations/arrivals__people.json").write_text(json.dumps(SUITE), encoding="utf-8")
    return Settings(REPOSITORY, data, tmp_path / "expectations", tmp_path / "home", env="test")


@pytest.fixture
def deliver(settings: Settings) -> Callable[..., tuple[Delivery, Verdict]]:
    """deliver(text, period, totals=…) sends a file and has it judged."""

    def send(text: str | bytes, period: str = "2023", **sidecars: str) -> tuple[Delivery, Verdict]:
        folder = settings.home / "sent"
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / "Ben_Salah_people.csv"]
        files[0].write_bytes(text if isinstance(text, bytes) else text.encode())
        for ending, content in sidecars.items():
            files.append(folder / f"{files[0].name}.totals.{ending}")
            files[-1].write_text(content, encoding="utf-8")
        with installation_lock(settings, "test"):
            contract = load_contracts(settings.data)["arrivals"]
            delivery, _ = landing.take_over(settings, contract, period, files)
            return delivery, intake.take_in(settings, delivery, lambda text: None)

    return send
