"""A stream's part of the Singer state, as a whole: what in it fits today's choices.

`state` reads and writes one checkpoint; here is what stands beside the checkpoints of
all partitions, and what follows from it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tap_sage_intacct.fingerprint import Fingerprint
from tap_sage_intacct.sources import ENTITY_ID
from tap_sage_intacct.state import (
    CONTEXT,
    FINGERPRINT,
    KEYS,
    PARTITIONS,
    READING,
    REPLICATION_KEY,
    SELECTION,
    Checkpoint,
    Origin,
    read_checkpoint,
    write_checkpoint,
)


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
        """What the target will lack of today's choices, a sentence each.

        Args:
            contexts: the partitions in which the stream is read today.
        """
        if self.fingerprint.replication_key is None or not self.has_bookmark:
            return []
        earlier = Fingerprint.from_state(self.written.get(SELECTION))
        changes = [] if earlier is None else self.fingerprint.changes_since(earlier)
        if not changes and self._is_mixed(contexts, earlier):
            changes.append(
                "Parts of it were last read under still other filters, fields or "
                "start_date. Changes that those left out are missing."
            )
        left = self._entities_of(self._contexts) - self._entities_of(contexts)
        if left:
            names = ", ".join(sorted(left))
            changes.append(
                f"Entities are read no more: {names}. Their rows stay as they are."
            )
        return changes

    def load_anew(self, origin: Origin) -> None:
        """Have the next sync begin with the first row there is.

        Args:
            origin: of the rows.
        """
        partitions = self._partitions
        for part in (self.written, *partitions):
            anew = read_checkpoint(part, self.stream).anew
            write_checkpoint(anew, part, self.fingerprint.replication_key, origin)
            part.pop(FINGERPRINT, None)
        self.written.pop(SELECTION, None)
        if partitions:
            self.written[PARTITIONS] = partitions

    def checkpoint(self, part: Mapping[str, Any]) -> Checkpoint:
        """Where a part goes on; a reading that broke off under other choices is dropped.

        Args:
            part: the bookmark of a partition, or the stream's own.
        """
        checkpoint = read_checkpoint(part, self.stream)
        if checkpoint.progress is None or self._broke_off_alike(part, if_unknown=True):
            return checkpoint
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

    def complete(self, contexts: Sequence[Mapping[str, Any]]) -> None:
        """All partitions were read under today's choices; others are forgotten."""
        self._note_selection()
        kept = [part for part in self._partitions if part[CONTEXT] in contexts]
        self.written.pop(PARTITIONS, None)
        if kept:
            self.written[PARTITIONS] = kept

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
        self, contexts: Sequence[Mapping[str, Any]], earlier: Fingerprint | None
    ) -> bool:
        """Whether a part was last read neither as today nor as all were before."""
        parts = [part for part in self._partitions if part[CONTEXT] in contexts]
        known = {chosen.digest for chosen in (self.fingerprint, earlier) if chosen}
        return any(
            _is_synced(part, self.stream)
            and part.get(FINGERPRINT) not in {None, *known}
            for part in parts or [self.written]
        )

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
