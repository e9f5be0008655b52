"""What a tap's messages prove of its streams: sent to the end, and sent whole. Pure.

A replace deletes what does not come, so it needs both proofs:

- *Ended*: the tap did not die in the middle. A tap that died and one that finished both
  end with the end of input, so only a message can be the sign.
- *Whole*: the run sent all rows, not only what changed since the run before. A tap's only
  memory is its STATE, so a tap whose STATE holds no position sends all rows.

ACTIVATE_VERSION after the last row proves both. What else counts as the end was found by
running taps of singer-sdk 0.54 and singer-python 6.8:

- The SDK writes STATE after each 10,000 rows of a stream and at its end, but no STATE that
  repeats the one before. So a full table of more rows has one after the first 10,000, and
  none at its end. A STATE after exactly 10,000 rows proves nothing.
- Told to emit ACTIVATE_VERSION, the SDK does so *before* the rows. So do classic taps for
  incremental streams. This proves nothing.
- A tap of the SDK that gets SIGTERM writes STATE and ends with exit code 0.
- Child streams come between the rows of their parent, with a STATE after each part.

Three cases stay that no message tells apart, all of taps of the SDK that die:

- SIGTERM reaches the tap alone (`timeout 1h tap | target`) in a full table that asks where
  to begin: its last STATE is that of a finished one.
- The first rows of a parent have no children, and the tap dies among the children of a
  later row: the parent looks ended.
- A child without partitions in its STATE is selected without its parent, and the tap dies
  before the second part.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import Any, Literal, TypeAlias

_EVEN = 100
"""A STATE after a multiple of so many rows may be one that comes at intervals.

The SDK's interval is 10,000, but taps change it, or write STATE after each page.
"""

_UNDER_WAY = (
    # singer-sdk: the first while a stream is read, the other if rows are not sorted.
    "starting_replication_value",
    "progress_markers",
    # tap-sage-intacct
    "reading",
    # classic database taps: a full table that is resumed by key
    "last_pk_fetched",
    "xmin",
)
"""What a bookmark holds only while its stream is being read."""

EndMark: TypeAlias = Literal["auto", "activate_version", "state", "none"]
"""What shows that a tap gave a stream whole before its output ended."""


class _Sign(Flag):
    """What came after the last row of a stream, and before any other."""

    NOTHING = 0
    ACTIVATED = auto()
    COVERED = auto()
    """A STATE from which the next run goes on after these rows."""
    STATE = auto()
    """The same, and it does not say that the stream is under way."""
    NAMED = auto()
    """A STATE that names the stream, while no other had come."""
    FINAL = auto()
    """The same, with the bookmark of a finished incremental stream."""
    MOVED_ON = auto()
    """`currently_syncing` named this stream, and no longer does."""
    SUCCEEDED = auto()
    """The first SCHEMA of another stream."""


_NOTHING = _Sign.NOTHING
_KEPT = _Sign.ACTIVATED | _Sign.COVERED
_CLOSING = _Sign.ACTIVATED | _Sign.NAMED | _Sign.FINAL | _Sign.MOVED_ON


@dataclass(slots=True)
class _Stream:
    """The course of one stream.

    Attributes:
        version: the one that the last row had.
        is_announced: no row came since its last SCHEMA.
        activates_first: ACTIVATE_VERSION came between SCHEMA and rows.
        pauses: a STATE came between its rows, so STATE is no sign of its end.
    """

    rows: int = 0
    version: object = None
    is_announced: bool = True
    activates_first: bool = False
    pauses: bool = False
    signs: _Sign = _Sign.NOTHING


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a stream at the end of input.

    Attributes:
        has_ended: there is the sign of the end that was asked for.
        is_covered: the next run goes on after the last row.
        position: why the run may have sent changes only: the part of STATE that may be
            the stream's position, or that there was no STATE; empty if it sent all rows.
        resumes: the stream went on where an earlier run had stopped.
    """

    has_ended: bool = False
    is_covered: bool = False
    position: str = ""
    resumes: bool = False


