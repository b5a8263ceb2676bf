"""What an engineer sees after a night with refused months, in a real browser on a real webserver and daemon."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request

import pytest

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="module")
def address(small_night):
    here, _ = small_night
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        here.command("ui", "--port", str(port)), env=here.environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    for _ in range(120):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/server_info", timeout=2):  # noqa: S310
            break
        time.sleep(1)
    yield url
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(timeout=60)


@pytest.fixture(scope="module")
def page(address):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        opened = browser.new_page(viewport={"width": 1500, "height": 900})
        opened.set_default_timeout(60_000)
        yield opened
        browser.close()


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
