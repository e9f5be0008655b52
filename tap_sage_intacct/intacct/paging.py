"""Pages of one object, in the ways that cannot drift.

Every `query` is a new query on the server: an offset into it means other rows as
soon as one is inserted or deleted before it (Sage's page on query [D]). So pages are
taken by key, or from the snapshot that readByQuery keeps. Knows nothing of bookmarks.
"""

from __future__ import annotations

import logging
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tap_sage_intacct.intacct import functions
from tap_sage_intacct.intacct.envelope import (
    Row,
    RowSet,
    read_nested_rows,
)
from tap_sage_intacct.intacct.errors import (
    InvalidResponse,
    PagesMoved,
    RequestRefused,
    RequestTimedOut,
)
from tap_sage_intacct.intacct.query import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Operator,
    Value,
    both,
)
from tap_sage_intacct.intacct.reader import MIN_PAGE, ObjectReader
from tap_sage_intacct.intacct.values import ValueType, converter

SNAPSHOT_TRIES = 3

Position = tuple[int | str, ...]
"""The key of a row, a value per key field: an integer, or an instant as ISO text."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeyField:
    """A column that pages are cut by: INTEGER or TIMESTAMP."""

    name: str
    value_type: ValueType


@dataclass(frozen=True, slots=True)
class PagingKey:
    """Columns that order the rows. Unless `is_unique`, several rows may share a key."""

    fields: tuple[KeyField, ...]
    is_unique: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, most significant first."""
        return tuple(field.name for field in self.fields)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order of reading.

    Attributes:
        position: the key of the last row; reading may resume after it. None where
            reading can only start over.
    """

    rows: list[Row]
    position: Position | None = None


def key_set_pages(
    reader: ObjectReader,
    key: PagingKey,
    condition: Condition | None = None,
    *,
    after: Position | None = None,
) -> Iterator[Page]:
    """Pages ordered by the key, each starting after the last key of the one before.

    Where several rows may share a key, the last key of a page that is not the last
    page may go on beyond it: its rows are left for the next page.

    Raises:
        PagesMoved: the server did not keep the order, or more rows share one key
            than fit into a page.
    """
    while True:
        rows_after = _after(key, after) if after is not None else None
        row_set, page_size = reader.query(both(condition, rows_after), key.names)
        keyed = _keyed(reader, key, row_set.rows, after)
        is_last = _is_last(reader.object_name, row_set, page_size)
        if not is_last and not key.is_unique:
            keyed = _without_last_key(reader.object_name, keyed)
        if keyed:
            after = keyed[-1][0]
            yield Page([row for _, row in keyed], after)
        if is_last:
            return


def _is_last(object_name: str, row_set: RowSet, page_size: int) -> bool:
    """By the count of remaining rows; by a short page where there is no count."""
    if row_set.remaining is None:
        return len(row_set.rows) < page_size
    if row_set.remaining > 0 and not row_set.rows:
        raise PagesMoved(
            f"{object_name}: an empty page came while {row_set.remaining} rows remain."
        )
    return row_set.remaining == 0


def _keyed(
    reader: ObjectReader, key: PagingKey, rows: list[Row], after: Position | None
) -> list[tuple[Position, Row]]:
    """Each row with its key, which must rise (or, if not unique, must not fall)."""
    user_format = reader.gateway.user_format()
    converters = [
        (field.name, converter(field.value_type, user_format)) for field in key.fields
    ]
    keyed: list[tuple[Position, Row]] = []
    previous = after
    for row in rows:
        values = [convert(row.get(name, "")) for name, convert in converters]
        position = tuple(value for value in values if isinstance(value, int | str))
        if len(position) < len(values):
            raise PagesMoved(
                f"{reader.object_name}: a row came without "
                f"{', '.join(key.names)}, by which pages are cut."
            )
        if previous is not None and (
            position < previous
            or (position == previous and (key.is_unique or previous is after))
        ):
            raise PagesMoved(
                f"{reader.object_name}: rows came out of the order of "
                f"{', '.join(key.names)}."
            )
        previous = position
        keyed.append((position, row))
    return keyed


def _without_last_key(
    object_name: str, keyed: list[tuple[Position, Row]]
) -> list[tuple[Position, Row]]:
    last = keyed[-1][0]
    complete = [pair for pair in keyed if pair[0] != last]
    if not complete:
        raise PagesMoved(
            f"{object_name}: more rows share the key {last} than fit into a page of "
            f"{len(keyed)}."
        )
    return complete


def _after(key: PagingKey, position: Position) -> Condition:
    """Rows whose key is greater: `a > x or (a = x and (b > y or ...))`."""
    (field, value), *rest = zip(
        key.fields,
        (_value(*pair) for pair in zip(key.fields, position, strict=True)),
        strict=True,
    )
    greater = Comparison(field.name, Operator.GREATER, (value,))
    if not rest:
        return greater
    others = PagingKey(tuple(field for field, _ in rest), key.is_unique)
    equal = Comparison(field.name, Operator.EQUAL, (value,))
    return AnyOf((greater, AllOf((equal, _after(others, position[1:])))))


def _value(field: KeyField, given: int | str) -> Value:
    if field.value_type is ValueType.TIMESTAMP:
        return datetime.fromisoformat(str(given))
    return given


def snapshot_pages(
    reader: ObjectReader, condition: Condition | None = None
) -> Iterator[Page]:
    """Pages of a readByQuery and its readMore, in the server's arbitrary order.

    The result set stays as it was at the first call [D], but pages can only be taken
    one after the other: an answer that was lost on the way takes its page with it,
    and a session that ends takes the result set. Then the whole is read anew, and
    rows that were given out already are left out.

    Raises:
        PagesMoved: no try in `SNAPSHOT_TRIES` gave a whole result set.
    """
    given = array("q")
    for attempt in range(1, SNAPSHOT_TRIES + 1):
        expected = Counter(given)
        try:
            for rows in _snapshot(reader, condition):
                fresh = _not_given(rows, expected)
                given.extend(map(_identity, fresh))
                if fresh:
                    yield Page(fresh)
        except (PagesMoved, RequestTimedOut) as error:
            if attempt == SNAPSHOT_TRIES:
                raise
            if isinstance(error, RequestTimedOut) and reader.page_size > MIN_PAGE:
                reader.halve_page_size(error)
            logger.warning("%s Reading %s again.", error, reader.object_name)
        else:
            return


def _snapshot(reader: ObjectReader, condition: Condition | None) -> Iterator[list[Row]]:
    row_set = reader.read_by_query(condition)
    yield row_set.rows
    while row_set.remaining:
        if row_set.result_id is None:
            raise PagesMoved(
                f"{reader.object_name}: {row_set.remaining} rows remain, but the answer "
                "does not say how to ask for them."
            )
        following = _read_more(reader, row_set.result_id)
        if following.remaining != row_set.remaining - len(following.rows):
            raise PagesMoved(
                f"{reader.object_name}: a page of the result set was lost: "
                f"{row_set.remaining} rows remained, {len(following.rows)} came, "
                f"{following.remaining} remain."
            )
        yield following.rows
        row_set = following


def _read_more(reader: ObjectReader, result_id: str) -> RowSet:
    try:
        row_set = reader.read_more(result_id)
    except (RequestRefused, InvalidResponse) as error:
        raise PagesMoved(
            f"{reader.object_name}: the result set is gone.", details=error.details
        ) from error
    if not row_set.rows:
        raise PagesMoved(f"{reader.object_name}: an empty page came before the end.")
    # Captures repeat the id on every page [C]; where one does not, it still holds.
    return RowSet(
        row_set.rows, row_set.total, row_set.remaining, row_set.result_id or result_id
    )


def _not_given(rows: list[Row], given: Counter[int]) -> list[Row]:
    """The rows that an earlier try did not give out; counts down those it did."""
    if not given:
        return rows
    fresh = []
    for row in rows:
        identity = _identity(row)
        if given[identity] > 0:
            given[identity] -= 1
        else:
            fresh.append(row)
    return fresh


def _identity(row: Row) -> int:
    return hash(tuple(row.values()))


def nested_pages(reader: ObjectReader, parent: str, key: PagingKey) -> Iterator[Page]:
    """Lines that only come inside their parents, which are read a hundred at a time.

    Documented for order-entry documents [D]; whether other parents hold their lines
    is unknown [?].

    Raises:
        ObjectNotFound: of the parent.
    """
    parents = ObjectReader(
        reader.gateway, parent, key.names, page_size=reader.page_size
    )
    for page in key_set_pages(parents, key):
        numbers = [int(row[key.names[0]]) for row in page.rows]
        for start in range(0, len(numbers), functions.MAX_READ_KEYS):
            keys = numbers[start : start + functions.MAX_READ_KEYS]
            yield Page(_lines(reader, parent, keys))


def _lines(reader: ObjectReader, parent: str, keys: list[int]) -> list[Row]:
    function = functions.read(parent, keys, ("*",))
    rows = reader.gateway.call(
        function, lambda data: read_nested_rows(data, reader.object_name)
    )
    wanted = frozenset(reader.fields)
    return [
        {name: text for name, text in row.items() if name in wanted} for row in rows
    ]
