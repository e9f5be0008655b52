"""One root of errors: whatever a user can put right is shown as it is, by all commands."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import tap_sage_intacct
from tap_sage_intacct.errors import InvalidSettings, TapError
from tap_sage_intacct.intacct.rows.values import InvalidValue
from tap_sage_intacct.run.interruption import Interrupted

# A signal is no error, and a bad value becomes an InvalidRecord that names its record.
OTHERS = {Interrupted, InvalidValue}


def exceptions() -> Iterator[type[BaseException]]:
    """All public exceptions that the tap defines."""
    package = tap_sage_intacct
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for value in vars(module).values():
            is_own = getattr(value, "__module__", None) == found.name
            if is_own and isinstance(value, type) and issubclass(value, BaseException):
                yield value


@pytest.mark.parametrize("error", sorted(exceptions(), key=repr), ids=repr)
def test_every_error_has_the_one_root(error: type[BaseException]) -> None:
    is_internal = error.__name__.startswith("_")
    assert issubclass(error, TapError) or error in OTHERS or is_internal


def test_each_problem_is_a_line_of_its_own() -> None:
    assert InvalidSettings("one is wrong", "two is too").problems == (
        "one is wrong",
        "two is too",
    )
    assert TapError("it is wrong").problems == ("it is wrong",)
