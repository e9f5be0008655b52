"""The streams of the campaigns: how each is read, and what may happen to its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tap_sage_intacct.catalog.sources import DATA_SOURCE_BY_STREAM, DataSource

KINDS = (
    "insert", "update", "update", "delete", "late", "private", "unstamped",
    "without-stamps", "recreate", "wait",
)  # fmt: skip
LINE_KINDS = (
    "post", "unstamped-line", "silent-line", "silent-title", "unpost",
    "delete-line", "delete-entry", "retitle", "wait",
)  # fmt: skip
OWNED_KINDS = (*KINDS, "owned", "owned")
MOVING_KINDS = (*OWNED_KINDS, "move", "move", "move", "move")


@dataclass(frozen=True)
class Subject:
    """A stream, how it is read, and what may happen to its rows.

    Attributes:
        borrowed: columns of other objects, whose changes are no changes of the rows.
        is_whole: the catalog asks for the full table.
    """

    stream: str
    page_size: int
    kinds: tuple[str, ...] = KINDS
    settings: Mapping[str, object] = field(default_factory=dict)
    borrowed: frozenset[str] = frozenset()
    is_whole: bool = False

    @property
    def source(self) -> DataSource:
        return DATA_SOURCE_BY_STREAM[self.stream]

    @property
    def object_name(self) -> str:
        return self.source.object_name


_BY_ENTITY: Mapping[str, object] = {"entities": "all"}

SUBJECTS = {
    "key-set": Subject("vendors", 7),
    "window": Subject("gl_details", 20, LINE_KINDS),
    "lines": Subject("gl_journal_entry_lines", 20, LINE_KINDS),
    "readMore": Subject("revenue_recognition_schedules", 5),
    "offset": Subject("bills", 9, settings={"paging": "offset"}),
    "entities": Subject("bills", 9, OWNED_KINDS, settings=_BY_ENTITY),
    "periods": Subject(
        "gl_account_balances",
        50,
        LINE_KINDS,
        settings={
            "balance_periods": {"from": "2025-07", "type": "month"},
            "balance_reread_periods": 1,
        },
        borrowed=frozenset({"ACCOUNTTITLE"}),
    ),
    "start-date": Subject(
        "vendors", 7, settings={"start_date": "2025-07-01T00:00:00Z"}
    ),
    "full-table": Subject("bills", 9, is_whole=True),
    "moving": Subject("bills", 9, MOVING_KINDS, settings=_BY_ENTITY),
    "moving-key-set": Subject("vendors", 7, MOVING_KINDS, settings=_BY_ENTITY),
    "moving-readMore": Subject(
        "revenue_recognition_schedules", 5, MOVING_KINDS, settings=_BY_ENTITY
    ),
}
TOP_LEVEL = "(top level)"
ENTITIES = ("E100", "E200", "E300")
