"""The letter that goes with the alert of a refusal: what to tell the sender, in the sender's language, without the
sender's own words, which stay in the closed zone (`hims batch letter` prints them there).

Rules speak the languages that their suites give them; what the readers find is told in English.
"""

from dataclasses import replace

from hims_pipeline import intake
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import HimsError
from hims_pipeline.gates import rules_of
from hims_pipeline.gates.report import letter
from hims_pipeline.lake import batches, landing
from hims_pipeline.lake.verdict import Finding, Verdict
from hims_pipeline.settings import Settings
from hims_pipeline.words import markdown, own

ENGLISH = "en"
# Title with the delivery, addressee, what happened, what was stopped, and what to do.
FRAMES = {
    "fr": (
        "# {title} : envoi {batch}", "À : {to}", "L'envoi a été **refusé** le {at}.",
        "Rien n'en a été utilisé, et rien n'est perdu.", "## À corriger", "Merci de renvoyer l'envoi entier.",
    ),
    "ar": (
        "# {title}: الإرسال {batch}", "إلى: {to}", "تم **رفض** هذا الإرسال بتاريخ {at}.",
        "لم يستعمل منه شيء ولم يضع منه شيء.", "## ما يجب تصحيحه", "يرجى إعادة إرسال الملفات كاملة.",
    ),
}  # fmt: skip


def letter_about(settings: Settings, batch: str) -> tuple[str, str] | None:
    """File name and text of the letter about a refused delivery; None where it is gone, or refused no more."""
    try:
        delivery = landing.find(settings, batch)
        verdict = batches.standing(settings, delivery).verdict
        contract = intake.contract_of(settings, delivery.source)
    except HimsError:
        return None
    if verdict is None or verdict.accepted:
        return None
    language = language_of(settings, contract)
    said = _in_language(settings, contract, delivery.period, verdict, language)
    name = f"{batch.replace('/', '_')}.{language}.md"
    return name, _framed(contract, verdict, said, language) if language in FRAMES else letter(verdict, contract, said)


def language_of(settings: Settings, contract: Contract) -> str:
    """The language of a sender: the observatory's first for one of its own country, English for others, and where there
    is no letter in that language."""
    observatory = load_observatory(settings.data)
    at_home = contract.owner.country in ("", observatory.reference_country)
    first = observatory.languages[0]
    return first if at_home and first in FRAMES else ENGLISH


def _in_language(
    settings: Settings, contract: Contract, period: str, verdict: Verdict, language: str
) -> tuple[Finding, ...]:
    known = {rule.code: rule.messages.get(language) for rule in rules_of(settings, contract, period)}
    return tuple(replace(one, message=own(told)) if (told := known.get(one.rule)) else one for one in verdict.findings)


def _framed(contract: Contract, verdict: Verdict, findings: tuple[Finding, ...], language: str) -> str:
    title, to, happened, stopped, head, todo = FRAMES[language]
    addressee = f"{contract.owner.institution} ({contract.owner.contact})"
    said = [f"- {markdown(one.sentence())}" for one in findings if one.severity == "blocking"]
    lines = [
        title.format(title=contract.title.get(language) or contract.title.en, batch=verdict.batch), "",
        to.format(to=addressee), "", happened.format(at=verdict.judged_at), "", stopped, "", head, "", *said, "", todo,
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
