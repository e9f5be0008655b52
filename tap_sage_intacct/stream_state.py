"""A stream's part of the Singer state, as a whole: what in it fits today's choices.

`state` reads and writes one checkpoint; here is what stands beside the checkpoints of
all partitions, and what follows from it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tap_sage_intacct.fingerprint import Fingerprint
from tap_sage_intacct.sources import ENTITY_ID
from tap_sage_intacct.state import (
    CONTEXT,
    KEYS,
    PARTITIONS,
    SELECTION,
    Checkpoint,
    read_checkpoint,
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
        return any(
            read_checkpoint(part, self.stream).bookmark is not None for part in parts
        )

    def lost_by_changes(self, partitions: Sequence[Mapping[str, Any]]) -> list[str]:
        """What the target will lack of today's choices, a sentence each.

        Args:
            partitions: in which the stream is read today.
        """
        if not self.fingerprint.is_incremental or not self.has_bookmark:
            return []
        earlier = self._earlier
        changes = [] if earlier is None else self.fingerprint.changes_since(earlier)
        left = self._entities_of(self._contexts) - self._entities_of(partitions)
        if left:
            names = ", ".join(sorted(left))
            changes.append(
                f"Entities are read no more: {names}. Their rows stay as they are."
            )
        return changes

    def forget_bookmarks(self) -> None:
        """Have the next sync begin with the first row there is."""
        kept = {name: self.written[name] for name in (KEYS,) if name in self.written}
        self.written.clear()
        self.written.update(kept)

    def resumable(self, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint; a first sync that broke off under other choices begins anew."""
        if checkpoint.bookmark is None and not self.broke_off_alike:
            has_choices = SELECTION in self.written
            return Checkpoint() if has_choices else checkpoint
        return checkpoint

    @cached_property
    def broke_off_alike(self) -> bool:
        """Whether what broke off was a reading of the same rows and columns.

        Not known of an older version's: a merge of states may have brought it back.
        """
        return self._earlier == self.fingerprint

    @cached_property
    def key_owner(self) -> KeyOwner:
        """The id of this state in a key store; a new one if it has none."""
        known = self.written.get(KEYS)
        if isinstance(known, str):
            return KeyOwner(known, takes_unowned=False)
        return KeyOwner(secrets.token_hex(8), takes_unowned=self.has_bookmark)

    def note(self, *, keeps_keys: bool) -> None:
        """Write what stands beside the checkpoints.

        Args:
            keeps_keys: whether a key store is used.
        """
        self.written[SELECTION] = self.fingerprint.to_state()
        if keeps_keys:
            self.written[KEYS] = self.key_owner.id

    @property
    def _earlier(self) -> Fingerprint | None:
        return Fingerprint.from_state(self.written.get(SELECTION))

    @property
    def _partitions(self) -> Sequence[Mapping[str, Any]]:
        partitions: Sequence[Mapping[str, Any]] = self.written.get(PARTITIONS, ())
        return partitions

    @property
    def _contexts(self) -> Iterator[Mapping[str, Any]]:
        return (part[CONTEXT] for part in self._partitions)

    @staticmethod
    def _entities_of(contexts: Iterable[Mapping[str, Any]]) -> set[str]:
        return {part[ENTITY_ID] for part in contexts if ENTITY_ID in part}
