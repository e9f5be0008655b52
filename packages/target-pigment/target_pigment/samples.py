"""Sample files, from which Pigment's wizard makes an import configuration.

A configuration cannot be made by API [D]; a sample with the very header of later pushes
is what the wizard wants. A guide beside it says what to choose there.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from itertools import chain, count
from pathlib import Path
from typing import Any

from target_pigment.load import StreamLoad
from target_pigment.load_modes import LoadMode, proposed
from target_pigment.rows.csv_file import PushLimits
from target_pigment.settings.settings import (
    Column,
    ColumnType,
    CsvFormat,
    StreamSettings,
)

_LONGEST_STEM = 100

_SOME_DAY = date(2026, 1, 31)


def file_stems(streams: Iterable[str]) -> dict[str, str]:
    """A file name, without its ending, for each stream; no two differ in case only.

    The same streams have the same names in every run, in whichever order they come.
    """
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for stream in sorted(streams, key=lambda name: (name != _sanitised(name), name)):
        plain = _sanitised(stream)
        names = chain([plain], (f"{plain}-{number}" for number in count(2)))
        stems[stream] = next(n for n in names if n.casefold() not in taken)
        taken.add(stems[stream].casefold())
    return stems


def _sanitised(stream: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", stream)[:_LONGEST_STEM]


def write_samples(
    loads: Sequence[StreamLoad], directory: Path, chosen: CsvFormat
) -> Iterator[str]:
    """Write `<stem>.csv` for each stream, and `<stem>.md` about it.

    Yields:
        What to choose in the wizard; several lines for each stream.
    """
    directory.mkdir(parents=True, exist_ok=True)
    stems = file_stems(load.name for load in loads)
    for load in loads:
        path = directory / f"{stems[load.name]}.csv"
        for file in load.spool.files(load.cells.header(), PushLimits()):
            shutil.copyfile(file.path, path)
        text = _guide(load, path, chosen)
        path.with_suffix(".md").write_text(text, encoding="utf-8")
        yield text


def _guide(load: StreamLoad, path: Path, chosen: CsvFormat) -> str:
    """The choices in Pigment's wizard that fit the settings; Markdown."""
    mode = load.chosen.load_mode
    shown = mode or proposed(load.keys)
    note = "" if mode else " (a proposal: none is set)"
    rows = "".join(_row(load, column, chosen) for column in load.cells.columns)
    return (
        f"# Stream {load.name}\n\n"
        f"1. In the block choose Import data and upload `{path}`.\n"
        f"2. Encoding `{chosen.encoding}`, separator `{chosen.delimiter}`, text "
        f"delimiter `{chosen.quotechar}`, layout flat.\n"
        f"3. Decimal separator `{chosen.decimal_separator}`, dates as "
        f"`{_SOME_DAY.strftime(chosen.date_format)}` (the last of January), booleans "
        f"`{chosen.true_value}` and `{chosen.false_value}`.\n"
        f"4. load_mode {shown.name}{note}: {shown.wizard}.\n"
        "5. Unknown items: decide whether to create them, leave them blank, or skip "
        "the row (a skipped row fails the run unless you allow it).\n"
        "6. Save, then Block settings > Import configurations > Copy ID.\n\n"
        "| Column | Proposed property |\n"
        "| --- | --- |\n"
        f"{rows}{_key_note(load.keys)}\n"
        "Put the copied ID into this, and this into `streams` of the settings (JSON "
        "is YAML, too):\n\n"
        f"```json\n{_snippet(load, shown)}\n```\n"
    )


def _row(load: StreamLoad, column: Column, chosen: CsvFormat) -> str:
    schema = load.properties.get(column.name, {})
    kind = _property_type(column.type, schema, chosen)
    if column.name in load.keys:
        kind += ", unique ID"
    elif kind == "Text":
        kind += ", or Dimension where you have a list of these"
    header = column.header.replace("|", "\\|")
    return f"| {header} | {kind} |\n"


def _property_type(
    column: ColumnType, schema: Mapping[str, Any], chosen: CsvFormat
) -> str:
    if column != "auto":
        return column.capitalize()
    options = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    formats = {option.get("format") for option in options}
    instants_are_days = "date-time" in formats and chosen.datetime_as == "date"
    if "date" in formats or instants_are_days:
        return "Date"
    types = {word for option in options for word in _types(option)} - {"null"}
    if types == {"integer", "number"}:
        return "Number"
    is_plain = len(types) == 1 and types <= {"number", "integer", "boolean"}
    return types.pop().capitalize() if is_plain else "Text"


def _types(schema: Mapping[str, Any]) -> list[str]:
    found = schema.get("type") or []
    return [found] if isinstance(found, str) else list(found)


def _key_note(keys: tuple[str, ...]) -> str:
    if len(keys) < 2:  # noqa: PLR2004  one column needs no word
        return ""
    return (
        f"\nThe key has several columns ({', '.join(keys)}): upsert needs a list in which "
        "they are unique together.\n"
    )


def _snippet(load: StreamLoad, mode: LoadMode) -> str:
    usual = asdict(StreamSettings())
    chosen = {n: value for n, value in asdict(load.chosen).items() if value != usual[n]}
    pasted = {
        "configuration_id": "",
        "load_mode": mode.name,
        "columns": [_entry(column) for column in load.cells.columns],
    }
    # Besides, what was set, so that pasting loses nothing.
    return json.dumps(
        {load.name: pasted | chosen | pasted}, indent=2, ensure_ascii=False
    )


def _entry(column: Column) -> str | dict[str, str]:
    entry = {"name": column.name}
    if column.header != column.name:
        entry["header"] = column.header
    if column.type != "auto":
        entry["type"] = column.type
    return entry if len(entry) > 1 else column.name
