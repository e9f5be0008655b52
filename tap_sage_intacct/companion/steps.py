"""What the doctor looked at: a step, how it came out, and what fixes it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tap_sage_intacct.catalog.sources import DATA_SOURCES

if TYPE_CHECKING:
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
        name: for programs; a stream's name for its source.
        title: for people.
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


TITLES = {
    "settings": "Settings",
    "network": "Network",
    "sender": "Sender ID and password",
    "authorisation": "Sender authorised for the company",
    "subscription": "Web Services subscription",
    "address": "Address filter",
    "user": "User ID and password",
    "entity": "Entity",
    "preferences": "Date and time preferences",
    **{source.stream_name: source.title for source in DATA_SOURCES},
    "audit_trail": "Audit trail",
    "connections": "Connection limit",
    "usage": "API usage",
    "maintenance": "Maintenance window",
}


def is_well(steps: Collection[Step]) -> bool:
    """Whether a pipeline would run: nothing failed, warnings or not."""
    return all(step.verdict is not Verdict.FAILED for step in steps)


def ok(name: str, found: str = "") -> Step:
    """A step that is as it should be."""
    return Step(name, TITLES[name], Verdict.OK, found)


def warned(name: str, found: str, remedy: str, answer: str = "") -> Step:
    """A step that a pipeline can live with."""
    return Step(name, TITLES[name], Verdict.WARNING, found, remedy, answer)


def failed(name: str, found: str, remedy: str, answer: str = "") -> Step:
    """A step without which no pipeline runs."""
    return Step(name, TITLES[name], Verdict.FAILED, found, remedy, answer)


def answer_of(error: IntacctError) -> str:
    """What Intacct itself said, apart from what we make of it."""
    return str(error).removeprefix(error.remedy).strip()


def skipped(names: Sequence[str], reason: str) -> Iterator[Step]:
    """Steps that could not be looked at."""
    for name in names:
        yield Step(name, TITLES[name], Verdict.SKIPPED, reason)
