"""What happens to sensitive fields: left out, hashed or kept."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any

from singer_sdk import typing as th

from tap_sage_intacct.intacct.secrets.credentials import Secret
from tap_sage_intacct.settings.declaration import choice, secret, setting
from tap_sage_intacct.settings.environment import boolean_of, from_json, texts_of


class Treatment(Enum):
    """What happens to sensitive fields."""

    DROP = "drop"
    HASH = "hash"
    KEEP = "keep"


def _included(given: Any) -> bool | tuple[str, ...]:
    value = from_json(given)
    if isinstance(value, str):
        return boolean_of(value)
    if isinstance(value, bool):
        return value
    patterns = texts_of(value)
    if not all("." in pattern for pattern in patterns):
        raise ValueError
    return patterns or False


@dataclass(frozen=True, slots=True)
class SensitivePolicy:
    """Which sensitive fields a run offers, and how.

    Attributes:
        included: all of them, none, or those that fit a `stream.FIELD` pattern.
        treatment: DROP leaves out what `included` does not name; HASH and KEEP offer
            all, or what `included` lists.
        salt: the key of the hashes.
    """

    included: bool | tuple[str, ...] = setting(
        "Which bank, tax, pay and personal fields discovery offers: `true` for all, or a list "
        "of `stream.FIELD` patterns such as `employees.BIRTHDATE`. Other sensitive fields "
        "cannot be selected.",
        th.CustomType(
            {"type": ["boolean", "array", "string"], "items": {"type": "string"}}
        ),
        name="include_sensitive",
        read=_included,
        fault="include_sensitive must be true, false or a list of stream.FIELD patterns "
        "such as employees.BIRTHDATE; it is '{}'.",
        default=False,
        title="Include sensitive fields",
    )
    treatment: Treatment = choice(
        Treatment.DROP,
        "What happens to sensitive fields. `drop`: only those that include_sensitive allows "
        "are offered, unchanged. `hash`: they are offered as keyed hashes only. `keep`: they "
        "are offered unchanged. With `hash` and `keep`, a list in include_sensitive narrows "
        "what is offered.",
        name="sensitive",
        title="Sensitive fields",
    )
    salt: Secret = secret(
        "The key of the hashes of `sensitive: hash` (HMAC-SHA256): a long random text. Another "
        "salt gives other hashes.",
        name="sensitive_salt",
        title="Salt of hashes",
    )

    def offers(self, stream: str, field_id: str) -> bool:
        """Whether a sensitive field can be selected."""
        if isinstance(self.included, tuple):
            name = f"{stream}.{field_id}"
            return any(fnmatchcase(name, pattern) for pattern in self.included)
        return self.included or self.treatment is not Treatment.DROP

    @property
    def hashes(self) -> bool:
        """Whether sensitive fields leave as hashes."""
        return self.treatment is Treatment.HASH

    def hash_column(self, texts: Sequence[str]) -> list[str | None]:
        """Keyed hashes (HMAC-SHA256, in hex) of texts as Intacct sent them.

        The same text has the same hash in every stream, so that hashes can be joined;
        an empty text is null.
        """
        key = self.salt.reveal().encode()
        return [
            hmac.new(key, text.encode(), hashlib.sha256).hexdigest() if text else None
            for text in texts
        ]
