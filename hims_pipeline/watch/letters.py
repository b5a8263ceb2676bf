"""What goes with the alert of a refusal: the report for the sender, in the sender's language, without the sender's own
words, which stay in the closed zone (`hims batch letter` prints them there)."""

from hims_pipeline import intake
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import batches, landing
from hims_pipeline.reporting import LANGUAGES, page_of, report_of
from hims_pipeline.settings import Settings

ENGLISH = "en"


def letter_about(settings: Settings, batch: str) -> tuple[str, str] | None:
    """File name and page of the report on a refused delivery; None where it is gone, or refused no more."""
    try:
        delivery = landing.find_delivery(settings, batch)
        verdict = batches.prove_batch(settings, delivery).verdict
        contract = intake.contract_of(settings, delivery.source)
        if verdict is None or verdict.accepted:
            return None
        folder = batches.settled_folder(settings, delivery)
        manifest = batches.read_batch_manifest(settings, folder) if verdict.manifest_sha256 else None
    except HimsError:
        return None
    language = language_of(settings, contract)
    report = report_of(settings, contract, delivery, folder, verdict, manifest)
    return f"{batch.replace('/', '_')}.{language}.html", page_of(report, language)


def language_of(settings: Settings, contract: Contract) -> str:
    """The language of a sender: the observatory's first for one of its own country, English for others, and where there
    is no report in that language."""
    observatory = load_observatory(settings.data)
    at_home = contract.owner.country in ("", observatory.reference_country)
    first = observatory.languages[0]
    return first if at_home and first in LANGUAGES else ENGLISH
