"""Who signs in: the web services sender and the company's web services user.

A `Secret` shows itself only to who asks by name, so that it cannot slip into a log, an
error or a state by being formatted.
"""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override


class Secret:
    """A text whose `repr` and `str` are masked."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself; for the request document only."""
        return self._text

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self._text)

    @override
    def __repr__(self) -> str:
        """Masked, whatever the secret."""
        return "Secret(****)"

    @override
    def __eq__(self, other: object) -> bool:
        """Equal texts are equal secrets."""
        return isinstance(other, Secret) and other._text == self._text

    @override
    def __hash__(self) -> int:
        """As the text."""
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Sender:
    """The web services sender: who calls. Both values are case-sensitive [D]."""

    sender_id: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Login:
    """The web services user: on whose behalf. `entity_id` None is the top level."""

    company_id: str
    user_id: str
    password: Secret
    entity_id: str | None = None
