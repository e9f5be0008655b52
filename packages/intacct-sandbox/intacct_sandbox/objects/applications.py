"""Which application of Intacct an object belongs to.

What lives here: one table. What it must not know: switches, permissions. The names
are those of the subscriptions that users see; which object belongs to which is [I].
"""

from __future__ import annotations

_PREFIXES: tuple[tuple[str, str], ...] = (
    ("REVREC", "Revenue Management"),
    ("CONTRACT", "Contracts"),
    ("GL", "General Ledger"),
    ("REPORTINGPERIOD", "General Ledger"),
    ("AP", "Accounts Payable"),
    ("VENDOR", "Accounts Payable"),
    ("AR", "Accounts Receivable"),
    ("CUSTOMER", "Accounts Receivable"),
    ("SO", "Order Entry"),
    ("PROJECT", "Projects"),
    ("ITEM", "Inventory Control"),
    ("AUDITHISTORY", "Platform Services"),
)


def application_of(object_name: str) -> str:
    """The application's name; what all applications share belongs to Company."""
    return next(
        (name for prefix, name in _PREFIXES if object_name.startswith(prefix)),
        "Company",
    )
