"""Reading entity by entity: which entities, and which records in each.

A session that is signed in to an entity sees the entity's own records and those that
all share (Sage's page on entities [D]). So each record is read where it belongs: an
entity's in the entity's session, what is shared at the top level. Does not use Singer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tap_sage_intacct.catalog.sources import OWNER, RECORD_NUMBER, DataSource
from tap_sage_intacct.errors import refuse
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.intacct.pages.key_set import KeySetPaging
from tap_sage_intacct.intacct.query import Comparison, Condition, Operator
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.settings.suggestions import did_you_mean
from tap_sage_intacct.settings.values import EVERY_ENTITY

TOP_LEVEL = "(top level)"
"""Stands for the top level as an `_entity_id`; no entity can have brackets in its ID."""


def chosen_entities(gateway: Gateway, chosen: Sequence[str]) -> tuple[str, ...]:
    """The IDs of the entities that the user means, in Intacct's own spelling.

    Raises:
        InvalidSettings: an entity does not exist.
        PermissionDenied: the role may not read entities.
    """
    reader = ObjectReader(gateway, "LOCATIONENTITY", ("RECORDNO", "LOCATIONID"))
    pages = KeySetPaging(reader, RECORD_NUMBER).pages()
    known = [row["LOCATIONID"] for page in pages for row in page.rows]
    if tuple(chosen) == (EVERY_ENTITY,):
        return tuple(known)
    refuse(
        f"entities: the company has no entity '{name}'{did_you_mean(name, known)}"
        for name in chosen
        if name not in known
    )
    return tuple(chosen)


def partitions_of(
    source: DataSource, schema: dict[str, Any], entities: Sequence[str]
) -> tuple[str, ...]:
    """The sessions in which a source is read, the top level among them.

    Balances at the top level mix those of all entities [D], so they are read in the
    entities alone. Records without a column for their entity are read once, at the top.
    """
    if source.needs_period:
        return tuple(entities)
    if OWNER not in schema["properties"]:
        return (TOP_LEVEL,)
    return (TOP_LEVEL, *entities)


def belongs_to(entity: str, schema: dict[str, Any]) -> Condition | None:
    """Records of an entity, or those that all share; None if rows do not name it."""
    if OWNER not in schema["properties"]:
        return None
    if entity == TOP_LEVEL:
        return Comparison(OWNER, Operator.IS_NULL)
    return Comparison(OWNER, Operator.EQUAL, (entity,))
