"""Loads an estate of companies, a stream of a company at a time.

    python examples/estate.py acme                 # every stream of one company
    python examples/estate.py acme gl_details      # one stream
    python examples/estate.py acme gl_details --full-refresh

A scheduler gives each (company, stream) a task of its own: the state, and the keys that
the tap remembers, are kept apart, so that tasks may run on several workers at once. On
one worker they queue, since runs of one Meltano project overwrite one another's catalog.
Secrets are read from the environment when a task runs and stand in no command:
ACME_TAP_SAGE_INTACCT_USER_PASSWORD becomes TAP_SAGE_INTACCT_USER_PASSWORD for acme.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

COMPANIES = ("acme", "globex")
STREAMS = (
    "gl_accounts",
    "gl_details",
    "gl_journal_entries",
    "bills",
    "invoices",
    "customers",
    "vendors",
    "departments",
    "locations",
)
SCHEDULE = "0 11 * * *"
"""In UTC: after Sage's maintenance window, in winter and in summer."""

TASKS_AT_ONCE = 2
"""Of one company: Intacct limits connections by company, not by user."""

PROJECT = Path(__file__).resolve().parents[1]
KEY_STORES = Path(os.environ.get("KEY_STORES", PROJECT / ".meltano"))
"""A folder on a volume that each worker reaches, if there are several."""


@dataclass(frozen=True)
class Task:
    """A stream of a company."""

    company: str
    stream: str

    def run(self, *options: str) -> int:
        """Run Meltano; returns its exit code, 0 if all is loaded."""
        loader = os.environ.get("LOADER", "target-postgres")
        command = [os.environ.get("MELTANO", "meltano"), "run", *options]
        command += [f"--state-id-suffix={self.company}-{self.stream}"]
        with _alone_on_this_worker():
            return subprocess.run(
                [*command, "tap-sage-intacct", loader],
                cwd=PROJECT,
                env=self._environment(),
                check=False,
            ).returncode

    def _environment(self) -> dict[str, str]:
        prefix = f"{self.company.upper()}_"
        own = {
            name.removeprefix(prefix): value
            for name, value in os.environ.items()
            if name.startswith(prefix)
        }
        keys = KEY_STORES / f"keys-{self.company}-{self.stream}.sqlite"
        return {
            **os.environ,
            "TAP_SAGE_INTACCT__SELECT": json.dumps([f"{self.stream}.*"]),
            "TAP_SAGE_INTACCT_KEY_STORE": str(keys),
            **own,
        }


@contextmanager
def _alone_on_this_worker() -> Iterator[None]:
    folder = PROJECT / ".meltano"
    folder.mkdir(exist_ok=True)
    with (folder / "estate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def tasks() -> Iterator[Task]:
    """All of the estate."""
    for company in COMPANIES:
        for stream in STREAMS:
            yield Task(company, stream)


def main(arguments: Sequence[str]) -> int:
    """Run the tasks that the command line names; 1 if any of them failed."""
    options = [word for word in arguments if word.startswith("--")]
    company, *streams = [word for word in arguments if word not in options]
    codes = [Task(company, stream).run(*options) for stream in streams or STREAMS]
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
