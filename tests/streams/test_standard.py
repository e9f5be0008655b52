"""The SDK's standard tests of a tap, for every stream and field.

The SDK makes its test classes while modules are imported and asks the tap for its
streams meanwhile, so this sandbox runs from the import on.
"""

from __future__ import annotations

import atexit
import tempfile
from datetime import datetime, timezone
from pathlib import Path

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from intacct_sandbox import Company, ManualClock, Sandbox
from tap_sage_intacct.tap import TapSageIntacct
from tests.loading import PERIODS

_FOLDER = tempfile.TemporaryDirectory()
_CLOCK = ManualClock(datetime(2026, 1, 31, 12, tzinfo=timezone.utc))
_SANDBOX = Sandbox(Company.create(Path(_FOLDER.name) / "company.sqlite", clock=_CLOCK))
_SANDBOX.start()


@atexit.register
def _stop() -> None:
    _SANDBOX.stop()
    _SANDBOX.company.close()
    _FOLDER.cleanup()


TestTapSageIntacct = get_tap_test_class(
    TapSageIntacct,
    config={**_SANDBOX.config(), "balance_periods": list(PERIODS)},
    parse_env_config=False,
    # Some dimensions of balances are null throughout, which only warns where a worker
    # happens to begin with one: the suite keeps the values of the first field it looks at.
    suite_config=SuiteConfig(max_records_limit=None, ignore_no_records=True),
)
