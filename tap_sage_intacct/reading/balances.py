"""Account balances: the key that Intacct does not give, and which of them are empty.

RECORDNO of GLACCOUNTBALANCE is no key: a peer replaced it by a hash over the columns
that tell balances apart [P]. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tap_sage_intacct.intacct.query import AnyOf, Comparison, Operator

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.query import Condition
    from tap_sage_intacct.intacct.rows.row import Row

# The natural key without dimensions [I]; the lookup has LOCATIONNO where the
# documentation has LOCATIONDIMKEY [L].
_KEY_FIELDS = (
    "PERIOD",
    "BOOKID",
    "CURRENCY",
    "ACCOUNTREC",
    "LOCATIONNO",
    "DEPARTMENTID",
)

# A dimension that has no key is told apart by its id: TASKID and COSTTYPEID are
# documented without one [D]. Each with the fields that say the same.
_IDS_WITHOUT_KEY = {
    "LOCATIONID": {"LOCATIONNO", "LOCATIONDIMKEY"},
    **{
        f"{dimension}ID": {f"{dimension}DIMKEY"}
        for dimension in (
            "CLASS",
            "CONTRACT",
            "COSTTYPE",
            "CUSTOMER",
            "EMPLOYEE",
            "ITEM",
            "PROJECT",
            "TASK",
            "VENDOR",
            "WAREHOUSE",
        )
    },
}

# By these the documentation leaves out empty rows [D].
_AMOUNTS = ("TOTDEBIT", "TOTCREDIT", "TOTADJDEBIT", "TOTADJCREDIT", "FORBAL", "ENDBAL")


def has_an_amount() -> Condition:
    """Balances that are not zero throughout."""
    return AnyOf(tuple(Comparison(name, Operator.NOT_EQUAL, (0,)) for name in _AMOUNTS))


def key_fields(properties: Iterable[str]) -> tuple[str, ...]:
    """The fields that tell balances apart: the natural key and every dimension.

    Args:
        properties: all that the company's balances have, selected or not, so that the
            key does not change with the selection.
    """
    known = sorted(properties)
    dimensions = (
        name for name in known if name.endswith("DIMKEY") or name.startswith("GLDIM")
    )
    ids = (
        name
        for name, others in _IDS_WITHOUT_KEY.items()
        if name in known and not others & set(known)
    )
    return (*(name for name in _KEY_FIELDS if name in known), *dimensions, *ids)


def balance_key(row: Row, fields: Iterable[str]) -> str:
    """32 hexadecimal digits: the hash over the key fields' names and texts.

    Empty fields are left out, so that enabling another dimension leaves the keys of
    the balances without it as they are.
    """
    text = "\x1f".join(f"{name}={row[name]}" for name in fields if row.get(name))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
