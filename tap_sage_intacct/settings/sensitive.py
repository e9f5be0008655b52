"""What becomes of sensitive fields: left out, hashed or kept."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase

from tap_sage_intacct.intacct.http.credentials import Secret


class Treatment(Enum):
    """What becomes of sensitive fields."""

    DROP = "drop"
    HASH = "hash"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class SensitivePolicy:
    """Which sensitive fields a run offers, and how.

    Attributes:
        treatment: DROP leaves out what `included` does not name; HASH and KEEP offer
            all, or what `included` lists.
        included: all of them, none, or those that fit a `stream.FIELD` pattern.
        salt: the key of the hashes.
    """

    treatment: Treatment = Treatment.DROP
    included: bool | tuple[str, ...] = False
    salt: Secret = field(default_factory=lambda: Secret(""))

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
