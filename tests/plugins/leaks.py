"""Fails every test that lets a secret out, wherever it went.

Knows pytest and bytes, nothing of what is tested. Looked at: what a test prints and
logs, what it reads from its capture fixtures, what processes that it runs say, and
the files that it leaves. A secret is looked for by its longest plain part, which no
escaping of JSON, XML, URLs or shells changes, in any case.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Collection, Generator
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pytest

P = ParamSpec("P")
T = TypeVar("T")

OUTPUTS = frozenset(
    {".csv", ".db", ".html", ".json", ".jsonl", ".log", ".sql", ".sqlite", ".txt"}
)
LEAST_LENGTH = 8
"""Of a secret's plain part: what is shorter may occur by chance."""

_SESSION_ID = re.compile(rb"[0-9a-f]{32}\.\.")


class LeakScanner:
    """A plugin of pytest's, and what loaders show their output to."""

    def __init__(self, *secrets: str, inputs: Collection[str] = ()) -> None:
        """Start with nothing seen.

        Args:
            secrets: that nothing may show.
            inputs: names of files by which tests hand the secrets over.

        Raises:
            ValueError: a secret that might occur by chance.
        """
        self._parts = {_plain_part(secret) for secret in secrets}
        self._inputs = inputs
        self._leaks: dict[str, None] = {}
        self._sections_seen = 0
        self._folder: Path | None = None
        self._patches = pytest.MonkeyPatch()

    def look_at(self, text: str | bytes | None, place: str) -> None:
        """Remember a leak, so that the test fails in the end whatever it catches."""
        if not text:
            return
        data = text.encode(errors="replace") if isinstance(text, str) else text
        data = data.lower()
        # Sessions let in whoever has one; the dots are found faster than the digits.
        if any(part in data for part in self._parts) or (
            b".." in data and _SESSION_ID.search(data)
        ):
            self._leaks[place] = None

    def pytest_configure(self) -> None:
        """From now on look at what processes say, and at what tests read back."""
        self._patch(subprocess.Popen, "communicate", "the output of a process")
        self._patch(pytest.CaptureFixture, "readouterr", "what was printed")

    def pytest_unconfigure(self) -> None:
        """Leave all as it was."""
        self._patches.undo()

    @pytest.fixture(autouse=True)
    def _folder_of_outputs(self, request: pytest.FixtureRequest) -> None:
        """Also that of a test which leaves it to its fixtures."""
        uses = "tmp_path" in request.fixturenames
        self._folder = request.getfixturevalue("tmp_path") if uses else None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail the test that leaked, by the place and not by the secret."""
        report = yield
        if call.when == "setup":
            self._sections_seen = 0
        for name, text in report.sections[self._sections_seen :]:
            self.look_at(text, name)
        self._sections_seen = len(report.sections)
        if call.when == "call":
            self._look_at_files()
        if self._leaks:
            places = ", ".join(self._leaks)
            self._leaks.clear()
            report.outcome = "failed"
            report.longrepr = f"{report.longrepr or ''}\na secret leaked: {places}"
        return report

    def _look_at_files(self) -> None:
        for path in self._folder.rglob("*") if self._folder else ():
            is_output = path.suffix in OUTPUTS and path.name not in self._inputs
            if is_output and path.is_file():
                self.look_at(path.read_bytes(), path.name)

    def _patch(self, owner: type, name: str, place: str) -> None:
        original = getattr(owner, name)
        self._patches.setattr(owner, name, self._looking_at(original, place))

    def _looking_at(self, original: Callable[P, T], place: str) -> Callable[P, T]:
        @wraps(original)
        def looked_at(*args: P.args, **kwargs: P.kwargs) -> T:
            outputs: Any = original(*args, **kwargs)
            for output in outputs:
                self.look_at(output, place)
            return outputs  # type: ignore[no-any-return]

        return looked_at


def _plain_part(secret: str) -> bytes:
    part: str = max(re.findall(r"[\w-]+", secret), key=len).lower()
    if len(part) < LEAST_LENGTH:
        raise ValueError("a secret of the tests needs eight plain characters in a row")
    return part.encode()
