"""Our own pages beside Dagster's, behind the same door: reports to senders and Data Docs, so that a link from a check
opens them. Read-only, for every visitor: they hold no value of the data."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from hims_pipeline.errors import HimsError
from hims_pipeline.failures import explain
from hims_pipeline.release.data_docs import BATCHES, INDEX, find_page, render_index
from hims_pipeline.settings import Settings

ROOT = "/gate"


def link_to(batch: str, page: str) -> str:
    """Where a page on a batch is served."""
    return f"{ROOT}/{BATCHES}/{batch}/{page}"


def gate_routes(settings: Settings) -> list[Route]:
    """The routes of the index and of every page in it."""

    async def answer(request: Request) -> Response:
        try:
            text = await run_in_threadpool(_read, settings, request.path_params["place"])
        except HimsError as error:  # what is damaged is told where it is looked for
            return PlainTextResponse(explain(error), 503)
        return PlainTextResponse("There is no such page.", 404) if text is None else HTMLResponse(text)

    return [Route(ROOT + "/{place:path}", answer, methods=["GET"])]


def _read(settings: Settings, place: str) -> str | None:
    if place in ("", INDEX):
        return render_index(settings)
    path = find_page(settings, place)
    try:
        return path.read_text(encoding="utf-8") if path else None
    except FileNotFoundError:  # the batch has just been moved
        return None
