"""docs/errors.md shows what people see: each of its messages is provoked, and no other.

The tap runs against the sandbox of Intacct, the target against that of Pigment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from intacct_sandbox import Company, ManualClock, Sandbox
from tap_sage_intacct.intacct.errors import RULES, ErrorDetail, Level, Rule, classify
from tests.code_messages import told_in
from tests.intacct.test_errors import CASES
from tests.provocations import PROVOCATIONS, table_case
from tests.provoking import Provocation, Scene, Told
from tests.target_provocations import (
    TARGET_PROVOCATIONS,
    TargetScene,
    target_scene,
)

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "errors.md"
TAP = ROOT / "tap_sage_intacct"
# What the companion says, people have asked for on the spot.
ON_THE_SPOT = {TAP / "companion", TAP / "selection" / "source_lookup.py"}
CODE = [
    path for path in TAP.rglob("*.py") if not ON_THE_SPOT & {path, *path.parents}
] + list((ROOT / "packages" / "target-pigment" / "target_pigment").rglob("*.py"))
# The look at the key, which comes before the first push, fails before it.
NEVER_MET = (
    "no trusted connection to …; check base_url and the certificates of this machine."
)
ENTRY = re.compile(
    r"^### (?P<id>[a-z0-9-]+)\n\n```text\n(?P<messages>(?:.+\n)+?)```\n\n"
    r"(?:Cause: .+\n\n)?Remedy: .+$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Message:
    """A line of an entry, in which … stands for what differs."""

    entry: str
    text: str

    def is_in(self, line: str) -> bool:
        """Whether a line of the log says so."""
        parts = [re.escape(part) for part in self.text.split("…")]
        return re.search(".*?".join(parts), line) is not None


@cache
def messages() -> list[Message]:
    text = PAGE.read_text(encoding="utf-8")
    return [
        Message(found["id"], line)
        for found in ENTRY.finditer(text)
        for line in found["messages"].splitlines()
    ]


def message_of(provocation: Provocation[Any]) -> Message:
    (found,) = (
        message
        for message in messages()
        if message.entry == provocation.entry and provocation.words in message.text
    )
    return found


def assert_told(provocation: Provocation[Any], told: Told) -> None:
    assert told.code == provocation.code, told
    warns = provocation.warns or not provocation.code
    lines = told.warnings if warns else told.last
    assert any(message_of(provocation).is_in(line) for line in lines), told


@pytest.fixture
def scene(
    sandbox: Sandbox,
    company: Company,
    clock: ManualClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    with closing(Scene(sandbox, company, clock, tmp_path, monkeypatch)) as found:
        yield found


@pytest.mark.parametrize("provocation", PROVOCATIONS, ids=lambda found: found.name)
def test_tap_says_so(
    scene: Scene, caplog: pytest.LogCaptureFixture, provocation: Provocation[Scene]
) -> None:
    provocation.prepare(scene)
    assert_told(provocation, scene.run(caplog))


@pytest.mark.parametrize(
    "provocation", TARGET_PROVOCATIONS, ids=lambda found: found.name
)
def test_target_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    provocation: Provocation[TargetScene],
) -> None:
    with target_scene(tmp_path, monkeypatch) as scene:
        provocation.prepare(scene)
        assert_told(provocation, scene.run(caplog))


def remedy(level: Level, errorno: str, text: str) -> str:
    return classify(level, [ErrorDetail(errorno, "", text)]).remedy


@pytest.mark.parametrize("case", CASES, ids=[f"{c[1]}-{c[2][:24]}" for c in CASES])
def test_refusal_of_the_table_says_so(
    scene: Scene, caplog: pytest.LogCaptureFixture, case: tuple[Level, str, str, type]
) -> None:
    """However Intacct says no, what the run says of it is on the page."""
    table_case(*case[:3])(scene)
    told = scene.run(caplog)
    said = remedy(*case[:3])
    lines = told.last if told.code else told.warnings
    (line,) = (line for line in lines if said in line)
    assert any(said in shown.text and shown.is_in(line) for shown in messages())


def test_entries_have_ids_of_their_own() -> None:
    headings = re.findall(r"^### (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert headings == [
        found["id"] for found in ENTRY.finditer(PAGE.read_text("utf-8"))
    ]
    assert len(set(headings)) == len(headings)


def test_every_message_of_the_page_is_provoked() -> None:
    provoked = {message_of(p) for p in PROVOCATIONS}
    provoked |= {message_of(p) for p in TARGET_PROVOCATIONS}
    remedies = [remedy(*case[:3]) for case in CASES]
    by_table = {m for m in messages() if any(said in m.text for said in remedies)}
    assert set(messages()) - provoked - by_table == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.errorno}{rule.text}")
def test_every_row_of_the_error_table_is_on_the_page(rule: Rule) -> None:
    assert any(rule.remedy in shown.text for shown in messages())


def test_every_message_of_the_code_is_on_the_page() -> None:
    """What is raised, warned of, or found wrong with the settings."""
    shown = [message.text for message in messages()]
    missing = [
        found
        for path in CODE
        for found in told_in(path.read_text(encoding="utf-8"))
        if not any(found.search(text) for text in (*shown, NEVER_MET))
    ]
    assert missing == []
