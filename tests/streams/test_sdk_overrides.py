"""What the tap overrides of the SDK is still there, and used for its purpose."""

from __future__ import annotations

import inspect
import logging
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
from singer_sdk import Stream

import tap_sage_intacct
from intacct_sandbox import Sandbox
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.errors import PermissionDenied
from tests.catalog.test_offering import run_trial
from tests.loading import Loader

MakeLoader = Callable[..., Loader]


def our_classes() -> set[type]:
    """The tap's classes that are made of one of the SDK's."""
    modules = pkgutil.walk_packages(tap_sage_intacct.__path__, "tap_sage_intacct.")
    return {
        found
        for module in modules
        if not module.name.endswith("__main__")
        for _, found in inspect.getmembers(import_module(module.name), inspect.isclass)
        if found.__module__ == module.name and sdk_bases(found)
    }


def sdk_bases(cls: type) -> list[type]:
    return [base for base in cls.__mro__ if base.__module__.startswith("singer_sdk")]


def functions_of(cls: type) -> Iterator[tuple[str, Any]]:
    """What a class defines itself, without the descriptors around it."""
    around = ("fget", "func", "__func__")
    for name, found in vars(cls).items():
        function = next((getattr(found, a) for a in around if hasattr(found, a)), found)
        if inspect.isfunction(function):
            yield name, function


OVERRIDES = sorted(
    (cls.__name__, name, cls)
    for cls in our_classes()
    for name, function in functions_of(cls)
    if getattr(function, "__override__", False)
)


@pytest.mark.parametrize(("_", "name", "cls"), OVERRIDES)
def test_what_is_overridden_is_there(_: str, name: str, cls: type) -> None:
    """It fails where a new SDK calls a method by another name."""
    assert any(name in vars(base) for base in cls.__mro__[1:])


def test_whatever_is_the_sdks_own_is_marked_and_explained() -> None:
    marked = {(cls, name) for _, name, cls in OVERRIDES}
    for cls in our_classes():
        for name, function in functions_of(cls):
            is_sdks = any(name in vars(base) for base in sdk_bases(cls))
            if is_sdks and not name.startswith("__"):
                assert (cls, name) in marked
                assert function.__doc__, f"{cls.__name__}.{name} has no reason"
    assert len(marked) > 30


def test_records_leave_page_by_page(
    loader: MakeLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK calls `post_process` for each record that it writes itself."""
    seen: list[object] = []
    monkeypatch.setattr(
        Stream, "post_process", lambda _self, row, _context: seen.append(row)
    )
    run = loader().run("gl_journal_entry_lines", "gl_account_balances")
    assert run.counts.total() > 10
    assert not seen


def test_wrong_choice_is_refused_before_any_message(loader: MakeLoader) -> None:
    before = loader()
    before.run("departments")
    target = loader(entities=["nowhere"])
    given = target.state = before.state
    catalog = target.catalog(["departments"])
    with pytest.raises(InvalidSettings, match="no entity 'nowhere'"):
        target.run("departments", catalog=catalog)
    assert target.state is given


def test_trial_refuses_a_wrong_choice_too(loader: MakeLoader) -> None:
    with pytest.raises(InvalidSettings, match="no book 'NONE'"):
        run_trial(loader(balance_books=["NONE"]))


def test_denied_stream_hides_no_costs(
    loader: MakeLoader, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    target = loader(on_denied="fail")
    catalog = target.catalog(["departments", "vendors"])
    denied = frozenset({"DEPARTMENT"})
    sandbox.switches = replace(sandbox.switches, denied_objects=denied)
    with pytest.raises(PermissionDenied):
        target.run(catalog=catalog)
    assert "Total Sync costs for stream vendors" in caplog.text
    assert caplog.text.count("Summary of the run") == 1
