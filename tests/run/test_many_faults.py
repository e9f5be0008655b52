"""Everything that can go wrong on the wire, at random calls of one run: the data is whole."""

from __future__ import annotations

import logging
import os
import random
import secrets
from collections.abc import Callable

import pytest

from intacct_sandbox import Company, Fault, FaultKind, Sandbox
from tests.intacct.xml.test_gateway import TRANSIENT
from tests.loading import PERIODS, Loader
from tests.streams.test_loading import STREAMS, assert_loaded

# Each is answered by one retry, and one line of the log.
# A database error may mean a bad field too, and is tried less often.
RETRIED = tuple(kind for kind in TRANSIENT if kind is not FaultKind.DATABASE_ERROR)
TIMES_EACH = 3
PAGE = 10


def test_run_under_all_faults_is_whole_and_tells_each_retry_once(
    company: Company,
    loader: Callable[..., Loader],
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    record_property: Callable[[str, object], None],
) -> None:
    chosen = int(os.environ.get("FAULTS_SEED", secrets.randbelow(10**9)))
    target = loader(page_size=PAGE, balance_periods=list(PERIODS))
    catalog = target.catalog(STREAMS)
    kinds = (*RETRIED, FaultKind.SESSION_EXPIRED, FaultKind.CONTROL_CHARACTERS)
    # After signing in and asking for the preferences.
    first = 3
    # One fault a call at most: two at once would be answered by one retry.
    numbers = random.Random(chosen).sample(  # noqa: S311 - calls, not secrets
        range(first, first + 5 * len(kinds) * TIMES_EACH), len(kinds) * TIMES_EACH
    )
    for place, number in enumerate(numbers):
        kind = kinds[place % len(kinds)]
        sandbox.faults.add(Fault(kind, calls=frozenset({number})))
    caplog.set_level(logging.INFO)
    run = target.run(*STREAMS, catalog=catalog)
    record_property(
        "campaign", f"{len(numbers)} faults in {run.calls} calls, seed {chosen}"
    )
    assert sandbox.faults.struck == dict.fromkeys(kinds, TIMES_EACH)
    for stream in STREAMS:
        assert_loaded(target, company, stream)
    messages = [record.getMessage() for record in caplog.records]
    retries = [message for message in messages if message.startswith("Retry ")]
    assert len(retries) == len(RETRIED) * TIMES_EACH
    assert sum("signing in again" in message for message in messages) <= TIMES_EACH
    assert sandbox.credentials.user_password not in caplog.text
