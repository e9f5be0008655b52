"""Lines that only come inside their parents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tap_sage_intacct.intacct.pages.key_set import key_set_pages
from tap_sage_intacct.intacct.pages.pages import Page
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.xml import functions
from tap_sage_intacct.intacct.xml.envelope import read_nested_rows

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.pages.paging_key import PagingKey
    from tap_sage_intacct.intacct.rows.row import Row


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
