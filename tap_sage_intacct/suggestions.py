"""The nearest right names, to go on with after a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST = 3
_LEAST_LIKENESS = 0.5


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that there is not."""
    spelling = {word.upper(): word for word in known}
    near = difflib.get_close_matches(
        name.upper(), spelling, n=_MOST, cutoff=_LEAST_LIKENESS
    )
    if not near:
        return "."
    return f": did you mean {' or '.join(spelling[word] for word in near)}?"
