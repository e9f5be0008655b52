"""Words for messages about what is wrong: the nearest right names, long texts cut."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST = 3
_LEAST_LIKENESS = 0.5
_LONGEST_QUOTE = 40


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: the nearest known ones."""
    spelling = {word.upper(): word for word in known}
    near = difflib.get_close_matches(
        name.upper(), spelling, n=_MOST, cutoff=_LEAST_LIKENESS
    )
    if not near:
        return "."
    return f": did you mean {' or '.join(spelling[word] for word in near)}?"


def shortened(text: str) -> str:
    """The text, cut where it is too long to be shown in a message."""
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."
