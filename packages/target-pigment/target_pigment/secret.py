"""A text that does not show itself."""

from __future__ import annotations

import re

from typing_extensions import override

MASK = "****"


class Secret:
    """A text whose `repr` and `str` are masked.

    It is without the line break with which keys come out of files.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text.strip()

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

    @override
    def __eq__(self, other: object) -> bool:
        """Equal texts are equal secrets."""
        return isinstance(other, Secret) and other._text == self._text

    @override
    def __hash__(self) -> int:
        """As the text."""
        return hash(self._text)
