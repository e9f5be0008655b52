"""The choices that a state was written for, so that another choice is noticed.

An incremental sync reads what changed since its bookmark. Rows that a wider filter lets
in, or that an earlier start date adds, have not changed, and so never arrive; a field
that was added stays empty in them. A state holds no value of a row, so a filter stands
in it as a hash, and each field as a short one.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

from tap_sage_intacct.intacct.query import Condition

_FIELD_BYTES = 3
_FIELD_CHARACTERS = 4
_FILTER_BYTES = 9
_DIGEST_BYTES = 6


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A stream's choices, as far as they decide which rows and columns arrive.

    Attributes:
        object_name: what is read, with its document type.
        replication_key: by which changes are read; None of a full table.
        filter: a hash of the user's condition.
        start_date: as in the settings, ISO 8601; None for everything.
        fields: a hash per selected field, another one if its values leave as hashes.
        names: the selected fields by their hashes; empty of one that a state holds.
    """

    object_name: str
    replication_key: str | None
    filter: str
    start_date: str | None
    fields: frozenset[str]
    names: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def of(
        cls,
        object_name: str,
        *,
        replication_key: str | None,
        condition: Condition | None,
        start_date: datetime | None,
        fields: Mapping[str, str],
    ) -> Fingerprint:
        """The fingerprint of today's choices.

        Args:
            object_name: as in the attributes.
            replication_key: as in the attributes.
            condition: the user's filter.
            start_date: as in the settings.
            fields: the selected ones, each with a text that changes with its form.
        """
        names = {_hash(form, _FIELD_BYTES): name for name, form in fields.items()}
        return cls(
            object_name,
            replication_key,
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
                str(written["object"]),
                written["replication_key"],
                str(written["filter"]),
                written["start_date"],
                frozenset(hashes),
            )
        except (KeyError, TypeError):
            return None

    def to_state(self) -> dict[str, Any]:
        """For a state; some four characters a field."""
        return {
            "object": self.object_name,
            "replication_key": self.replication_key,
            "filter": self.filter,
            "start_date": self.start_date,
            "fields": "".join(sorted(self.fields)),
        }

    @property
    def digest(self) -> str:
        """Of all that decides which rows and columns a reading gives."""
        columns = repr((self.start_date, sorted(self.fields)))
        return f"{self._digest_of_rows}.{_hash(columns, _DIGEST_BYTES)}"

    @property
    def _digest_of_rows(self) -> str:
        return _hash(repr((self.object_name, self.filter)), _DIGEST_BYTES)

    def has_rows_of(self, digest: str) -> bool:
        """Whether the digest is of a reading of the same object under the same filter."""
        return digest.startswith(f"{self._digest_of_rows}.")

    def changes_since(self, earlier: Fingerprint) -> Iterator[str]:
        """What the target will lack, a sentence each; none where nothing."""
        if self.object_name != earlier.object_name:
            yield (
                f"It was read from {earlier.object_name} and is now read from "
                f"{self.object_name}. Only rows that change will arrive from there."
            )
        if earlier.replication_key not in {None, self.replication_key}:
            yield (
                f"Its replication key was {earlier.replication_key} and is now "
                f"{self.replication_key}. Changes that {earlier.replication_key} did not "
                "show are missing."
            )
        if self.filter != earlier.filter:
            yield (
                "Its filter changed. Rows that only the new filter matches are missing "
                "until they change; rows that only the old one matched stay."
            )
        if self._starts_before(earlier.start_date):
            yield (
                f"Its start_date was {earlier.start_date} and is now "
                f"{self.start_date or 'not set'}. Rows last modified before "
                f"{earlier.start_date} are missing."
            )
        if added := self.fields - earlier.fields:
            yield (
                f"Fields were added, or their values hashed in another way: "
                f"{', '.join(sorted(self.names[mark] for mark in added))}. Rows that have "
                "not changed since keep what they had."
            )

    def _starts_before(self, earlier: str | None) -> bool:
        if earlier is None or self.start_date is None:
            return earlier is not None
        return datetime.fromisoformat(self.start_date) < datetime.fromisoformat(earlier)


def _hash(text: str, size: int) -> str:
    return b64encode(blake2b(text.encode(), digest_size=size).digest()).decode()