@dataclass(slots=True)
class Course:
    """Takes a tap's messages in their order; streams have the tap's names."""

    _streams: dict[str, _Stream] = field(default_factory=dict)
    _current: str = ""
    _left: set[str] = field(default_factory=set)
    _interleaves: bool = False
    _syncing: object = None
    _has_state: bool = False
    _named: set[str] = field(default_factory=set)
    _bookmarks: set[str] = field(default_factory=set)
    _elsewhere: set[str] = field(default_factory=set)
    _resumed: set[str] = field(default_factory=set)

    @property
    def streams(self) -> Collection[str]:
        """Those whose SCHEMA came."""
        return self._streams.keys()

    def take_schema(self, name: str) -> None:
        """A SCHEMA came."""
        is_new = name not in self._streams
        if is_new and self._current in self._streams:
            self._streams[self._current].signs |= _Sign.SUCCEEDED
        self._move_to(name)
        stream = self._streams.setdefault(name, _Stream())
        stream.signs = _NOTHING
        stream.is_announced = True

    def take_record(self, name: str, version: object) -> None:
        """A RECORD came; a stream without SCHEMA is not looked at."""
        stream = self._streams.get(name)
        if stream is None:
            return
        self._move_to(name)
        if stream.signs is not _NOTHING:
            stream.pauses |= bool(stream.rows and _Sign.COVERED in stream.signs)
            stream.signs = _NOTHING
        stream.rows += 1
        stream.is_announced = False
        if version is not None:
            stream.version = version

    def _move_to(self, name: str) -> None:
        if name != self._current:
            self._left.add(self._current)
            self._interleaves |= name in self._left
            self._current = name

    def take_activation(self, name: str, version: object) -> None:
        """An ACTIVATE_VERSION came."""
        stream = self._streams.get(name)
        if stream is None:
            return
        has_closed = bool(stream.signs & (_Sign.NAMED | _Sign.FINAL))
        if stream.is_announced and not has_closed:
            stream.activates_first = True
        elif stream.version in {None, version}:
            stream.signs |= _Sign.ACTIVATED

    def take_state(self, value: Mapping[str, Any]) -> None:
        """A STATE came."""
        self._has_state = True
        bookmarks = _mapping(value.get("bookmarks"))
        syncing = value.get("currently_syncing")
        self._note_positions(value, bookmarks)
        for name, stream in self._streams.items():
            if syncing != name:
                stream.signs |= _signs_of_any(bookmarks.get(name))
                if self._syncing == name:
                    stream.signs |= _Sign.MOVED_ON
        self._syncing = syncing
        entry = bookmarks.get(self._current)
        if isinstance(entry, Mapping) and not syncing and not _is_under_way(entry):
            self._streams[self._current].signs |= _sign_of_named(entry)

    def _note_positions(
        self, value: Mapping[str, Any], bookmarks: Mapping[str, Any]
    ) -> None:
        for name, entry in bookmarks.items():
            self._named.add(name)
            if _remembers(entry):
                self._bookmarks.add(name)
            if name not in self._streams and _is_under_way(entry):
                self._resumed.add(name)
        for name, entry in value.items():
            if not _is_usual(name, entry) and _remembers(entry):
                self._elsewhere.add(name)

    def evidence(self, names: Collection[str], mark: EndMark) -> Evidence:
        """What is known of streams that are loaded as one.

        Args:
            names: streams whose SCHEMA came.
            mark: the sign to look for.
        """
        return Evidence(
            all(self._has_ended(name, mark) for name in names),
            all(bool(self._streams[name].signs & _KEPT) for name in names),
            next(filter(None, (self._position(name, mark) for name in names)), ""),
            not self._resumed.isdisjoint(names),
        )

    def _has_ended(self, name: str, mark: EndMark) -> bool:
        stream = self._streams[name]
        if mark == "activate_version":
            is_empty = stream.activates_first and not stream.rows
            return is_empty or _Sign.ACTIVATED in stream.signs
        if mark == "state":
            return _Sign.STATE in stream.signs
        return mark == "none" or self._shows_end(name, stream)

    def _shows_end(self, name: str, stream: _Stream) -> bool:
        if _Sign.ACTIVATED in stream.signs:
            return True
        if stream.version is not None and not stream.activates_first:
            # The tap will say so itself, unless it is one that does so beforehand.
            return False
        if _Sign.MOVED_ON in stream.signs:
            return True
        if self._interleaves or self._may_be_child(name):
            return False
        may_be_interval = stream.pauses or (stream.rows and not stream.rows % _EVEN)
        return (
            _Sign.FINAL in stream.signs
            or (_Sign.NAMED in stream.signs and not may_be_interval)
            or (_Sign.SUCCEEDED in stream.signs and bool(stream.rows))
        )

    def _may_be_child(self, name: str) -> bool:
        """Whether a stream before it has neither rows nor an end: maybe its parent."""
        for other, stream in self._streams.items():
            if other == name:
                return False
            if not stream.rows and not stream.signs & _CLOSING:
                return True
        return False

    def _position(self, name: str, mark: EndMark) -> str:
        if _Sign.ACTIVATED in self._streams[name].signs:
            return ""
        if not self._has_state:
            # Without a sign of the end the user vouches for it, and a tap that ended
            # without STATE remembers nothing.
            return "" if mark == "none" else "there was no STATE"
        if name in self._bookmarks or name in self._elsewhere:
            return f"STATE holds a bookmark of {name}"
        others = self._elsewhere - self._streams.keys()
        if name not in self._named:
            # A bookmark may go by another name than the stream.
            others |= self._bookmarks - self._streams.keys()
        return f"STATE holds '{min(others)}', which may belong to it" if others else ""


