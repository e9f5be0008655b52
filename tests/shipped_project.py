"""A copy of the project as it ships, and what its tables must hold."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from intacct_sandbox import Company
from tap_sage_intacct.catalog.sources import DATA_SOURCE_BY_STREAM
from tools.pigment_comparison import as_cell, books_of

ROOT = Path(__file__).parents[1]
PROJECT = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))


def copy_of_project(folder: Path) -> Path:
    """The project as it is after `make demo`, its plugins installed but nothing run."""
    for name in (".venv", ".venv-meltano"):
        if not (ROOT / name).is_dir():
            pytest.skip(f"No {name}: run `make test-long`")
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "meltano.yml", folder)
    (folder / "output").mkdir()
    (folder / ".meltano").mkdir()
    for kind in ("extractors", "loaders"):
        (folder / ".meltano" / kind).symlink_to(ROOT / ".meltano" / kind)
    return folder


def selected_fields(project: Mapping[str, Any]) -> dict[str, list[str]]:
    """Stream to the fields that a meltano.yml selects."""
    (tap,) = (
        plugin
        for plugin in project["plugins"]["extractors"]
        if plugin["name"] == "tap-sage-intacct"
    )
    found: dict[str, list[str]] = {}
    for pattern in tap["select"]:
        stream, _, field = pattern.partition(".")
        found.setdefault(stream, []).append(field)
    return found


def assert_is_the_books(
    rows: Iterable[Mapping[str, Any]],
    company: Company,
    stream: str,
    fields: Sequence[str],
    *,
    where: str | None = None,
) -> None:
    """Row for row, by these fields; where None, all that a sync should load."""
    source = DATA_SOURCE_BY_STREAM[stream]
    books = (
        books_of(company, source)
        if where is None
        else company.truth(source.object_name, where=where)
    )
    loaded = Counter(_as_cells(row, fields) for row in rows)
    expected = Counter(_as_cells(row, fields) for row in books)
    assert expected, stream
    assert loaded - expected == Counter(), f"{stream}: rows that should not be there"
    assert expected - loaded == Counter(), f"{stream}: rows that are missing"


def _as_cells(row: Mapping[str, Any], fields: Sequence[str]) -> tuple[str, ...]:
    """The fields as text, whatever case and types the loader has."""
    by_name = {name.lower(): value for name, value in row.items()}
    return tuple(_as_text(by_name[name.lower()]) for name in fields)


def _as_text(value: object) -> str:
    if isinstance(value, float):
        value = Decimal(str(value))
    # target-duckdb loses backslashes of some batches.
    return as_cell(value).replace("\\", "")
