"""Asks whether anything in this environment has a known vulnerability; `make audit`.

Ends with 1 if something has. Where nobody can be asked, since there is no network or the
index keeps no such data, it says so and ends with 0: a machine without network still
runs CI. Options are pip-audit's, such as `--ignore-vuln=ID`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

EXIT_USAGE = 2


@dataclass(frozen=True)
class Verdict:
    """What to print, and the exit code."""

    lines: tuple[str, ...]
    exit_code: int


def judge(output: str, errors: str, exit_code: int) -> Verdict:
    """Read what pip-audit said.

    Args:
        output: its report as JSON; empty if it came to none.
        errors: what it logged.
        exit_code: its own: 1 for a finding and for a failure alike.
    """
    if not output.strip():
        last = (errors.strip().splitlines() or ["no reason was given"])[-1]
        could_not = f"Dependencies were not audited: {last}"
        return Verdict((could_not,), EXIT_USAGE if exit_code == EXIT_USAGE else 0)
    found = json.loads(output)["dependencies"]
    audited = [entry for entry in found if "vulns" in entry]
    findings = tuple(
        f"{entry['name']} {entry['version']}: {vulnerability['id']}, fixed in "
        f"{', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for entry in audited
        for vulnerability in entry["vulns"]
    )
    summary = f"{len(audited)} of {len(found)} dependencies were audited."
    if not audited:
        summary = (
            "Dependencies were not audited: the index knows of no vulnerabilities."
        )
    return Verdict((*findings, summary), int(bool(findings)))


def main(options: Sequence[str]) -> int:
    """Audit this interpreter's environment."""
    command = [sys.executable, "-m", "pip_audit", "--skip-editable", "--format=json"]
    done = subprocess.run(
        [*command, "--progress-spinner=off", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    verdict = judge(done.stdout, done.stderr, done.returncode)
    print("\n".join(verdict.lines))
    return verdict.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
