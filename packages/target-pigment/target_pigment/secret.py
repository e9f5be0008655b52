"""A text that does not show itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from typing_extensions import override

MASK = "****"


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A text whose `repr` and `str` are masked."""

    _text: str

    def reveal(self) -> str:
        """The text itself; for the Authorization header only."""
        return self._text

    def masked(self, text: str) -> str:
        """Another text, without this one in it, however its case was changed."""
        if not self._text:
            return text
        # JSON may write a slash with a backslash before it.
        pattern = re.escape(self._text).replace("/", r"\\?/")
        return re.sub(pattern, MASK, text, flags=re.IGNORECASE)

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self._text)

    @override
    def __repr__(self) -> str:
        """Masked, whatever the secret."""
        return f"Secret({MASK})"
