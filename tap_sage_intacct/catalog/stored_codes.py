"""What the database stores for an enumeration's labels.

`query` compares the labels that `lookup` lists, readByQuery the stored codes; both
return labels (Sage's pages on each object [D]).
"""

from __future__ import annotations

from collections.abc import Mapping

from tap_sage_intacct.intacct.query import StoredValue, Value

Codes = Mapping[str, str]
"""Label to code."""

_STATUS = {"active": "T", "inactive": "F"}
_SCHEDULE_STATE = {
    "In progress": "I",
    "On hold": "H",
    "Completed": "C",
    "Terminated": "T",
}
_ENTRY_STATE = {"Open": "O", "Terminated": "T", "Posted": "P"}

# Labels whose code no page gives are left out: the six codes of a recognition
# schedule's STATUS do not say which of D and X is which sort of Terminated [D].
_CODES: Mapping[tuple[str, str], Codes] = {
    ("GLACCOUNT", "ACCOUNTTYPE"): {"incomestatement": "I", "balancesheet": "N"},
    ("GLBATCH", "STATE"): {
        "Draft": "I",
        "Submitted": "S",
        "Partially Approved": "X",
        "Approved": "A",
        "Posted": "P",
        "Declined": "R",
        "Reversal pending": "L",
        "Reversed": "Z",
    },
    ("APBILL", "STATE"): {
        "Draft": "D",
        "Partially Approved": "PA",
        "Submitted": "S",
        "Declined": "U",
        "Posted": "A",
    },
    ("REVRECSCHEDULE", "STATUS"): {
        "Not Started": "N",
        "In Progress": "P",
        "Completed": "C",
        "On Hold": "H",
    },
    ("CONTRACTBILLINGSCHEDULE", "STATE"): _SCHEDULE_STATE,
    ("CONTRACTREVENUESCHEDULE", "STATE"): _SCHEDULE_STATE,
    ("CONTRACTEXPENSESCHEDULE", "STATE"): _SCHEDULE_STATE,
    ("CONTRACTBILLINGSCHEDULEENTRY", "STATE"): _ENTRY_STATE,
    ("CONTRACTREVENUESCHEDULEENTRY", "STATE"): _ENTRY_STATE,
    ("CONTRACTEXPENSESCHEDULEENTRY", "STATE"): _ENTRY_STATE,
    ("REPORTINGPERIOD", "BUDGETING"): {"true": "T", "false": "F"},
}


def codes_of(object_name: str, field: str) -> Codes:
    """The codes of a field's labels; empty where none are known."""
    default = _STATUS if field == "STATUS" else {}
    return _CODES.get((object_name.upper(), field), default)


def stored_values(object_name: str) -> StoredValue:
    """Turns labels of an object's fields into codes; leaves other values unchanged."""

    def stored(field: str, value: Value) -> Value:
        if not isinstance(value, str):
            return value
        return codes_of(object_name, field).get(value, value)

    return stored
