"""The key of an account balance, which Intacct does not give.

RECORDNO of GLACCOUNTBALANCE is no key: a peer replaced it by a hash over the columns
that tell balances apart [P]. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.envelope import Row

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
    return (*(name for name in _KEY_FIELDS if name in known), *dimensions)


def balance_key(row: Row, fields: Iterable[str]) -> str:
    """32 hexadecimal digits: the hash over the key fields' names and texts.

    Empty fields are left out, so that enabling another dimension leaves the keys of
    the balances without it as they are.
    """
    text = "\x1f".join(f"{name}={row[name]}" for name in fields if row.get(name))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
