"""What a checkpoint holds, and how it stands in a Singer state.

A stream's bookmark is written as

    {"replication_key": "WHENMODIFIED",
     "replication_key_value": "2026-01-31T07:12:45+00:00",
     "highest": [81234],
     "company": "acme",
     "version": 2,
     "reading": {"pass": "changed", "until": "…", "after": ["…", 4711]}}

`replication_key_value`: every change up to and including this second was emitted; it
is missing until the first sync is complete. `highest` is the greatest record number
emitted, by which records are found that bear no stamp at all. `reading` is there only
while a sync is under way: which pass, what the bookmark becomes when the sync is
done, and the key of the last row emitted; with `offset` where pages are taken by it.
`rows` counts the rows of a whole set, by which it shows that some are gone. `company`,
and `entity` where one is signed in to, tell whose rows they are. Version 1 had neither
`highest` nor `offset`, and is read as well; so is a bookmark without a company. The
bookmark of a partition (an entity, a reporting period) has the same form, beside the
`context` that names it.
Knows nothing of the gateway.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.paging_key import Position

VERSION = 2
_READABLE = frozenset({1, VERSION})

_VALUE = "replication_key_value"
_COMPANY = "company"
_ENTITY = "entity"
_CONTEXT = "context"
_PARTITIONS = "partitions"


class Pass(Enum):
    """Which rows a pass over an object reads.

    INITIAL: all rows, by key. CHANGED: rows modified since the bookmark. UNSTAMPED:
    rows created since the bookmark whose WHENMODIFIED is null. LINES: lines whose
    header changed since the bookmark. DELETED: records deleted since the bookmark.
    """

    INITIAL = "initial"
    CHANGED = "changed"
    UNSTAMPED = "unstamped"
    LINES = "lines"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Progress:
    """A sync under way.

    Attributes:
        reading: the pass in hand; passes come in the order of `Pass`.
        until: the second up to which changes are read; becomes the bookmark.
        after: the key of the last row emitted; None before the first.
        offset: how many rows stood up to there, where pages are taken by offset.
    """

    reading: Pass
    until: datetime
    after: Position | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the reading of a stream stands.

    Attributes:
        bookmark: all changes up to and including this second were emitted.
        progress: None between syncs.
        highest: the greatest paging key emitted; None where unknown.
        rows: of the whole set; None where it was not counted.
    """

    bookmark: datetime | None = None
    progress: Progress | None = None
    highest: Position | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose rows a bookmark is of; `entity` None is the top level."""

    company: str
    entity: str | None = None

    def __str__(self) -> str:
        """As a message names it."""
        entity = "the top level" if self.entity is None else f"entity {self.entity}"
        return f"{entity} of company {self.company}"

    def is_same(self, other: Origin) -> bool:
        """Whether both are one, however written: sign-in may take either case [?]."""
        return str(self).casefold() == str(other).casefold()


class InvalidState(ValueError):
    """A bookmark that this version cannot resume from."""


def check_bookmark(
    bookmark: MutableMapping[str, Any], stream: str, origin: Origin
) -> None:
    """Refuse a stream's bookmark that cannot be resumed from, partitions included.

    Raises:
        InvalidState: as `read_checkpoint`, or it is not of this origin, of which it
            would leave out every row that is older than it.
    """
    for part in (bookmark, *bookmark.get(_PARTITIONS, ())):
        read_checkpoint(part, stream)
        _check_origin(part, stream, origin)


def _check_origin(
    bookmark: MutableMapping[str, Any], stream: str, origin: Origin
) -> None:
    if _COMPANY not in bookmark:
        return
    written = Origin(bookmark[_COMPANY], bookmark.get(_ENTITY))
    if not written.is_same(origin):
        raise InvalidState(
            f"The state of {stream} is of {written}, but the settings sign in to {origin}: "
            "use the state that belongs to it, or clear this one to load the stream anew."
        )


def read_checkpoint(bookmark: MutableMapping[str, Any], stream: str) -> Checkpoint:
    """The checkpoint in a stream's bookmark; an empty one starts over.

    Raises:
        InvalidState: written by a later version, or damaged.
    """
    version = bookmark.get("version", VERSION)
    if version not in _READABLE:
        raise InvalidState(
            f"The state of {stream} has version {version}, which this version of the tap "
            "does not read: upgrade the tap, or clear the state to load the stream anew."
        )
    try:
        return Checkpoint(
            _instant(bookmark.get(_VALUE)),
            _progress(bookmark),
            _position(bookmark.get("highest")),
            bookmark.get("rows"),
        )
    except (KeyError, TypeError, ValueError):
        raise InvalidState(
            f"The state of {stream} is damaged: clear it to load the stream anew."
        ) from None


def write_checkpoint(
    checkpoint: Checkpoint,
    bookmark: MutableMapping[str, Any],
    replication_key: str | None,
    origin: Origin,
) -> None:
    """Put the checkpoint in place of whatever the bookmark holds.

    Args:
        checkpoint: an empty one clears the bookmark.
        bookmark: of the stream.
        replication_key: None of a stream that is read whole every time.
        origin: of the rows.
    """
    context = bookmark.get(_CONTEXT)
    bookmark.clear()
    if context is not None:
        bookmark[_CONTEXT] = context
    if checkpoint == Checkpoint():
        return
    if checkpoint.rows is not None:
        bookmark["rows"] = checkpoint.rows
    if checkpoint.bookmark is not None:
        bookmark["replication_key"] = replication_key
        bookmark[_VALUE] = checkpoint.bookmark.isoformat()
    if checkpoint.highest is not None:
        bookmark["highest"] = list(checkpoint.highest)
    bookmark[_COMPANY] = origin.company
    if origin.entity is not None:
        bookmark[_ENTITY] = origin.entity
    bookmark["version"] = VERSION
    if checkpoint.progress is not None:
        bookmark["reading"] = _reading(checkpoint.progress)


def _reading(progress: Progress) -> dict[str, Any]:
    reading: dict[str, Any] = {
        "pass": progress.reading.value,
        "until": progress.until.isoformat(),
        "after": None if progress.after is None else list(progress.after),
    }
    if progress.offset is not None:
        reading["offset"] = progress.offset
    return reading


def _progress(bookmark: MutableMapping[str, Any]) -> Progress | None:
    reading = bookmark.get("reading")
    if reading is None:
        return None
    until = _instant(reading["until"])
    if until is None:
        raise ValueError("until")
    offset = reading.get("offset")
    return Progress(
        Pass(reading["pass"]),
        until,
        _position(reading["after"]),
        None if offset is None else int(offset),
    )


def _position(values: list[int | str] | None) -> Position | None:
    return None if values is None else tuple(values)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if instant.tzinfo is None:
        raise ValueError(text)
    return instant
