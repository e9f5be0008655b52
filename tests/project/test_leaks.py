"""A test that lets a secret out fails, wherever the secret went."""

from __future__ import annotations

import pytest

from tests.plugins.leaks import LeakScanner

pytest_plugins = ["pytester"]

SECRET = 'leaky-pa55w0rd&"x"'
CONFTEST = f"""
import pytest
from tests.plugins.leaks import LeakScanner

SCANNER = LeakScanner({SECRET!r}, inputs={{"config.json"}})

@pytest.fixture
def folder(tmp_path):
    return tmp_path

def pytest_configure(config):
    config.pluginmanager.register(SCANNER)
"""
LEAKS = {
    "stdout": f"print({SECRET!r})",
    "stderr": f"import sys; print({SECRET!r}, file=sys.stderr)",
    "log": f"import logging; logging.getLogger('tap').warning({SECRET!r})",
    "upper-case": f"print({SECRET.upper()!r})",
    "json": f"import json; print(json.dumps({{'password': {SECRET!r}}}))",
    "xml": f"from html import escape; print(escape({SECRET!r}))",
    "url": f"from urllib.parse import quote; print(quote({SECRET!r}, safe=''))",
    "read-back": f"print({SECRET!r}); assert capsys.readouterr().out",
    "process": "import subprocess, sys; subprocess.run("
    f"[sys.executable, '-c', {f'print({SECRET!r})'!r}], capture_output=True)",
    "process-stderr": "import subprocess, sys; subprocess.run("
    f"[sys.executable, '-c', {f'raise SystemExit({SECRET!r})'!r}], "
    "capture_output=True, text=True)",
    "file": f"(tmp_path / 'a').mkdir(); (tmp_path / 'a/tap.log').write_text({SECRET!r})",
    "state": f"(tmp_path / 'state.json').write_text({SECRET!r})",
    "session": "(tmp_path / 'a.log').write_text('0123456789abcdef' * 2 + '..')",
    "fixture's-folder": f"(folder / 'tap.log').write_text({SECRET!r})",
    "swallowed": "import contextlib\n    with contextlib.suppress(BaseException):\n"
    f"        raise ValueError(print({SECRET!r}))",
}
CLEAN = {
    "nothing": "pass",
    "config-file": f"(tmp_path / 'config.json').write_text({SECRET!r})",
    "other-words": "print('leaky', 'pa55w0rd', '..', '0123456789abcdef' * 2)",
}


def outcome(pytester: pytest.Pytester, body: str) -> pytest.RunResult:
    pytester.makeconftest(CONFTEST)
    # Asked for only by those who need it, so that a fixture's folder is seen as well.
    arguments = ", ".join(n for n in ("tmp_path", "capsys", "folder") if n in body)
    pytester.makepyfile(f"def test_it({arguments}):\n    {body}\n")
    return pytester.runpytest_inprocess("-p", "no:xdist", "-p", "no:cacheprovider")


@pytest.mark.parametrize("body", LEAKS.values(), ids=LEAKS)
def test_leak_fails_the_test(pytester: pytest.Pytester, body: str) -> None:
    assert outcome(pytester, body).ret == pytest.ExitCode.TESTS_FAILED


def test_failure_names_the_place(pytester: pytest.Pytester) -> None:
    run = outcome(pytester, LEAKS["file"])
    run.stdout.fnmatch_lines(["*a secret leaked: tap.log"])


@pytest.mark.parametrize("body", CLEAN.values(), ids=CLEAN)
def test_clean_test_passes(pytester: pytest.Pytester, body: str) -> None:
    outcome(pytester, body).assert_outcomes(passed=1)


def test_leak_in_a_fixture_fails_the_test_and_no_other(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        "import pytest\n"
        "@pytest.fixture\n"
        "def late():\n"
        "    yield\n"
        f"    print({SECRET!r})\n"
        "def test_one(late): pass\n"
        "def test_two(): pass\n"
    )
    run = pytester.runpytest_inprocess("-p", "no:xdist", "-p", "no:cacheprovider")
    run.assert_outcomes(passed=2, errors=1)


def test_secret_that_may_occur_by_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="eight plain characters"):
        LeakScanner("a&b&c")


def test_all_tests_are_looked_at(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.has_plugin("leaks")
