"""What an engineer sees after a night with refused months, in a real browser on a real webserver and daemon, behind the
door."""

import contextlib
import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="module")
def links(small_night):
    """Role -> the address with a token that `hims ui` prints."""
    here, _ = small_night
    process = subprocess.Popen(
        here.command("ui", "--port", "0"), env=here.environment, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    for line in process.stdout:
        if "Ctrl-C" in line:
            break
    yield json.loads((here.home / "dagster/door.json").read_text(encoding="utf-8"))
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=90)
    assert not (here.home / "dagster/door.json").exists()
    assert commands_with(str(here.home / "dagster")) == [], "what `hims ui` started ended with it"


def commands_with(text: str) -> list[str]:
    """Command lines of running processes that hold a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [one for one in found if text in one]


@pytest.fixture(scope="module")
def address(links):
    return links["operator"].split("/?")[0]


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield opened
        opened.close()


def page_of(browser, link: str):
    """A page of its own browser profile, let in by a link."""
    opened = browser.new_context(viewport={"width": 1500, "height": 900}).new_page()
    opened.set_default_timeout(60_000)
    for _ in range(180):  # the definitions are loaded before the door answers
        try:
            opened.goto(link, wait_until="domcontentloaded")
            return opened
        except Exception:
            time.sleep(1)
    pytest.fail("`hims ui` did not answer within three minutes")


@pytest.fixture(scope="module")
def page(browser, links):
    return page_of(browser, links["operator"])


def test_the_address_holds_no_token_once_it_was_used(page, address) -> None:
    assert page.url.startswith(address)
    assert "token" not in page.url


def test_the_graph_shows_the_layers(page, address) -> None:
    page.goto(f"{address}/asset-groups", wait_until="domcontentloaded")
    for layer in ("landing", "bronze", "validated", "staging", "conformed", "indicators", "published", "release"):
        page.get_by_text(layer, exact=True).first.wait_for()


def test_a_refused_month_is_red_with_its_reason(page, address) -> None:
    page.goto(f"{address}/assets/landing/border_crossings?view=checks", wait_until="domcontentloaded")
    page.get_by_text("Partitions", exact=True).nth(1).click()
    page.get_by_text("2024-05").first.click()
    page.get_by_text("Failed (2)").wait_for()
    page.get_by_text("is an HTML page").first.wait_for()
    with page.expect_popup() as opened:  # the link beside the reason
        page.get_by_role("link", name="report.fr.html").first.click()
    opened.value.get_by_text("ENVELOPE-KIND").first.wait_for()
    opened.value.close()


def test_every_rule_of_an_accepted_month_is_one_click_from_the_index(browser, links, address) -> None:
    asked: list[str] = []
    page = page_of(browser, links["viewer"])
    page.goto(f"{address}/gate/", wait_until="domcontentloaded")
    page.on("request", lambda request: asked.append(request.url))
    page.locator("a[href*='border_crossings/2024-01'][href$='data_docs.html']").click()
    page.get_by_text("BORDER-CROSSINGS-PASSAGES-KEY").first.wait_for()
    assert page.locator("tr.broken").count() == 0
    assert [url for url in asked if not url.startswith(address)] == [], "the page asks nobody else"


def test_a_viewer_sees_the_pages_and_a_grey_button(browser, links, address) -> None:
    page = page_of(browser, links["viewer"])
    page.goto(f"{address}/assets/conformed/dim_area", wait_until="domcontentloaded")
    button = page.get_by_role("button", name="Materialize").first
    button.wait_for()
    assert button.is_disabled()


def test_a_page_elsewhere_starts_nothing(page, links, address) -> None:
    """In the operator's own browser, cookie and all: what was seen to run when there was no door."""
    before = page.context.request.get(f"{address}/server_info").status
    elsewhere = page.context.new_page()
    elsewhere.goto("data:text/html,<p>elsewhere")
    told = elsewhere.evaluate(
        """async (there) => {
            const ask = (path, what) => fetch(there + path, {mode: "no-cors", credentials: "include", ...what}).then(
                (answer) => answer.type, () => "refused");
            const mutation = 'mutation { setConcurrencyLimit(concurrencyKey: "stolen", limit: 1) }';
            return [await ask("/graphql?query=" + encodeURIComponent(mutation), {}),
                    await ask("/graphql", {method: "POST", body: JSON.stringify({query: mutation})})];
        }""",
        address,
    )
    asked = '{"query": "{ instance { concurrencyLimits { concurrencyKey } } }"}'
    limits = page.evaluate(
        """(body) => fetch("/graphql", {method: "POST", body, headers: {"content-type": "application/json"}}).then(
            (answer) => answer.text())""",
        asked,
    )
    assert (before, "concurrencyLimits" in limits, "stolen" in limits) == (200, True, False), told
    elsewhere.close()


def test_one_model_materialised_alone_really_runs(page, address) -> None:
    page.goto(f"{address}/assets/conformed/dim_area", wait_until="domcontentloaded")
    # The page must not be left before the server has answered: that would cancel the launch.
    with page.expect_response(lambda answer: "LaunchPipelineExecution" in (answer.request.post_data or "")) as launch:
        page.get_by_role("button", name="Materialize").first.click()
    assert "LaunchRunSuccess" in launch.value.text()
    page.goto(f"{address}/runs", wait_until="domcontentloaded")
    page.get_by_text("dim_area").first.wait_for()
    for _ in range(60):
        if page.get_by_text("Success").count() >= 2:  # the night, and this run
            return
        time.sleep(2)
        page.reload(wait_until="domcontentloaded")
        page.get_by_text("dim_area").first.wait_for()
    pytest.fail("the run that was launched in the browser did not succeed within two minutes")
