"""Record what `sage-intacct` and a run show, as pictures for the documentation.

    python -m tools.record_screens docs/screens

Each screen is a command or a run against a sandbox of its own, whose company, clock and
timer are always the same, so that recording again gives the same text.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI, TerminalTheme

from intacct_sandbox import Company, ManualClock, Sandbox, Switches, UserFormatting
from tap_sage_intacct.companion.cli import main
from tap_sage_intacct.companion.invocation import Surroundings
from tools.recorded_run import Moment, record_run

NOON = datetime(2026, 6, 30, 12, tzinfo=timezone.utc)
WIDTH = 110
THEME: TerminalTheme = MONOKAI
SECONDS_PER_TICK = 0.4
"""What every call takes, by the recording's own timer."""

RUN = ("bills", "customers", "vendors")
JOURNAL = "gl_journal_entry_lines"
RUN_SETTINGS = {
    "page_size": 100,
    "include_deletes": True,
    # It goes by the real clock.
    "maintenance_window": {"action": "ignore"},
}
RUN_TITLE = "tap-sage-intacct --config … --catalog … --state … | target-duckdb"
HALF_WAY = Moment(JOURNAL, page=4)
RUN_WIDTH = 130

PROJECT = """\
plugins:
  extractors:
    - name: tap-sage-intacct
      select:
        # What the board sees.
        - gl_accounts.*
        - gl_account_balances.*
        - gl_journal_entry_lines.*
        - departments.*
        - vendors.*
        - contracts.*
      config:
        balance_periods: {from: 2026-01, type: month}
        include_deletes: true
"""


@dataclass(frozen=True)
class Screen:
    """A command, and the company that it meets."""

    arguments: tuple[str, ...]
    switches: Switches = field(default_factory=Switches)
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The command as it is typed."""
        words = (f'"{word}"' if " " in word else word for word in self.arguments)
        return " ".join(("sage-intacct", *words))


def _screens(contracts: frozenset[str]) -> dict[str, Screen]:
    return {
        "doctor": Screen(("doctor",)),
        "doctor-wrong-sender": Screen(("doctor",), settings={"sender_password": "x"}),
        "doctor-sender-not-authorised": Screen(
            ("doctor",), Switches(sender_authorised=False)
        ),
        "doctor-address-filter": Screen(("doctor",), Switches(address_allowed=False)),
        "doctor-permissions": Screen(
            ("doctor",),
            Switches(
                denied_objects=frozenset({"VENDOR"}), unsubscribed_objects=contracts
            ),
        ),
        "doctor-preferences": Screen(
            ("doctor",),
            Switches(formatting=UserFormatting(gmt_offset="-08:00", clock="12")),
        ),
        "fields": Screen(("fields", "customers", "--search", "account")),
        "preview": Screen(
            (
                "preview",
                "gl_accounts",
                "--fields",
                "ACCOUNTNO,ACCOUNTTYPE,NORMALBALANCE,STATUS",
                "--filter",
                "ACCOUNTTYPE = 'balancesheet'",
                "-n",
                "8",
            )
        ),
        "plan": Screen(("plan",), settings={"page_size": 100}),
        "select": Screen(
            (
                "select",
                "bills",
                "--field",
                "RECORDNO",
                "--field",
                "TOTALDUE",
                "--filter",
                "TOTALDUE > 1000",
                "--related",
                "VENDOR.CREDITLIMIT",
            )
        ),
    }


def record_screens() -> Iterator[tuple[str, str]]:
    """Each screen's name, and its picture as SVG."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "company.sqlite"
        clock = ManualClock(NOON)
        company = Company.create(path, clock=clock)
        contracts = {n for n in company.definitions if n.startswith("CONTRACT")}
        with contextlib.closing(company):
            for name, screen in _screens(frozenset(contracts)).items():
                console = _record(company, screen)
                yield name, _picture(console, name, screen.title)
            for name, console in _record_runs(company, clock).items():
                yield name, _picture(console, name, RUN_TITLE)


def _record_runs(company: Company, clock: ManualClock) -> dict[str, Console]:
    """The display in a first load, and the end of a run in which a little changed."""
    progress, summary = _console(RUN_WIDTH), _console(RUN_WIDTH)
    with Sandbox(company) as sandbox:
        config = {**sandbox.config(), **RUN_SETTINGS}
        loaded = (*RUN, JOURNAL)
        state = record_run(config, loaded, progress, now=NOON, until=HALF_WAY)
        clock.advance(3600)
        with company.transaction():
            company.update("VENDOR", 1, {"NAME": "Changed"})
            company.delete("APBILL", 3)
        clock.advance(60)
        record_run(config, RUN, summary, now=clock.now(), state=state)
    return {"progress": progress, "summary": summary}


def _console(width: int) -> Console:
    return Console(
        record=True,
        width=width,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        _environ={},
    )


def _record(company: Company, screen: Screen) -> Console:
    console = _console(WIDTH)
    ticks = itertools.count()
    surroundings = Surroundings(
        screen=console,
        now=lambda: NOON,
        timer=lambda: next(ticks) * SECONDS_PER_TICK,
    )
    with _project() as folder, Sandbox(company, switches=screen.switches) as sandbox:
        settings = {**sandbox.config(), **screen.settings}
        path = folder / "config.json"
        path.write_text(json.dumps(settings), encoding="utf-8")
        with contextlib.suppress(SystemExit):
            main.main(
                [*screen.arguments, "--config", str(path)],
                prog_name="sage-intacct",
                obj=surroundings,
            )
    return console


@contextlib.contextmanager
def _project() -> Iterator[Path]:
    """A working folder with a meltano.yml, and no settings in the environment."""
    before = Path.cwd()
    hidden = {n: v for n, v in os.environ.items() if n.startswith("TAP_SAGE_INTACCT_")}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "meltano.yml").write_text(PROJECT, encoding="utf-8")
        for name in hidden:
            del os.environ[name]
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)
            os.environ.update(hidden)


def _picture(console: Console, name: str, title: str) -> str:
    """The screen as SVG that loads no font from anywhere."""
    svg = console.export_svg(title=title, theme=THEME, unique_id=name)
    svg = re.sub(r"@font-face \{[^}]*\}\s*", "", svg)
    return svg.replace("Fira Code, monospace", "monospace")


def write_screens(folder: Path) -> None:
    """Write all screens into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in record_screens():
        path = folder / f"{name}.svg"
        path.write_text(f"{svg.rstrip()}\n", encoding="utf-8")
        print(path)


if __name__ == "__main__":
    write_screens(Path(sys.argv[1]))
