"""A Pigment workspace in a box: lists, imports and their reports, over HTTP.

It follows Pigment's published OpenAPI; everything that is marked [?] is a stand-in,
and switchable where it matters. It never imports the target.
"""

from __future__ import annotations

from intacct_sandbox.pigment.configuration import (
    Clear,
    Configuration,
    ImportColumn,
    ListType,
    PigmentList,
    PropertyType,
    UnknownItem,
)
from intacct_sandbox.pigment.faults import PigmentFault, PigmentFaults
from intacct_sandbox.pigment.reports import Import
from intacct_sandbox.pigment.sandbox import PigmentSandbox
from intacct_sandbox.pigment.switches import PigmentSwitches
from intacct_sandbox.pigment.workspace import Workspace

__all__ = [
    "Clear",
    "Configuration",
    "Import",
    "ImportColumn",
    "ListType",
    "PigmentFault",
    "PigmentFaults",
    "PigmentList",
    "PigmentSandbox",
    "PigmentSwitches",
    "PropertyType",
    "UnknownItem",
    "Workspace",
]
