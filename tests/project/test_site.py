"""The site builds without a warning, fetches nothing, and its reference is not stale."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tap_sage_intacct.settings.settings import SETTINGS
from tools import make_reference as tool

ROOT = Path(__file__).parents[2]
# What a browser gets by itself when it opens a page; links that people follow are none.
FETCHED = re.compile(
    r"""<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=["']?https?://"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    finished = subprocess.run(
        [*command, "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return folder


def test_every_page_is_built(site: Path) -> None:
    pages = {path.relative_to(tool.ROOT / "docs") for path in pages_of_docs()}
    missing = [page for page in pages if not built(site, page).is_file()]
    assert missing == []


def pages_of_docs() -> list[Path]:
    return list((ROOT / "docs").rglob("*.md"))


def built(site: Path, page: Path) -> Path:
    parent = site / page.with_suffix("")
    return (parent.parent if page.stem == "index" else parent) / "index.html"


def test_no_page_fetches_from_elsewhere(site: Path) -> None:
    found = [
        (path.relative_to(site), match[0])
        for path in site.rglob("*.html")
        for match in FETCHED.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_no_page_shows_the_syntax_of_an_inclusion(site: Path) -> None:
    found = [
        path for path in site.rglob("*.html") if "--8&lt;--" in path.read_text("utf-8")
    ]
    assert found == []


@pytest.mark.parametrize("path", tool.pages(), ids=lambda path: path.stem)
def test_made_page_is_what_the_command_makes(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == tool.pages()[path]


def test_no_made_page_is_left_over() -> None:
    assert set(tool.REFERENCE.rglob("*.md")) <= set(tool.pages())


def test_reference_tells_of_every_setting_and_its_variable() -> None:
    text = (tool.REFERENCE / "settings.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\w+)$", text, re.MULTILINE)
    assert headings == list(SETTINGS.to_dict()["properties"])
    variables = re.findall(r"`(TAP_SAGE_INTACCT_\w+)`", text)
    assert variables == [f"TAP_SAGE_INTACCT_{name.upper()}" for name in headings]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": ["string", "null"]}, "text"),
        ({"type": ["integer"], "minimum": 1, "maximum": 5}, "integer, at least 1, at most 5"),
        ({"type": ["string"], "enum": ["a", "b"]}, "one of `a`, `b`"),
        ({"type": ["array"], "items": {"type": "string"}}, "list of text"),
        ({"oneOf": [{"type": "string"}, {"type": "object"}]}, "text or object"),
    ],
)  # fmt: skip
def test_types_are_told_in_words(schema: tool.Schema, words: str) -> None:
    assert tool.type_words(schema) == words
