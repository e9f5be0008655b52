"""Functions that are declared and not served.

The API user of a tap may read and nothing else, so a client meets Intacct's words for a
missing permission [C]. That each of these functions uses them is [I].
"""

from __future__ import annotations

from lxml import etree

from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.wire.errors import denied


def refuse(call: etree._Element, _around: Surroundings) -> Answer:
    """Refuse whatever it asks.

    Raises:
        FunctionRefusal: always.
    """
    operation, _, subject = str(call.tag).partition("_")
    first = next(call.iterchildren(tag="*"), None)
    if not subject and first is not None:
        # `create` and `update` hold the objects themselves, `delete` names one.
        subject = call.findtext("object") or str(first.tag)
    raise denied(operation.upper(), subject)
