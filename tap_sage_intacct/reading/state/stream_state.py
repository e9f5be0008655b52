"""A stream's part of the Singer state, as a whole: what in it fits today's choices.

`state` reads and writes one checkpoint; here is what stands beside the checkpoints of
all partitions, and what follows from it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tap_sage_intacct.catalog.sources import ENTITY_ID
from tap_sage_intacct.reading.state.checkpoint import (
    CONTEXT,
    FINGERPRINT,
    KEYS,
    LEFT,
    PARTITIONS,
    READING,
    REPLICATION_KEY,
    SELECTION,
    Checkpoint,
    Origin,
    read_checkpoint,
    write_checkpoint,
)
from tap_sage_intacct.reading.state.fingerprint import Fingerprint

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """The state that a part of the key store belongs to.

    Attributes:
        id: stands in the state, and in the store.
        takes_unowned: whether the state is of an earlier version, which wrote no id, and
            so are the keys that belong to it.
    """

    id: str
    takes_unowned: bool


@dataclass
class StreamState:
    """What a stream's state says, and what this run writes into it.

    Attributes:
        written: the bookmark in the Singer state, which is changed in place.
        fingerprint: of today's choices.
        stream: for messages.
    """

    written: MutableMapping[str, Any]
    fingerprint: Fingerprint
    stream: str

    @property
    def has_bookmark(self) -> bool:
        """Whether a sync of the stream, or of a part of it, was complete."""
        parts = (self.written, *self._partitions)
        return any(_is_synced(part, self.stream) for part in parts)

    def lost_by_changes(self, contexts: Sequence[Mapping[str, Any]]) -> list[str]:
        """What the target lacks of today's choices, or has beyond them, a sentence each.

        Args:
            contexts: the partitions in which the stream is read today.
        """
        if self.fingerprint.replication_key is None:
            return []
        parts = [part for part in self._partitions if part[CONTEXT] in contexts]
        parts = parts or [self.written]
        changes = []
        if self.has_bookmark:
            earlier = Fingerprint.from_state(self.written.get(SELECTION))
            changes = [] if earlier is None else self.fingerprint.changes_since(earlier)
            if not changes and self._is_mixed(parts, earlier):
                changes.append(
                    "Parts of it were last read under still other filters, fields or "
                    "start_date. Changes that those left out are missing."
                )
        if any(map(self._broke_off_elsewhere, parts)):
            changes.append(
                "A reading with another filter broke off and begins anew. Rows that only "
                "that filter matched stay."
            )
        return changes

    def left_behind(self, contexts: Sequence[Mapping[str, Any]]) -> list[str]:
        """A sentence about the entities that are read no more, if there are any."""
        left = self._entities_of(self._contexts) - self._entities_of(contexts)
        if not left or self.fingerprint.replication_key is None:
            return []
        names = ", ".join(sorted(left))
        return [f"Entities are read no more: {names}. Their rows stay as they are."]

    def load_anew(self, origin: Origin) -> None:
        """Have the next sync begin with the first row there is.

        Args:
            origin: of the rows.
        """
        for part in (self.written, *self._partitions):
            self._begin_anew(part, origin)
        self.written.pop(SELECTION, None)

    def checkpoint(self, part: Mapping[str, Any]) -> Checkpoint:
        """Where a part goes on; a reading that broke off under other choices is dropped.

        Args:
            part: the bookmark of a partition, or the stream's own.
        """
        if part.keys() <= {CONTEXT}:
            part = next((p for p in self._left if p[CONTEXT] == part[CONTEXT]), part)
        checkpoint = read_checkpoint(part, self.stream)
        if checkpoint.progress is None or self._broke_off_alike(part, if_unknown=True):
            return checkpoint
        logger.info(
            "%s: a reading broke off under other choices, and begins anew.", self.stream
        )
        if checkpoint.bookmark is None:
            return checkpoint.anew
        return replace(checkpoint, progress=None)

    def whole(self, part: Mapping[str, Any]) -> Checkpoint:
        """As `checkpoint`, of a full table.

        Of an older version's state it is not known what broke off: a merge of states may
        have brought it back.
        """
        checkpoint = read_checkpoint(part, self.stream)
        if self._broke_off_alike(part, if_unknown=False):
            return checkpoint
        return replace(checkpoint, progress=None)

    def write(
        self, checkpoint: Checkpoint, part: MutableMapping[str, Any], origin: Origin
    ) -> None:
        """Put a checkpoint in place of the one that a part holds.

        Args:
            checkpoint: to be written.
            part: the bookmark of a partition, or the stream's own.
            origin: of the rows.
        """
        if not self.has_bookmark:
            self._note_selection()
        write_checkpoint(checkpoint, part, self.fingerprint.replication_key, origin)
        if checkpoint.progress is None:
            part[FINGERPRINT] = self.fingerprint.digest
        else:
            part[READING][FINGERPRINT] = self.fingerprint.digest

    def complete(self, contexts: Sequence[Mapping[str, Any]], origin: Origin) -> None:
        """All partitions were read under today's choices.

        Of the others only entities are remembered: one that is read again must learn
        what was deleted meanwhile.

        Args:
            contexts: the partitions in which the stream is read today.
            origin: of the rows.
        """
        self._note_selection()
        if PARTITIONS not in self.written:
            return
        left = {
            part[CONTEXT][ENTITY_ID]: part
            for part in (*self._left, *self._partitions)
            if part[CONTEXT] not in contexts and set(part[CONTEXT]) == {ENTITY_ID}
        }
        for part in left.values():
            self._begin_anew(part, origin)
        # Also where empty: a merge of states would bring the former list back.
        self.written[PARTITIONS] = [
            part for part in self._partitions if part[CONTEXT] in contexts
        ]
        self.written[LEFT] = list(left.values())

    def note_key_owner(self) -> None:
        """Write whose keys the key store keeps."""
        self.written[KEYS] = self.key_owner.id

    @cached_property
    def key_owner(self) -> KeyOwner:
        """The id of this state in a key store; a new one if it has none."""
        known = self.written.get(KEYS)
        if isinstance(known, str):
            return KeyOwner(known, takes_unowned=False)
        return KeyOwner(secrets.token_hex(8), takes_unowned=self.has_bookmark)

    def _note_selection(self) -> None:
        self.written[SELECTION] = self.fingerprint.to_state()

    def _broke_off_alike(self, part: Mapping[str, Any], *, if_unknown: bool) -> bool:
        """Whether what broke off was a reading of the same rows and columns."""
        reading = part.get(READING) or {}
        if FINGERPRINT not in reading:
            return if_unknown
        is_same_key = part.get(REPLICATION_KEY) == self.fingerprint.replication_key
        return is_same_key and reading[FINGERPRINT] == self.fingerprint.digest

    def _is_mixed(
        self, parts: Sequence[Mapping[str, Any]], earlier: Fingerprint | None
    ) -> bool:
        """Whether a part was last read neither as today nor as all were before."""
        known = {chosen.digest for chosen in (self.fingerprint, earlier) if chosen}
        return any(
            _is_synced(part, self.stream)
            and part.get(FINGERPRINT) not in {None, *known}
            for part in parts
        )

    def _broke_off_elsewhere(self, part: Mapping[str, Any]) -> bool:
        """Whether the reading in hand is of other rows than today's."""
        digest = (part.get(READING) or {}).get(FINGERPRINT)
        is_under_way = read_checkpoint(part, self.stream).progress is not None
        is_known = is_under_way and digest is not None
        return is_known and not self.fingerprint.has_rows_of(str(digest))

    def _begin_anew(self, part: MutableMapping[str, Any], origin: Origin) -> None:
        anew = read_checkpoint(part, self.stream).anew
        write_checkpoint(anew, part, self.fingerprint.replication_key, origin)
        part.pop(FINGERPRINT, None)

    @property
    def _left(self) -> Sequence[MutableMapping[str, Any]]:
        left: Sequence[MutableMapping[str, Any]] = self.written.get(LEFT, ())
        return left

    @property
    def _partitions(self) -> Sequence[MutableMapping[str, Any]]:
        partitions: Sequence[MutableMapping[str, Any]]
        partitions = self.written.get(PARTITIONS, ())
        return partitions

    @property
    def _contexts(self) -> Iterator[Mapping[str, Any]]:
        return (part[CONTEXT] for part in self._partitions)

    @staticmethod
    def _entities_of(contexts: Iterable[Mapping[str, Any]]) -> set[str]:
        return {part[ENTITY_ID] for part in contexts if ENTITY_ID in part}


def _is_synced(part: Mapping[str, Any], stream: str) -> bool:
    return read_checkpoint(part, stream).bookmark is not None
