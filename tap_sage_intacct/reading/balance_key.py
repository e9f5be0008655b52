"""The key of account balances, which Intacct does not give.

RECORDNO of GLACCOUNTBALANCE is no key: a peer replaced it by a hash over the columns
in which balances differ [P].
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tap_sage_intacct.catalog.sources import BALANCE_KEY
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

# The id stands for a dimension that has no key: TASKID and COSTTYPEID are
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


def key_fields(properties: Iterable[str]) -> tuple[str, ...]:
    """The fields in which balances differ: the natural key and every dimension.

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


def keyed_balance(row: Row, fields: Iterable[str]) -> Row:
    """The row, and its key as a column of its own."""
    return {**row, BALANCE_KEY: balance_key(row, fields)}
