"""What a checkpoint holds, and how it stands in a Singer state.

A stream's bookmark is written as

    {"replication_key": "WHENMODIFIED",
     "replication_key_value": "2026-01-31T07:12:45+00:00",
     "read_whole": null,
     "highest": [81234],
     "company": "acme",
     "version": 3,
     "fingerprint": "nB2x…",
     "reading": {"pass": "changed", "begun": "…", "until": "…", "after": [4711],
                 "fingerprint": "nB2x…"},
     "selection": {…},
     "keys": "5f0e…"}

`replication_key_value`: the second in which the last complete sync began; every change
up to and including it was emitted. It is null until the first sync is complete.
`highest` is the greatest record number emitted, by which rows without any stamp are
found. `reading` says where a sync under way stands; between syncs its `pass` is null.
`rows` counts the rows of a whole set, which shows that some are gone. A full table has
`read_whole` instead of a value: the second in which its last complete reading began.
`deletions_since` stands where a stream is loaded again: it has the deletions until then.
`company`, and `entity` where one is signed in to, say whose rows they are. `selection`
is a `Fingerprint`, `fingerprint` the digest of the one under which the bookmark, or the
reading, was made. `keys` is the id of the part of the key store that belongs to this
state. The bookmark of a partition (an entity, a reporting period) has the same form,
beside the `context` that names it; `selection` and `keys` stand once, beside
`partitions`, and so does `left`, the same of entities that are read no more.

Meltano merges states key by key (`--merge-state`, and after a run that failed), and
its merge fails where a key holds null in one state and an object in the other. So every
key is always written, and `reading` is always an object.

Versions 1 and 2 are read too. They have no `begun`, and leave out what is null.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from typing_extensions import override

from tap_sage_intacct.errors import TapError
from tap_sage_intacct.intacct.pages.paging_key import Position

VERSION = 3
_READABLE = frozenset({1, 2, VERSION})

_BOOKMARKS = "bookmarks"
# Which older taps write beside them.
_CURRENTLY_SYNCING = "currently_syncing"
REPLICATION_KEY = "replication_key"
_VALUE = "replication_key_value"
_WHOLE = "read_whole"
_COMPANY = "company"
_ENTITY = "entity"
CONTEXT = "context"
PARTITIONS = "partitions"
SELECTION = "selection"
FINGERPRINT = "fingerprint"
READING = "reading"
KEYS = "keys"
LEFT = "left"
# What a checkpoint does not replace.
_KEPT = (CONTEXT, SELECTION, KEYS, FINGERPRINT, PARTITIONS, LEFT)
_DELETIONS_SINCE = "deletions_since"

MOST_AHEAD = timedelta(days=1)
"""How far a bookmark may lie ahead of this machine's clock, which may be wrong."""

MOST_AHEAD_OF_SERVER = timedelta(minutes=5)
"""And of Intacct's, whose servers may differ by seconds. The lookback covers those."""


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
class UnfinishedSync:
    """Where a sync goes on that has not read everything yet.

    Attributes:
        current_pass: the pass it is in; passes come in the order of `Pass`.
        begun: the last second that was over when the sync began; becomes the bookmark.
            If Intacct showed a row late, this sync looked for it from then on, not later.
        until: the second up to which the current pass reads changes.
        after: the key of the last row emitted; None before the first.
    """

    current_pass: Pass
    begun: datetime
    until: datetime
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the reading of a stream stands.

    Attributes:
        bookmark: all changes up to and including this second were emitted.
        unfinished: the sync in hand; None between syncs.
        highest: the greatest paging key emitted; None where unknown.
        rows: of the whole set; None where it was not counted.
        deletions_since: where a stream is loaded again from its first row, the second
            up to which deletions had been emitted before; None otherwise.
    """

    bookmark: datetime | None = None
    unfinished: UnfinishedSync | None = None
    highest: Position | None = None
    rows: int | None = None
    deletions_since: datetime | None = None

    @property
    def begun(self) -> datetime | None:
        """When the sync in hand began; None between syncs."""
        return None if self.unfinished is None else self.unfinished.begun

    @property
    def reload(self) -> Checkpoint:
        """The start of another load of all rows.

        The target keeps what it has, so it must still learn what was deleted since.
        """
        return Checkpoint(
            deletions_since=self.bookmark or self.deletions_since or self.begun
        )


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose rows a bookmark is of; `entity` None is the top level."""

    company: str
    entity: str | None = None

    @override
    def __str__(self) -> str:
        """As a message names it."""
        entity = "the top level" if self.entity is None else f"entity {self.entity}"
        return f"{entity} of company {self.company}"

    def is_same(self, other: Origin) -> bool:
        """Whether both are one, however written: sign-in may take either case [?]."""
        return str(self).casefold() == str(other).casefold()


