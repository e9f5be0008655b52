"""Writing the first books of a company, from generators of rows.

Each object is a generator of rows that name only what the books decide; fillers supply
the rest, so that memory stays flat.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from intacct_sandbox.company.definitions import ObjectDefinition
from intacct_sandbox.company.first_books.book_rows import Row, owner_columns
from intacct_sandbox.company.first_books.books import Books
from intacct_sandbox.company.first_books.filler import VARIANTS, Filler
from intacct_sandbox.company.ledger import DERIVED_COLUMNS, FILLER_TABLE
from intacct_sandbox.company.store import (
    TECHNICAL_COLUMNS,
    Stored,
    Value,
    quote,
    to_stored,
)


def fill_company(
    connection: sqlite3.Connection,
    definitions: Mapping[str, ObjectDefinition],
    now: datetime,
    seed: int,
    journal_lines: int,
) -> None:
    """Write the rows of all objects but the derived ones."""
    books = Books(now, seed, journal_lines)
    filler = Filler(seed, now)
    for name, rows in books.objects(filler):
        _write(connection, definitions[name], filler, rows)
    _write_detail_fillers(connection, definitions["GLDETAIL"], filler)


def _write(
    connection: sqlite3.Connection,
    definition: ObjectDefinition,
    filler: Filler,
    rows: Iterable[Row],
) -> None:
    places = {field.id: place for place, field in enumerate(definition.fields)}
    for extra in TECHNICAL_COLUMNS:
        places[extra] = len(places)
    columns = ", ".join(map(quote, places))
    marks = ", ".join("?" * len(places))
    connection.executemany(
        f"INSERT INTO {quote(definition.name)} ({columns}) VALUES ({marks})",
        _filled(definition, filler, rows, places),
    )


def _filled(
    definition: ObjectDefinition,
    filler: Filler,
    rows: Iterable[Row],
    places: Mapping[str, int],
) -> Iterator[list[Stored]]:
    # Made as they are needed: most objects have fewer rows than there are variants.
    variants: list[list[Stored]] = []
    for number, row in enumerate(rows):
        variant = number % VARIANTS
        if variant == len(variants):
            variants.append([*filler.row(definition, variant), 0, None, None])
        cells = variants[variant].copy()
        owner = owner_columns(_text(row.get("_entity")))
        for name, value in {**row, **owner}.items():
            place = places.get(name)
            if place is not None:
                cells[place] = to_stored(value)
        yield cells


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def _write_detail_fillers(
    connection: sqlite3.Connection, definition: ObjectDefinition, filler: Filler
) -> None:
    """GLDETAIL has columns that no journal entry decides: plausible ones, by turns."""
    chosen = [
        (place, field.id)
        for place, field in enumerate(definition.fields)
        if field.id not in DERIVED_COLUMNS
    ]
    columns = ", ".join(quote(name) for _, name in chosen)
    connection.execute(f'CREATE TABLE "{FILLER_TABLE}" ("_row" INTEGER, {columns})')
    marks = ", ".join("?" * (len(chosen) + 1))
    connection.executemany(
        f'INSERT INTO "{FILLER_TABLE}" VALUES ({marks})',
        (
            [variant, *(cells[place] for place, _ in chosen)]
            for variant in range(VARIANTS)
            for cells in [filler.row(definition, variant)]
        ),
    )