def _is_usual(name: str, entry: object) -> bool:
    """Whether a part of STATE is where all taps have it."""
    if name == "currently_syncing":
        return isinstance(entry, str)
    return name == "bookmarks" and isinstance(entry, Mapping)


def _signs_of_any(entry: object) -> _Sign:
    """What a STATE proves, by its bookmark of a stream."""
    if any(part.get("progress_markers") for part in _parts(entry)):
        # The SDK's for rows that come in no order: the next run starts again.
        return _Sign.NOTHING
    return _Sign.COVERED if _is_under_way(entry) else _Sign.COVERED | _Sign.STATE


def _sign_of_named(entry: Mapping[str, Any]) -> _Sign:
    if "partitions" in entry:
        # Children write one after each part.
        return _Sign.NOTHING
    is_final = entry.get("replication_key_value") is not None
    return _Sign.FINAL if is_final else _Sign.NAMED


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _is_under_way(entry: object) -> bool:
    return any(
        _remembers(part.get(name)) or (name == _UNDER_WAY[0] and name in part)
        for part in _parts(entry)
        for name in _UNDER_WAY
    )


def _parts(entry: object) -> Iterator[Mapping[str, Any]]:
    """A bookmark, and those of its partitions."""
    bookmark = _mapping(entry)
    yield bookmark
    partitions = bookmark.get("partitions")
    for part in partitions if isinstance(partitions, list) else ():
        yield _mapping(part)


def _remembers(entry: object, of: str = "") -> bool:
    """Whether it holds any value, apart from the context that names a partition.

    Args:
        entry: a part of STATE.
        of: the name of the list that holds it; empty if none does.
    """
    if isinstance(entry, Mapping):
        return any(
            _remembers(value, name if isinstance(value, list) else "")
            for name, value in entry.items()
            if (of, name) != ("partitions", "context")
        )
    if isinstance(entry, list):
        return any(_remembers(part, of) for part in entry)
    return entry is not None
