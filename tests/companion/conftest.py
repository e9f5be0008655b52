"""The companion command, in a folder of its own, against a sandboxed company."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from intacct_sandbox import Sandbox
from tap_sage_intacct.companion.cli import main
from tap_sage_intacct.companion.invocation import Surroundings
from tests.conftest import NOON
from tests.loading import PERIODS


@dataclass
class Command:
    """Runs `sage-intacct`; what it shows never holds a secret."""

    folder: Path
    settings: dict[str, Any]

    def __call__(
        self,
        *arguments: str,
        given: str | None = None,
        surroundings: Surroundings | None = None,
        **changes: Any,
    ) -> Result:
        """Run it.

        Args:
            arguments: of the command.
            given: what is typed at its prompts.
            surroundings: the clock, for instance.
            changes: settings besides those of the sandbox; None leaves one out.
        """
        settings = {**self.settings, **changes}
        stated = {name: value for name, value in settings.items() if value is not None}
        path = self.folder / "config.json"
        path.write_text(json.dumps(stated))
        result = CliRunner().invoke(
            main,
            [*arguments, "--config", str(path)],
            input=given,
            obj=surroundings or Surroundings(now=lambda: NOON),
        )
        for secret in ("user_password", "sender_password"):
            assert str(self.settings[secret]) not in result.output
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str, **changes: Any) -> Any:
        """Its result as a document."""
        result = self(*arguments, "--json", **changes)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def error(self, *arguments: str, **changes: Any) -> str:
        """Its one line about what is wrong."""
        result = self(*arguments, **changes)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        *_, line = result.stderr.splitlines()
        assert line.startswith("sage-intacct: ")
        return line


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and no settings in the environment."""
    for name in [name for name in os.environ if name.startswith("TAP_SAGE_INTACCT_")]:
        monkeypatch.delenv(name)
    found = tmp_path / "project"
    found.mkdir()
    monkeypatch.chdir(found)
    return found


@pytest.fixture
def command(sandbox: Sandbox, folder: Path) -> Command:
    """The command with the sandbox's settings in a file."""
    return Command(folder, {**sandbox.config(), "balance_periods": list(PERIODS)})


@pytest.fixture
def offline(folder: Path) -> Iterator[Callable[..., Result]]:
    """The command without any credentials."""

    def run(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(main, arguments, **options)

    yield run
    assert not (folder / "config.json").exists()
