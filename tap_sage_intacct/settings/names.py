"""Names of settings: which are misspelt, and which belong to another program.

A pipeline may pass settings for itself or for another plugin. A name that is almost a
setting of the tap is refused: the tap would silently ignore it otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from singer_sdk.helpers import capabilities

from tap_sage_intacct.settings.suggestions import did_you_mean

_LIKENESS = 0.8

OF_THE_SDK = frozenset(
    name
    for constant, schema in vars(capabilities).items()
    if constant.endswith("_CONFIG")
    for name in schema.get("properties", ())
)
"""Settings that the SDK gives to taps and targets."""


def misspelt_problems(names: Iterable[str], known: Collection[str]) -> list[str]:
    """A sentence for each name that is almost a known one."""
    return [
        f"There is no setting '{name}'{did_you_mean(name, known)}"
        for name in unknown_names(names, known)
        if _is_near(name, known)
    ]


def unknown_names(names: Iterable[str], known: Collection[str]) -> list[str]:
    """The names that neither the tap nor the SDK has."""
    return [name for name in names if name not in known and name not in OF_THE_SDK]


def _is_near(name: str, known: Collection[str]) -> bool:
    plain = name.lower().replace("-", "_")
    candidates = [candidate.lower() for candidate in (*known, *OF_THE_SDK)]
    return bool(get_close_matches(plain, candidates, n=1, cutoff=_LIKENESS))
