"""Value labels of a statistical file, as the contract words them: the file and its code book cannot drift apart."""

import csv

from hims_pipeline.contracts.basics import Text
from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.load import load_contract
from hims_pipeline.contracts.model import Contract
from hims_pipeline.settings import REPOSITORY

NONRESPONSE = {"_U": "Ne sait pas", "_R": "Refuse de répondre", "_Z": "Non concerné"}


def contract(source: str) -> Contract:
    """The contract of a source of this project."""
    return load_contract(REPOSITORY / "data" / "contracts" / f"{source}.yml")


def countries() -> list[dict[str, str]]:
    """The code list of countries that have a numeric code."""
    with (REPOSITORY / "data" / "codelists" / "countries.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["status"] == "current" and row["m49"]]


def value_labels(columns: tuple[Column, ...]) -> dict[str, dict[int | float | str, str]]:
    """Column -> code -> French label, for coded columns and columns of countries."""
    of_countries: dict[int | float | str, str] = {int(row["m49"]): row["name_fr"] for row in countries()}
    labels: dict[str, dict[int | float | str, str]] = {}
    for column in columns:
        codes: dict[int | float | str, str] = {int(code): label for code, label in (column.codes or {}).items()}
        if column.crosswalk == "M49":
            codes = {**of_countries}
        codes |= {int(code): NONRESPONSE[special] for code, special in column.missing.items()}
        if codes:
            labels[column.name] = codes
    return labels


def column_labels(columns: tuple[Column, ...]) -> dict[str, str]:
    """Column -> its French label."""
    return {c.name: c.label.get("fr") if isinstance(c.label, Text) else c.label for c in columns}
