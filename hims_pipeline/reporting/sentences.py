"""The sentences of a report in three languages: those of its page, and those of each finding, whatever found it."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.yaml_records import read_yaml
from hims_pipeline.gates.rules import Rule
from hims_pipeline.gates.sentences import LANGUAGES
from hims_pipeline.lake.verdict import Finding

__all__ = ["LANGUAGES", "message_of", "reading_sentences", "sentence_labels"]
HERE = Path(__file__).parent
Texts = dict[str, str]


@lru_cache(maxsize=1)
def _page() -> dict[str, Texts]:
    texts: dict[str, Texts] = read_yaml(HERE / "texts.yml")
    return texts


@lru_cache(maxsize=1)
def reading_sentences() -> dict[str, Texts]:
    """Code of a finding made while reading -> what is wrong and what to do, in the languages beside English."""
    texts: dict[str, Texts] = read_yaml(HERE / "reading.yml")
    return texts


def sentence_labels(language: str) -> Texts:
    """The words of the page itself in one language."""
    return {name: texts[language] for name, texts in _page().items()}


def message_of(finding: Finding, rules: dict[str, Rule], results: dict[str, dict[str, Any]]) -> tuple[Texts, str]:
    """What a finding says by language, and the English detail that goes with a sentence that has none.

    Args:
        rules: code -> the present rule.
        results: code -> what the verdict says of the rule.
    """
    message = str(finding.message)  # the outer reading, without a word of the sender
    result = results.get(finding.rule, {})
    if result.get("blind"):
        return {language: _page()["blind"][language] for language in LANGUAGES}, ""
    if rule := rules.get(finding.rule):
        return {language: rule.messages.get(language) or message for language in LANGUAGES} | {"en": message}, ""
    known = reading_sentences().get(finding.rule) or reading_sentences().get(finding.rule.rpartition("-")[2])
    if known:
        return {**known, "en": message}, message
    return dict.fromkeys(LANGUAGES, message), ""
