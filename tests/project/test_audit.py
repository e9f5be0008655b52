"""CI fails for a known vulnerability, and for nothing else that an audit may say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tools.audit_dependencies import Verdict, judge

CLEAN: dict[str, Any] = {"name": "lxml", "version": "6.0", "vulns": []}
SKIPPED: dict[str, Any] = {"name": "own", "skip_reason": "Dependency not found on PyPI"}
VULNERABLE: dict[str, Any] = {
    "name": "requests",
    "version": "2.0",
    "vulns": [
        {"id": "PYSEC-1", "fix_versions": ["2.1", "2.2"], "aliases": []},
        {"id": "PYSEC-2", "fix_versions": [], "aliases": []},
    ],
}


def verdict(*entries: dict[str, Any], exit_code: int = 0) -> Verdict:
    report = json.dumps({"dependencies": entries, "fixes": []})
    return judge(report, "", exit_code)


def test_clean_environment_passes() -> None:
    assert verdict(CLEAN, SKIPPED) == Verdict(("1 of 2 dependencies were audited.",), 0)


def test_vulnerability_fails_and_is_named() -> None:
    assert verdict(CLEAN, VULNERABLE, exit_code=1) == Verdict(
        (
            "requests 2.0: PYSEC-1, fixed in 2.1, 2.2",
            "requests 2.0: PYSEC-2, fixed in no version yet",
            "2 of 2 dependencies were audited.",
        ),
        1,
    )


def test_index_without_such_data_is_told_of() -> None:
    lines = ("Dependencies were not audited: the index knows of no vulnerabilities.",)
    assert verdict(SKIPPED) == Verdict(lines, 0)


@pytest.mark.parametrize(("exit_code", "expected"), [(1, 0), (2, 2)])
def test_no_network_passes_and_wrong_options_fail(
    exit_code: int, expected: int
) -> None:
    said = judge("", "INFO: asking\nERROR: no connection\n", exit_code)
    assert said == Verdict(
        ("Dependencies were not audited: ERROR: no connection",), expected
    )
