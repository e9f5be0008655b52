"""One object that Intacct refuses, in whatever words, stops no other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from intacct_sandbox import Fault, FaultKind, Sandbox
from intacct_sandbox.wire.errors import ErrorEntry, FunctionRefusal
from tap_sage_intacct.intacct.errors import IntacctError
from tests.loading import Loader, shipped_catalog

REFUSALS = {
    "disabled": ErrorEntry(
        "BL01001973", "This feature is disabled for your company or your current user"
    ),
    "unauthorised": ErrorEntry("", "You are not authorized to perform this action"),
    "unsubscribed": ErrorEntry("XL03000006", "The module is not subscribed"),
    "database": ErrorEntry("DL02000001", "Access denied"),
    "unknown": ErrorEntry("BL99", "We would rather not."),
    "wordless": ErrorEntry(""),
}


@pytest.mark.parametrize("entry", REFUSALS.values(), ids=REFUSALS)
def test_refusal_of_one_object_is_its_own(
    sandbox: Sandbox,
    loader: Callable[..., Loader],
    caplog: pytest.LogCaptureFixture,
    entry: ErrorEntry,
) -> None:
    sandbox.faults.add(
        Fault(
            FaultKind.TO_ORDER,
            object_name="VENDOR",
            answer=FunctionRefusal(entry),
            times=None,
        )
    )
    loading = loader(max_retries=0)
    catalog = shipped_catalog("vendors", "departments", config=loading.settings)
    run = loading.run(catalog=catalog)
    assert run.counts["departments"] == sandbox.company.count("DEPARTMENT")
    assert run.counts["vendors"] == 0
    assert "vendors is skipped." in caplog.text
    failing = loader(max_retries=0, on_denied="fail")
    with pytest.raises(IntacctError):
        failing.run(catalog=catalog)
