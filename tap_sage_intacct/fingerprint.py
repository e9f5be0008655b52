"""What of a stream a state was written for, so that another choice does not go unnoticed.

An incremental sync reads what changed since its bookmark. Rows that a wider filter lets
in, or that an earlier start date adds, have not changed, and so never arrive; a field
that was added stays empty in them. A state holds no value of a row, so a filter stands
in it as a hash, and each field as a short one.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.query import Condition

_FIELD_BYTES = 3
_FIELD_CHARACTERS = 4
_FILTER_BYTES = 9


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A stream's choices, as far as they decide which rows and columns arrive.

    Attributes:
        is_incremental: whether the stream is read from a bookmark.
        filter: a hash of the user's condition.
        start_date: as in the settings, ISO 8601; None for everything.
        fields: a hash per selected field.
        names: the selected fields by their hashes; empty of one that a state holds.
    """

    is_incremental: bool
    filter: str
    start_date: str | None
    fields: frozenset[str]
    names: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def of(
        cls,
        *,
        is_incremental: bool,
        condition: Condition | None,
        start_date: datetime | None,
        fields: Iterable[str],
    ) -> Fingerprint:
        """The fingerprint of today's choices."""
        names = {_hash(name, _FIELD_BYTES): name for name in fields}
        return cls(
            is_incremental,
            _hash(repr(condition), _FILTER_BYTES),
            None if start_date is None else start_date.isoformat(),
            frozenset(names),
            names,
        )

    @classmethod
    def from_state(cls, written: Any) -> Fingerprint | None:
        """As `to_state` wrote it; None where nothing that can be read is there."""
        try:
            fields = written["fields"]
            hashes = [
                fields[start : start + _FIELD_CHARACTERS]
                for start in range(0, len(fields), _FIELD_CHARACTERS)
            ]
            return cls(
                bool(written["incremental"]),
                str(written["filter"]),
                written["start_date"],
                frozenset(hashes),
            )
        except (KeyError, TypeError):
            return None

    def to_state(self) -> dict[str, Any]:
        """For a state; some four characters a field."""
        return {
            "incremental": self.is_incremental,
            "filter": self.filter,
            "start_date": self.start_date,
            "fields": "".join(sorted(self.fields)),
        }

    def changes_since(self, earlier: Fingerprint) -> list[str]:
        """What the target will lack, a sentence each; empty where nothing."""
        return [
            sentence
            for sentence in (
                self._filter_change(earlier),
                self._start_change(earlier),
                self._field_change(earlier),
            )
            if sentence
        ]

    def _filter_change(self, earlier: Fingerprint) -> str:
        if self.filter == earlier.filter:
            return ""
        return (
            "Its filter changed. Rows that only the new filter matches are missing until "
            "they change; rows that only the old one matched stay."
        )

    def _start_change(self, earlier: Fingerprint) -> str:
        if earlier.start_date is None:
            return ""
        before = datetime.fromisoformat(earlier.start_date)
        if self.start_date and datetime.fromisoformat(self.start_date) >= before:
            return ""
        return (
            f"Its start_date was {earlier.start_date} and is now "
            f"{self.start_date or 'not set'}. Rows last modified before "
            f"{earlier.start_date} are missing."
        )

    def _field_change(self, earlier: Fingerprint) -> str:
        added = sorted(self.names[mark] for mark in self.fields - earlier.fields)
        if not added:
            return ""
        return (
            f"Fields were added: {', '.join(added)}. They stay empty in rows that have "
            "not changed since."
        )


def _hash(text: str, size: int) -> str:
    return b64encode(blake2b(text.encode(), digest_size=size).digest()).decode()
