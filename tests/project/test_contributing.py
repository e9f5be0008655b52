"""CONTRIBUTING's table of changes fits the tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_FOLDERS = 3
KINDS = (
    "a source",
    "a setting",
    "an error code",
    "a filter operator",
    "a paging strategy",
    "a transport",
    "a mode of the target",
    "a step of the doctor",
    "a date format",
    "a switch of the sandbox",
)
PLACE = re.compile(r"`([\w./-]*/[\w./-]*|meltano\.yml)`(?: \((`\w+`(?:, `\w+`)*)\))?")


def rows() -> dict[str, str]:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    table = text.partition("| to add | write |\n|---|---|\n")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| (.+?) \| (.+) \|$", table, re.MULTILINE))


def places(row: str) -> list[tuple[str, list[str]]]:
    """Paths, each with the names that it declares."""
    return [(path, re.findall(r"\w+", names)) for path, names in PLACE.findall(row)]


def declared_names(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (name.id for name in targets if isinstance(name, ast.Name))


def folder(path: str) -> tuple[str, ...]:
    """One of the house: a folder of the tap, a package, or one at the top."""
    parts = Path(path).parts
    is_inside = parts[0] in {"tap_sage_intacct", "packages"}
    return parts[:2] if is_inside else parts[:1]


def test_each_kind_of_change_has_a_row() -> None:
    assert tuple(rows()) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_row_names_what_there_is(kind: str) -> None:
    found = places(rows()[kind])
    assert found
    for path, names in found:
        assert (ROOT / path).exists(), path
        if names:
            assert set(names) <= set(declared_names(ROOT / path)), path


@pytest.mark.parametrize("kind", KINDS)
def test_change_touches_few_folders(kind: str) -> None:
    folders = {folder(path) for path, _ in places(rows()[kind])}
    assert len(folders) <= MOST_FOLDERS, folders
