"""A target whose states Meltano merges: `--state-strategy=merge`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.loading import Loader, is_under_way

State = dict[str, Any]


def merge(newer: State, into: State) -> State:
    """As `meltano.core.utils.merge`: objects key by key, anything else replaced."""
    for key, value in newer.items():
        if isinstance(value, dict):
            merge(value, into.setdefault(key, {}))
        else:
            into[key] = value
    return into


@dataclass
class MergingLoader(Loader):
    """Goes on from all states that its target wrote, merged.

    Attributes:
        writes_all: the target writes each STATE that it gets, not the last one alone.
        written: the last one, as the tap wrote it.
    """

    writes_all: bool = True
    written: State | None = None

    def _keep_state(self, states: Sequence[State]) -> None:
        for state in states if self.writes_all else states[-1:]:
            self.state = merge(state, self.state or {})
        self.written = states[-1]

    @property
    def is_under_way(self) -> bool:
        return is_under_way(self.written)
