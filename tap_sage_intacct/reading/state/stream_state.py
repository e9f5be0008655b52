"""A stream's part of the Singer state, and what in it fits today's choices.

`checkpoint` reads and writes the bookmark of one partition. This module looks at the
bookmarks of all partitions, and at what stands beside them.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

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
    """What a stream's state holds, and what this run writes into it.

    Attributes:
        written: the bookmark in the Singer state, which is changed in place.
        fingerprint: of today's choices.
        stream: for messages.
        origin: of the rows.
    """

    written: MutableMapping[str, Any]
    fingerprint: Fingerprint
    stream: str
    origin: Origin

    @property
    def has_bookmark(self) -> bool:
        """Whether a sync of the stream, or of a part of it, was complete."""
        return any(map(self._is_synced, (self.written, *self._partitions)))

    def lost_by_changes(self, contexts: Sequence[Mapping[str, Any]]) -> list[str]:
        """What the target lacks of today's choices, or has beyond them, a sentence each.

        Args:
            contexts: the partitions in which the stream is read today.
        """
        if self.fingerprint.replication_key is None:
            return []
        parts = self._of(contexts) or [self.written]
        changes: list[str] = []
        if self.has_bookmark:
            earlier = Fingerprint.from_state(self.written.get(SELECTION))
            if earlier is not None:
                changes += self.fingerprint.changes_since(earlier)
            if not changes and self._is_mixed(parts, earlier):
                changes.append(
                    "Parts of it were last read under still other filters, fields or "
                    "start_date. Changes that those left out are missing."
                )
        if any(map(self._broke_off_elsewhere, parts)):
            changes.append(
                "A reading with another filter broke off and starts again. Rows that only "
                "that filter matched stay."
            )
        return changes

    def left_behind(self, contexts: Sequence[Mapping[str, Any]]) -> list[str]:
        """A sentence about the entities that are read no more, if there are any."""
        known = {part[CONTEXT].get(ENTITY_ID) for part in self._partitions}
        left = known - {None, *(context.get(ENTITY_ID) for context in contexts)}
        if not left or self.fingerprint.replication_key is None:
            return []
        names = ", ".join(sorted(left))
        return [f"Entities are read no more: {names}. Their rows stay as they are."]

    def load_again(self) -> None:
        """Have the next sync load all rows again."""
        for part in (self.written, *self._partitions):
            self._write_reload(part)
        self.written.pop(SELECTION, None)

    def checkpoint(self, part: Mapping[str, Any]) -> Checkpoint:
        """Where a part goes on; a sync that broke off under other choices is dropped.

        Args:
            part: the bookmark of a partition, or the stream's own.
        """
        if part.keys() <= {CONTEXT}:
            part = next((p for p in self._left if p[CONTEXT] == part[CONTEXT]), part)
        checkpoint = read_checkpoint(part, self.stream)
        if checkpoint.unfinished is None or self._has_same_choices(
            part, if_unknown=True
        ):
            return checkpoint
        logger.info(
            "%s: a reading broke off under other choices, and starts again.",
            self.stream,
        )
        if checkpoint.bookmark is None:
            return checkpoint.reload
        return replace(checkpoint, unfinished=None)

    def whole(self, part: Mapping[str, Any]) -> Checkpoint:
        """As `checkpoint`, of a full table.

        The state of an older version does not say under which choices a reading broke
        off, or whether a merge of states brought it back.
        """
        checkpoint = read_checkpoint(part, self.stream)
        if self._has_same_choices(part, if_unknown=False):
            return checkpoint
        return replace(checkpoint, unfinished=None)

    def write(self, checkpoint: Checkpoint, part: MutableMapping[str, Any]) -> None:
        """Put a checkpoint in place of the one that a part holds.

        Args:
            checkpoint: to be written.
            part: the bookmark of a partition, or the stream's own.
        """
        if not self.has_bookmark:
            self._note_selection()
        key = self.fingerprint.replication_key
        write_checkpoint(checkpoint, part, key, self.origin)
        place = part if checkpoint.unfinished is None else part[READING]
        place[FINGERPRINT] = self.fingerprint.digest

    def complete(self, contexts: Sequence[Mapping[str, Any]]) -> None:
        """All partitions were read under today's choices.

        Of other partitions only entities are kept: if one is read again, the target
        must learn what was deleted meanwhile.

        Args:
            contexts: the partitions in which the stream is read today.
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
            self._write_reload(part)
        # Also where empty: a merge of states would bring the former list back.
        self.written[PARTITIONS] = self._of(contexts)
        self.written[LEFT] = list(left.values())

    def note_key_owner(self) -> None:
        """Write the id under which the key store has this state's keys."""
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

    def _has_same_choices(self, part: Mapping[str, Any], *, if_unknown: bool) -> bool:
        """Whether the sync in hand reads the same rows and columns as today's."""
        reading = part.get(READING) or {}
        if FINGERPRINT not in reading:
            return if_unknown
        is_same_key = part.get(REPLICATION_KEY) == self.fingerprint.replication_key
        return is_same_key and reading[FINGERPRINT] == self.fingerprint.digest

    def _is_mixed(
        self, parts: Sequence[Mapping[str, Any]], earlier: Fingerprint | None
    ) -> bool:
        """Whether a part was last read under choices that neither of the two has."""
        known = {chosen.digest for chosen in (self.fingerprint, earlier) if chosen}
        return any(
            self._is_synced(part) and part.get(FINGERPRINT) not in {None, *known}
            for part in parts
        )

    def _broke_off_elsewhere(self, part: Mapping[str, Any]) -> bool:
        """Whether the sync in hand reads other rows than today's."""
        digest = (part.get(READING) or {}).get(FINGERPRINT)
        if digest is None or read_checkpoint(part, self.stream).unfinished is None:
            return False
        return not self.fingerprint.has_rows_of(str(digest))

    def _is_synced(self, part: Mapping[str, Any]) -> bool:
        return read_checkpoint(part, self.stream).bookmark is not None

    def _write_reload(self, part: MutableMapping[str, Any]) -> None:
        reload = read_checkpoint(part, self.stream).reload
        write_checkpoint(reload, part, self.fingerprint.replication_key, self.origin)
        part.pop(FINGERPRINT, None)

    def _of(
        self, contexts: Sequence[Mapping[str, Any]]
    ) -> list[MutableMapping[str, Any]]:
        return [part for part in self._partitions if part[CONTEXT] in contexts]

    @property
    def _left(self) -> list[MutableMapping[str, Any]]:
        return cast("list[MutableMapping[str, Any]]", self.written.get(LEFT, []))

    @property
    def _partitions(self) -> list[MutableMapping[str, Any]]:
        return cast("list[MutableMapping[str, Any]]", self.written.get(PARTITIONS, []))
