"""From the bytes of a push to rows of cells, under the headers of its configuration.

What lives here: encoding, CSV, headers. What it must not know: what cells mean.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import chain

from intacct_sandbox.pigment.configuration import Configuration
from intacct_sandbox.pigment.switches import PigmentSwitches

Cells = dict[str, str]

# A cell may be as long as a file: which length Pigment refuses is unknown [?].
csv.field_size_limit(100_000_000)


class ImportFailed(Exception):
    """The import fails as a whole. The names of such errors are invented [?]."""

    def __init__(self, name: str, description: str) -> None:
        self.name = name
        self.description = description
        super().__init__(f"{name}: {description}")


def read_file(
    body: bytes, configuration: Configuration, switches: PigmentSwitches
) -> Iterator[Cells | None]:
    """The rows by header; None for one with too few or too many cells.

    Raises:
        ImportFailed: wrong encoding, no header, or not the configuration's.
    """
    encoding = configuration.encoding
    try:
        text = body.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise ImportFailed("InvalidEncoding", f"not {encoding}") from error
    lines = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=configuration.delimiter,
        quotechar=configuration.quotechar,
    )
    header = next(lines, None)
    if header is None:
        raise ImportFailed("EmptyFile", "there is no header")
    names = _names(header, configuration, switches)
    first = next(lines, None)
    if first is None:
        if switches.header_only == "fail":
            raise ImportFailed("EmptyFile", "there are no rows")
        return iter(())
    return _rows(chain([first], lines), names)


def _rows(lines: Iterator[list[str]], names: list[str]) -> Iterator[Cells | None]:
    for line in lines:
        if line:
            fits = len(line) == len(names)
            yield dict(zip(names, line, strict=True)) if fits else None


def _names(
    header: list[str], configuration: Configuration, switches: PigmentSwitches
) -> list[str]:
    expected = [column.header for column in configuration.columns]
    if switches.headers == "by_position":
        fits, names = len(header) == len(expected), expected
    elif switches.headers == "by_name":
        fits, names = set(expected) <= set(header), header
    else:
        fits, names = header == expected, expected
    if not fits:
        raise ImportFailed(
            "InvalidStructure", f"columns {header}, the configuration has {expected}"
        )
    return names
