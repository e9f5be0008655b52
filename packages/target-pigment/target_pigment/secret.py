"""A text that does not show itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that its `repr` and `str` do not show."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        """The text itself; for the Authorization header only."""
        return self._text

    def masked(self, text: str) -> str:
        """Another text, without this one in it, however its case was changed."""
        if not self:
            return text
        # JSON may write a slash with a backslash before it.
        pattern = re.escape(self._text).replace("/", r"\\?/")
        return re.sub(pattern, "****", text, flags=re.IGNORECASE)

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self._text)
