"""Lines that only come inside their parents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from typing_extensions import override

from tap_sage_intacct.intacct.gateway import MAX_READ_KEYS
from tap_sage_intacct.intacct.pages.key_set import KeySetPaging
from tap_sage_intacct.intacct.pages.page import Page, PagingStrategy
from tap_sage_intacct.intacct.pages.paging_key import PagingKey, Position
from tap_sage_intacct.intacct.query import Condition
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import Row


@dataclass(frozen=True, slots=True)
class NestedPaging(PagingStrategy):
    """Pages of lines inside their parents, which are read a hundred at a time.

    Documented for order-entry documents [D]; whether other parents hold their lines is
    unknown [?].

    Attributes:
        reader: of the lines.
        parent: the object that holds them.
        key: of the parents.
    """

    reader: ObjectReader
    parent: str
    key: PagingKey

    @override
    def pages(
        self, condition: Condition | None = None, start: Position | None = None
    ) -> Iterator[Page]:
        """All lines, since `read` takes no condition; raise `ValueError` for one."""
        if condition is not None or start is not None:
            raise ValueError("Lines inside their parents are read whole.")
        parents = ObjectReader(
            self.reader.gateway,
            self.parent,
            self.key.names,
            page_size=self.reader.page_size,
        )
        return self._pages(KeySetPaging(parents, self.key).pages())

    def _pages(self, parents: Iterator[Page]) -> Iterator[Page]:
        for page in parents:
            numbers = [int(row[self.key.names[0]]) for row in page.rows]
            for start in range(0, len(numbers), MAX_READ_KEYS):
                yield Page(self._lines(numbers[start : start + MAX_READ_KEYS]))

    def _lines(self, keys: list[int]) -> list[Row]:
        reader = self.reader
        rows = reader.gateway.owned_rows(self.parent, keys, reader.object_name)
        wanted = frozenset(reader.fields)
        return [
            {name: text for name, text in row.items() if name in wanted} for row in rows
        ]