class InvalidState(TapError):
    """A bookmark that this version cannot resume from."""


def check_state(state: Mapping[str, Any]) -> None:
    """Refuse a state that no Singer tap wrote.

    Raises:
        InvalidState: it holds something else than bookmarks, or its bookmarks are not an
            object of objects.
    """
    if _BOOKMARKS not in state and set(state) - {_CURRENTLY_SYNCING}:
        raise InvalidState(
            "The state holds no `bookmarks`. Give the value of the last STATE message of "
            "an earlier run, not the message itself; or no state, to load everything."
        )
    bookmarks = state.get(_BOOKMARKS, {})
    if not isinstance(bookmarks, Mapping):
        raise InvalidState(
            "The state is damaged: its `bookmarks` are no object. Use the state of an "
            "earlier run, or none to load everything again."
        )
    for stream, bookmark in bookmarks.items():
        if not isinstance(bookmark, Mapping):
            raise _damaged(stream)


def check_bookmark(
    bookmark: Mapping[str, Any],
    stream: str,
    origin: Origin,
    now: datetime,
    most_ahead: timedelta = timedelta(),
) -> None:
    """Refuse a stream's bookmark that cannot be resumed from, partitions included.

    Args:
        bookmark: of the stream.
        stream: for the message.
        origin: whose rows this run reads.
        now: by the clock that is at hand.
        most_ahead: how much later a bookmark may be.

    Raises:
        InvalidState: as `read_checkpoint`; or the bookmark is of another origin, or of
            the future, and would leave out every row that is older than it.
    """
    partitions = _parts(bookmark, PARTITIONS, stream)
    left = _parts(bookmark, LEFT, stream)
    for part in (bookmark, *partitions, *left):
        checkpoint = read_checkpoint(part, stream)
        latest = max(filter(None, (checkpoint.bookmark, checkpoint.begun)), default=now)
        if latest > now + most_ahead:
            raise InvalidState(
                f"The state of {stream} is from the future ({latest.isoformat()}, and it "
                f"is {now.isoformat(timespec='seconds')}): a clock was or is wrong. Set "
                "this machine's clock; if it is right, clear the state to load the "
                "stream again from the start."
            )
        written = (
            Origin(part[_COMPANY], part.get(_ENTITY)) if _COMPANY in part else origin
        )
        if not written.is_same(origin):
            raise InvalidState(
                f"The state of {stream} is of {written}, but the settings sign in to "
                f"{origin}: use the state that belongs to it, or clear this one to load "
                "the stream again from the start."
            )


def _parts(
    bookmark: Mapping[str, Any], name: str, stream: str
) -> list[Mapping[str, Any]]:
    parts = bookmark.get(name, [])
    if not isinstance(parts, list):
        raise _damaged(stream)
    contexts: list[Any] = []
    for part in parts:
        context = part.get(CONTEXT) if isinstance(part, Mapping) else None
        if not isinstance(context, Mapping) or context in contexts:
            raise _damaged(stream)
        contexts.append(context)
    return parts


