"""Sandbox and tap driven together: whatever happens between any two calls, it converges.

Hypothesis interleaves changes of the company with syncs, interrupted syncs and the calls
inside them; when changes stop, the upserted target must equal the company.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from intacct_sandbox import Switches, UserFormatting
from tap_sage_intacct.intacct.pages import key_set
from tests.loading import ROADS, Loader
from tests.reading.convergence.machine import Machine
from tests.reading.convergence.merging import MergingLoader
from tests.reading.test_zones import CHANGES, at

pytestmark = pytest.mark.long

EXAMPLES = int(os.environ.get("CONVERGENCE_EXAMPLES", "60"))
# Shrinking a failure takes minutes; the seed repeats it, CONVERGENCE_SHRINK shrinks it.
PHASES = (
    Phase.generate,
    *([Phase.shrink] if os.environ.get("CONVERGENCE_SHRINK") else []),
)

MOMENT = timedelta(seconds=1)
STAMPS = frozenset({"WHENMODIFIED", "WHENCREATED", "AUWHENCREATED", "MODIFIED"})


class LongSyncs(Machine):
    """Syncs last longer than the lookback, and changes show almost as late as it."""

    subjects = (
        "key-set", "window", "lines", "readMore", "offset", "entities", "periods",
        "start-date",
    )  # fmt: skip
    latest = timedelta(minutes=10)
    longest_call = timedelta(minutes=5)
    are_late = True
    limits: ClassVar[Mapping[str, object]] = {"lookback_minutes": 10}


class Zones(Machine):
    """The API user's clock is set forward or back; stamps are what the documents say."""

    subjects = (
        "key-set", "window", "lines", "readMore", "offset", "entities", "start-date",
    )  # fmt: skip
    longest_call = timedelta(minutes=3)

    def world(self, data: st.DataObject) -> tuple[datetime, Switches]:
        zone, changes = data.draw(st.sampled_from(list(CHANGES.items())))
        change = at(data.draw(st.sampled_from(changes)))
        before = timedelta(minutes=data.draw(st.sampled_from([60, 30, 90, 180, 1])))
        formatting = UserFormatting(
            time_zone=zone,
            stamps=data.draw(st.sampled_from(["own_day", "current"])),
            repeated=data.draw(st.sampled_from(["first", "second"])),
        )
        self.change, self.zone = change, ZoneInfo(zone)
        self.is_named = data.draw(st.booleans())
        # Elsewhere the tap cannot know: an hour may be missing or too much.
        self.is_exact = self.is_named and formatting.stamps == "own_day"
        return change - before, Switches(formatting=formatting)

    def settings(self, key_store: str = "keys") -> dict[str, object]:
        named = {"user_timezone": str(self.zone)} if self.is_named else {}
        return {**super().settings(key_store), **named}

    def is_right(self, name: str, expected: object, found: object) -> bool:
        if expected == found or not (expected and found) or name not in STAMPS:
            return expected == found
        stamp = datetime.fromisoformat(str(expected))
        shift = self._offset(self.change) - self._offset(self.change - MOMENT)
        is_repeated = self.change <= stamp < self.change - shift
        off = datetime.fromisoformat(str(found)) - stamp
        return (is_repeated or not self.is_exact) and abs(off) == abs(shift)

    def _offset(self, instant: datetime) -> timedelta:
        return instant.astimezone(self.zone).utcoffset() or timedelta()


class MergedStates(Machine):
    """Each run goes on from what Meltano makes of all states before it."""

    subjects = (
        "key-set", "window", "lines", "readMore", "offset", "entities", "periods",
        "full-table",
    )  # fmt: skip

    def targets(self, data: st.DataObject) -> list[Loader]:
        return [MergingLoader(self.settings(), writes_all=data.draw(st.booleans()))]


class TwoPipelines(Machine):
    """Two targets with a state each, and perhaps with one key store by mistake."""

    subjects = ("key-set", "window", "lines", "readMore", "entities", "periods")

    def targets(self, data: st.DataObject) -> list[Loader]:
        stores = data.draw(st.sampled_from([("one", "other"), ("same", "same")]))
        return [Loader(self.settings(store)) for store in stores]


class NewOwners(Machine):
    """Records move from entity to entity, to the top level and back."""

    subjects = ("moving", "moving-key-set", "moving-readMore")


CAMPAIGNS: Mapping[str, tuple[type[Machine], tuple[str, ...]]] = {
    **{
        name: (Machine, (name,))
        for name in (
            "key-set", "window", "lines", "readMore", "offset", "entities", "periods",
        )
    },
    **{
        name: (machine, machine.subjects)
        for name, machine in {
            "long-syncs": LongSyncs,
            "zones": Zones,
            "merged-states": MergedStates,
            "two-pipelines": TwoPipelines,
            "new-owners": NewOwners,
        }.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_target_equals_the_company_when_changes_stop(
    name: str,
    small_books: Path,
    record_property: Callable[[str, object], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # So that where pages start is guessed in these small books too.
    monkeypatch.setattr(key_set, "LEAST_PAGES_TO_GUESS", 2)
    chosen = int(os.environ.get("CONVERGENCE_SEED", secrets.randbelow(10**9)))
    record_property("campaign", f"{name}: seed {chosen}")
    each = ceil(EXAMPLES / len(ROADS))
    for place, road in enumerate(ROADS):
        held = drive(name, small_books, road, chosen + place, each)
        shown = " x ".join(map(str, road.values()))
        of = ", ".join(f"{n} of {subject}" for subject, n in sorted(held.items()))
        record_property("campaign", f"{name}, {shown}: {of} held")
        assert held.total() >= each


def drive(
    name: str, small_books: Path, on: dict[str, Any], with_seed: int, most: int
) -> Counter[str]:
    """Try examples on one road; how many held, by subject."""
    machine, names = CAMPAIGNS[name]

    class Driven(machine):  # type: ignore[valid-type,misc]
        subjects = names
        books = small_books
        examples: ClassVar[Counter[str]] = Counter()
        road = on

    run_state_machine_as_test(
        seed(with_seed)(Driven),
        settings=settings(
            max_examples=most,
            stateful_step_count=8,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=PHASES,
            database=None,
        ),
    )
    return Driven.examples
