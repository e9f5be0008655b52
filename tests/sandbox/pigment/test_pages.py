"""The workspace in a browser: headless Chromium renders, the tests read what it shows."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from lxml import html

from tests.sandbox.pigment.conftest import Client

Browse = Callable[[str], html.HtmlElement]
HEADER = "id,amount,day,account"


@pytest.fixture
def browse(client: Client, tmp_path: Path) -> Browse:
    """A page as Chromium has it after rendering."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium: install it, such as by apt-get")

    def show(path: str) -> html.HtmlElement:
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu"]
        command += ["--disable-dev-shm-usage", f"--user-data-dir={tmp_path}"]
        command += ["--virtual-time-budget=2000", "--dump-dom"]
        shown = subprocess.run(
            [*command, f"{client.sandbox.url}{path}"],
            check=True,
            capture_output=True,
            timeout=60,
        )
        return html.document_fromstring(shown.stdout.decode())

    return show


def table(page: html.HtmlElement, id_: str) -> list[list[str]]:
    rows = page.xpath(f"//table[@id='{id_}']//tr")
    return [[cell.text_content().strip() for cell in row] for row in rows]


def test_a_person_sees_lists_items_and_reports(client: Client, browse: Browse) -> None:
    client.load("accounts", "id,title", "0100,<b>Cash</b>")
    client.load("appended", HEADER, "1,10,2026-01-31,0100", "2,5,2026-01-31,0999")
    overview = browse("/")
    lists = {row[0]: row[1:] for row in table(overview, "lists")}
    assert lists["accounts"] == ["DimensionList", "id", "1"]
    assert lists["appended"] == ["TransactionList", "none", "1"]
    latest = table(overview, "imports")[1]
    assert latest[1:] == ["appended", "Completed", "2", "1", "0", "0", "1"]

    (link,) = overview.xpath("//a[text()='accounts']/@href")
    accounts = browse(link)
    assert table(accounts, "rows") == [["id", "title"], ["0100", "<b>Cash</b>"]]

    link = overview.xpath("//table[@id='imports']//a/@href")[0]
    report = browse(link)
    assert table(report, "skipped")[1] == [
        "MissingModalitySkippedDataRow",
        "account",
        "1",
        "0999",
    ]


def test_a_failed_import_tells_why(client: Client, browse: Browse) -> None:
    found = client.load("appended", "wrong,header", "1,2")
    page = browse(f"/imports/{found['importId']}")
    assert ["Status", "Failed"] in table(page, "import")
    assert "InvalidStructure" in page.xpath("string(//ul[@id='errors'])")


def test_a_long_list_has_pages(client: Client, browse: Browse) -> None:
    client.load("accounts", "id,title", *(f"{n:04},t" for n in range(250)))
    block = client.workspace.list_named("accounts")
    path = f"/lists/{block.id}"
    seen = []
    while path:
        page = browse(path)
        seen += [row[0] for row in table(page, "rows")[1:]]
        links = page.xpath("//a[@rel='next']/@href")
        path = f"/lists/{block.id}{links[0]}" if links else ""
    assert seen == [f"{n:04}" for n in range(250)]


def test_pages_want_no_key_and_absent_ones_say_so(client: Client) -> None:
    assert requests.get(client.sandbox.url, timeout=10).ok
    absent = requests.get(f"{client.sandbox.url}/lists/none", timeout=10)
    assert absent.status_code == 404
    assert "There is no such list" in absent.text
    assert client.sandbox.requests == []
