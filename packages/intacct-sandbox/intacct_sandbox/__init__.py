"""A Sage Intacct company in a box: books in one file, the XML gateway over HTTP.

It never imports the tap, so that it can disagree with it.
"""

from __future__ import annotations

from intacct_sandbox.clock import Clock, ManualClock, SystemClock
from intacct_sandbox.company.company import Company
from intacct_sandbox.company.reports import Report
from intacct_sandbox.faults.faults import Fault, FaultKind, Faults
from intacct_sandbox.sandbox import Sandbox
from intacct_sandbox.switches import Credentials, Switches
from intacct_sandbox.wire.calls import Call
from intacct_sandbox.wire.formatting import UserFormatting

__all__ = [
    "Call",
    "Clock",
    "Company",
    "Credentials",
    "Fault",
    "FaultKind",
    "Faults",
    "ManualClock",
    "Report",
    "Sandbox",
    "Switches",
    "SystemClock",
    "UserFormatting",
]
