"""A reference: offset paging as most connectors do it, and as it must not be trusted.

Pages are sorted by RECORDNO, which is kinder than not sorting at all, and taken by
offset until the last page is short. What moves meanwhile is nobody's concern.
"""

from __future__ import annotations

from collections.abc import Iterator

from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import Row


def read_by_plain_offset(reader: ObjectReader) -> Iterator[Row]:
    """Every row that plain offset paging finds, as often as it finds it."""
    offset = 0
    while True:
        row_set = reader.query(None, ("RECORDNO",), offset=offset).result()
        yield from row_set.rows
        if len(row_set.rows) < row_set.page_size:
            return
        offset += row_set.page_size
