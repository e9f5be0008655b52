"""The pictures of the documentation show what the command shows."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from tools.record_screens import record_screens

DOCS = Path(__file__).parents[2] / "docs"


def text_of(svg: str) -> list[str]:
    """What stands in a picture, whatever its glyphs measure."""
    root = etree.fromstring(svg.encode())
    return [
        text
        for element in root.iter("{http://www.w3.org/2000/svg}text")
        if (text := "".join(map(str, element.itertext())).strip())
    ]


def test_screens_are_as_recorded_anew() -> None:
    stored = {
        path.stem: path.read_text(encoding="utf-8")
        for path in (DOCS / "screens").glob("*.svg")
    }
    recorded = dict(record_screens())
    assert set(recorded) == set(stored)
    for name, svg in recorded.items():
        assert text_of(svg) == text_of(stored[name]), f"{name}: run `make screens`"
        assert "cdnjs" not in svg


def test_every_screen_is_on_a_page() -> None:
    pages = "".join(p.read_text(encoding="utf-8") for p in DOCS.glob("*.md"))
    for path in (DOCS / "screens").glob("*.svg"):
        assert f"(screens/{path.name})" in pages
