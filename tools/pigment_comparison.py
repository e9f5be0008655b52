"""Whether Pigment's lists hold what the company's books say, row for row.

Reads the lists through the export endpoint, the books from the company's file, and from
meltano.yml which field of which object became which column.
"""

from __future__ import annotations

import csv
import io
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests
import yaml

from intacct_sandbox import Company, SystemClock
from intacct_sandbox.pigment import Configuration, Workspace
from tap_sage_intacct.catalog.sources import (
    DATA_SOURCE_BY_STREAM,
    DataSource,
    ReadFunction,
)

DELETED = "_sdc_deleted_at"
EXPORT_KEY = "export-k3y-of-the-sandbox"


@dataclass(frozen=True)
class ListComparison:
    """One list after a run.

    Attributes:
        rows_sent: by the run's imports.
        items: in the list, without those marked as deleted.
        differences: rows that only one side has.
    """

    name: str
    rows_sent: int
    items: int
    differences: int


@dataclass(frozen=True)
class Column:
    """A field of Intacct and the property that it fills."""

    field: str
    header: str


@dataclass(frozen=True)
class LoadedStream:
    """A stream as meltano.yml loads it."""

    name: str
    configuration_id: str
    columns: tuple[Column, ...]


def compare_lists(
    project: Path,
    company_file: Path,
    workspace_file: Path,
    settings: Mapping[str, str],
    since: str,
) -> list[ListComparison]:
    """Compare each list that a project loads.

    Args:
        project: the folder of its meltano.yml.
        company_file: of the Intacct sandbox.
        workspace_file: of the Pigment sandbox, which is being served.
        settings: the environment of the run: where Pigment is, and its ids.
        since: ISO 8601; imports that began before are not of this run.
    """
    company = Company.open(company_file, clock=SystemClock())
    workspace = Workspace(workspace_file)
    with closing(company), closing(workspace):
        compared = []
        for stream in loaded_streams(project, settings):
            configuration = workspace.configuration(stream.configuration_id)
            books = books_of(company, DATA_SOURCE_BY_STREAM[stream.name])
            items = list(_live_items(export(configuration, settings), stream))
            differences = count_differences(items, books, stream)
            sent = _rows_sent(workspace, configuration, since)
            compared.append(
                ListComparison(configuration.name, sent, len(items), differences)
            )
        return compared


def loaded_streams(project: Path, settings: Mapping[str, str]) -> list[LoadedStream]:
    """The setting `streams` of target-pigment in a project, its ids resolved."""
    document = yaml.safe_load((project / "meltano.yml").read_text("utf-8"))
    (target,) = (
        loader
        for loader in document["plugins"]["loaders"]
        if loader["name"] == "target-pigment"
    )
    return [
        LoadedStream(
            name,
            settings[given["configuration_id"].removeprefix("$")],
            tuple(Column(c["name"], c["header"]) for c in given["columns"]),
        )
        for name, given in target["config"]["streams"].items()
    ]


def _rows_sent(workspace: Workspace, configuration: Configuration, since: str) -> int:
    return sum(
        done.rows
        for done in workspace.imports
        if done.configuration_id == configuration.id and done.created_at >= since
    )


def export(
    configuration: Configuration, settings: Mapping[str, str]
) -> list[dict[str, str]]:
    """The items of a configuration's list, through the API."""
    answer = requests.post(
        f"{settings['TARGET_PIGMENT_BASE_URL']}/api/v1/export/list/"
        f"{configuration.block_id}",
        json={"friendlyHeaders": True},
        headers={"Authorization": f"Bearer {EXPORT_KEY}"},
        timeout=300,
    )
    answer.raise_for_status()
    text = io.StringIO(answer.content.decode("utf-8"), newline="")
    return list(csv.DictReader(text, delimiter=";"))


def _live_items(
    items: Iterable[Mapping[str, str]], stream: LoadedStream
) -> Iterator[Mapping[str, str]]:
    marks = [column.header for column in stream.columns if column.field == DELETED]
    return (item for item in items if all(item[mark] == "no" for mark in marks))


def books_of(company: Company, source: DataSource) -> Iterator[Mapping[str, Any]]:
    """What a sync at the top level should have loaded."""
    where = "1"
    if source.needs_period:
        names = ", ".join(f"'{name}'" for name in months_so_far())
        where = f'"PERIOD" IN ({names})'
    if source.functions[0] is ReadFunction.READ_BY_QUERY:
        where += ' AND "_private" = 0'
    return iter(company.truth(source.object_name, where=where))


def months_so_far() -> list[str]:
    """The names of this year's months, up to this one."""
    today = time.gmtime()
    return [
        f"Month Ended {date(today.tm_year, month, 1):%B} {today.tm_year}"
        for month in range(1, today.tm_mon + 1)
    ]


def count_differences(
    items: Iterable[Mapping[str, str]],
    books: Iterable[Mapping[str, Any]],
    stream: LoadedStream,
) -> int:
    """Rows that only one side has, by all columns that are fields of Intacct."""
    compared = [column for column in stream.columns if not column.field.startswith("_")]
    loaded = Counter(tuple(item[c.header] for c in compared) for item in items)
    expected = Counter(tuple(as_cell(row[c.field]) for c in compared) for row in books)
    return ((loaded - expected) + (expected - loaded)).total()


def as_cell(value: Any) -> str:
    """A value of the books as Pigment shows it: without line breaks, numbers bare."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, date):
        return value.isoformat()
    return re.sub(r"\r\n|[\r\n]", " ", str(value))
