"""What a checkpoint holds, and how it stands in a Singer state.

A stream's bookmark is written as

    {"replication_key": "WHENMODIFIED",
     "replication_key_value": "2026-01-31T07:12:45+00:00",
     "version": 1,
     "reading": {"pass": "changed", "until": "…", "after": ["…", 4711]}}

`replication_key_value`: every change up to and including this second was emitted; it
is missing until the first sync is complete. `reading` is there only while a sync is
under way: which pass, what the bookmark becomes when the sync is done, and the key
of the last row emitted. Knows nothing of the gateway.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.paging import Position

VERSION = 1

_VALUE = "replication_key_value"


class Pass(Enum):
    """Which rows a pass over an object reads.

    INITIAL: all rows, by key. CHANGED: rows modified since the bookmark. UNSTAMPED:
    rows created since the bookmark whose WHENMODIFIED is null.
    """

    INITIAL = "initial"
    CHANGED = "changed"
    UNSTAMPED = "unstamped"


@dataclass(frozen=True, slots=True)
class Progress:
    """A sync under way.

    Attributes:
        reading: the pass in hand; passes come in the order of `Pass`.
        until: the second up to which changes are read; becomes the bookmark.
        after: the key of the last row emitted; None before the first.
    """

    reading: Pass
    until: datetime
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the reading of a stream stands.

    Attributes:
        bookmark: all changes up to and including this second were emitted.
        progress: None between syncs.
    """

    bookmark: datetime | None = None
    progress: Progress | None = None


class InvalidState(ValueError):
    """A bookmark that this version cannot resume from."""


def read_checkpoint(bookmark: MutableMapping[str, Any], stream: str) -> Checkpoint:
    """The checkpoint in a stream's bookmark; an empty one starts over.

    Raises:
        InvalidState: written by a later version, or damaged.
    """
    version = bookmark.get("version", VERSION)
    if version != VERSION:
        raise InvalidState(
            f"The state of {stream} has version {version}, which this version of the tap "
            "does not read: upgrade the tap, or clear the state to load the stream anew."
        )
    try:
        return Checkpoint(_instant(bookmark.get(_VALUE)), _progress(bookmark))
    except (KeyError, TypeError, ValueError):
        raise InvalidState(
            f"The state of {stream} is damaged: clear it to load the stream anew."
        ) from None


def write_checkpoint(
    checkpoint: Checkpoint, bookmark: MutableMapping[str, Any], replication_key: str
) -> None:
    """Put the checkpoint in place of whatever the bookmark holds."""
    bookmark.clear()
    if checkpoint.bookmark is not None:
        bookmark["replication_key"] = replication_key
        bookmark[_VALUE] = checkpoint.bookmark.isoformat()
    bookmark["version"] = VERSION
    if (progress := checkpoint.progress) is not None:
        bookmark["reading"] = {
            "pass": progress.reading.value,
            "until": progress.until.isoformat(),
            "after": None if progress.after is None else list(progress.after),
        }


def _progress(bookmark: MutableMapping[str, Any]) -> Progress | None:
    reading = bookmark.get("reading")
    if reading is None:
        return None
    until = _instant(reading["until"])
    if until is None:
        raise ValueError("until")
    after = reading["after"]
    return Progress(
        Pass(reading["pass"]), until, None if after is None else tuple(after)
    )


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if instant.tzinfo is None:
        raise ValueError(text)
    return instant