def read_checkpoint(bookmark: Mapping[str, Any], stream: str) -> Checkpoint:
    """The checkpoint in a stream's bookmark; an empty one starts over.

    Raises:
        InvalidState: written by a later version, or damaged.
    """
    version = bookmark.get("version", VERSION)
    if not isinstance(version, int) or version not in _READABLE:
        raise InvalidState(
            f"The state of {stream} has version {version}, which this version of the tap "
            "does not read: upgrade the tap, or clear the state to load the stream again "
            "from the start."
        )
    try:
        done = _instant(bookmark.get(_VALUE) or bookmark.get(_WHOLE))
        return Checkpoint(
            done,
            _unfinished(bookmark.get(READING) or {"pass": None}, done),
            _position(bookmark.get("highest")),
            _count(bookmark.get("rows")),
            _instant(bookmark.get(_DELETIONS_SINCE)),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise _damaged(stream) from None


def _damaged(stream: str) -> InvalidState:
    return InvalidState(
        f"The state of {stream} is damaged: clear it to load the stream again from the start."
    )


def write_checkpoint(
    checkpoint: Checkpoint,
    bookmark: MutableMapping[str, Any],
    replication_key: str | None,
    origin: Origin,
) -> None:
    """Put the checkpoint in place of the one that the bookmark holds.

    Args:
        checkpoint: to be written.
        bookmark: of the stream, or of a partition.
        replication_key: None of a stream that is read whole every time.
        origin: of the rows.
    """
    kept = {name: bookmark[name] for name in _KEPT if name in bookmark}
    done, highest = checkpoint.bookmark, checkpoint.highest
    bookmark.clear()
    bookmark.update(kept)
    is_whole = replication_key is None
    begun = None if done is None else done.isoformat()
    bookmark[REPLICATION_KEY] = replication_key
    # Targets take a value for a sign that only changes come.
    bookmark[_VALUE] = None if is_whole else begun
    bookmark[_WHOLE] = begun if is_whole else None
    bookmark["highest"] = None if highest is None else list(highest)
    if checkpoint.rows is not None:
        bookmark["rows"] = checkpoint.rows
    if checkpoint.deletions_since is not None:
        bookmark[_DELETIONS_SINCE] = checkpoint.deletions_since.isoformat()
    bookmark[_COMPANY] = origin.company
    if origin.entity is not None:
        bookmark[_ENTITY] = origin.entity
    bookmark["version"] = VERSION
    bookmark[READING] = _reading(checkpoint.unfinished)


def _reading(sync: UnfinishedSync | None) -> dict[str, Any]:
    if sync is None:
        return {"pass": None}
    return {
        "pass": sync.current_pass.value,
        "begun": sync.begun.isoformat(),
        "until": sync.until.isoformat(),
        "after": None if sync.after is None else list(sync.after),
    }


def _unfinished(
    reading: Mapping[str, Any], done: datetime | None
) -> UnfinishedSync | None:
    """The sync in hand; None if it is over, and a merge of states brought it back.

    A first sync has no bookmark before its end; a later one ends with a bookmark that
    is no earlier than its begin.
    """
    if reading["pass"] is None:
        return None
    current_pass, until = Pass(reading["pass"]), _instant(reading["until"])
    begun, after = _instant(reading.get("begun")) or until, _position(reading["after"])
    if begun is None or until is None:
        raise ValueError("until")
    if done and (current_pass is Pass.INITIAL or begun <= done):
        return None
    return UnfinishedSync(current_pass, begun, until, after)


def _position(values: Sequence[int | str] | None) -> Position | None:
    if values is None:
        return None
    if not values or not {int, str}.issuperset(map(type, values)):
        raise ValueError("position")
    return tuple(values)


def _count(value: int | None) -> int | None:
    if value is not None and type(value) is not int:
        raise ValueError("count")
    return value


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if instant.tzinfo is None:
        raise ValueError("zone")
    return instant
