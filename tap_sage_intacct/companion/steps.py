"""What the doctor looked at: a step, how it came out, and what fixes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum

from tap_sage_intacct.intacct.errors import IntacctError


class Verdict(Enum):
    """How a step came out."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at.

    Attributes:
        name: of the check, as is the title.
        found: what was found, without a full stop.
        remedy: what to do, in whole sentences; empty where nothing is to be done.
        answer: Intacct's own words, with the id to quote to Sage's support.
    """

    name: str
    title: str
    verdict: Verdict
    found: str = ""
    remedy: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A thing to look at, before it is known how it comes out.

    Attributes:
        name: for programs; a stream's name for its source.
        title: for people.
    """

    name: str
    title: str

    def ok(self, found: str = "") -> Step:
        """It is as it should be."""
        return Step(self.name, self.title, Verdict.OK, found)

    def warned(self, found: str, remedy: str, answer: str = "") -> Step:
        """A pipeline can live with it."""
        return Step(self.name, self.title, Verdict.WARNING, found, remedy, answer)

    def failed(self, found: str, remedy: str, answer: str = "") -> Step:
        """No pipeline runs like this."""
        return Step(self.name, self.title, Verdict.FAILED, found, remedy, answer)

    def skipped(self, reason: str) -> Step:
        """It could not be looked at."""
        return Step(self.name, self.title, Verdict.SKIPPED, reason)


def is_well(steps: Collection[Step]) -> bool:
    """Whether a pipeline would run: nothing failed, warnings or not."""
    return all(step.verdict is not Verdict.FAILED for step in steps)


def answer_of(error: IntacctError) -> str:
    """What Intacct itself said, apart from what we make of it."""
    return str(error).removeprefix(error.remedy).strip()


def skipped(checks: Iterable[Check], reason: str) -> list[Step]:
    """Things that could not be looked at."""
    return [check.skipped(reason) for check in checks]
