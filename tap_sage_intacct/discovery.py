"""What a company offers: live `lookup`s merged into the shipped schemas.

Asks the gateway, in two or three requests for all objects together; knows nothing of
Singer. Without a gateway the shipped schemas stand for themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_sage_intacct.intacct import functions
from tap_sage_intacct.intacct.errors import IntacctError, PermissionDenied
from tap_sage_intacct.intacct.metadata import read_lookup
from tap_sage_intacct.intacct.query import (
    Comparison,
    Operator,
    Query,
    query_function,
    read_by_query_function,
)
from tap_sage_intacct.schema import load_shipped_schema, merge
from tap_sage_intacct.sources import DataSource, ReadFunction

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.envelope import Function
    from tap_sage_intacct.intacct.gateway import Gateway
    from tap_sage_intacct.intacct.values import UserFormat

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OfferedSource:
    """A data source and the schema of its records."""

    source: DataSource
    schema: dict[str, Any]


def shipped(sources: Sequence[DataSource]) -> list[OfferedSource]:
    """What a typical company offers; needs no network."""
    return [
        OfferedSource(source, load_shipped_schema(source.stream_name))
        for source in sources
    ]


def live(gateway: Gateway, sources: Sequence[DataSource]) -> list[OfferedSource]:
    """What this company offers this user.

    `lookup` answers whatever the user may read [C], so each object is also probed
    with a query that finds nothing. Denied objects are left out with a warning.
    """
    lookups = gateway.call_each(
        [functions.lookup(source.object_name) for source in sources]
    )
    refusals = _refusals(gateway, sources)
    offered = []
    for source, answer in zip(sources, lookups, strict=True):
        refusal = refusals.get(source.object_name)
        if refusal is not None:
            logger.warning("%s is not offered. %s", source.stream_name, refusal)
            continue
        schema = load_shipped_schema(source.stream_name)
        if isinstance(answer, IntacctError):
            logger.warning(
                "%s: the fields cannot be looked up; those that the tap ships are "
                "offered. %s",
                source.stream_name,
                answer,
            )
        else:
            schema = merge(
                schema, read_lookup(answer), required_keys=source.primary_keys
            )
        offered.append(OfferedSource(source, schema))
    return offered


def _refusals(
    gateway: Gateway, sources: Sequence[DataSource]
) -> Mapping[str, IntacctError]:
    """Why objects cannot be read, by name: all of their functions were refused."""
    user_format = gateway.user_format()
    refusals: dict[str, IntacctError] = {}
    pending = {source: list(source.functions) for source in sources}
    while pending:
        probes = [
            _probe(source, untried.pop(0), user_format)
            for source, untried in pending.items()
        ]
        answers = gateway.call_each(probes)
        for source, answer in zip(tuple(pending), answers, strict=True):
            if not isinstance(answer, IntacctError):
                refusals.pop(source.object_name, None)
                del pending[source]
                continue
            refusals[source.object_name] = answer
            # What is denied to one function is denied to all of them.
            if isinstance(answer, PermissionDenied) or not pending[source]:
                del pending[source]
    return refusals


def _probe(
    source: DataSource, function: ReadFunction, user_format: UserFormat
) -> Function:
    """A call that finds nothing: permission is checked before data is read [C]."""
    if source.needs_period:
        nothing = Comparison("PERIOD", Operator.EQUAL, ("no such period",))
    else:
        nothing = Comparison("RECORDNO", Operator.EQUAL, (0,))
    object_name = source.object_name
    if function is ReadFunction.READ_PARENT:
        object_name = str(source.parent)
    query = Query(object_name, ("RECORDNO",), nothing)
    if function is ReadFunction.READ_BY_QUERY:
        return read_by_query_function(query, user_format, page_size=1)
    return query_function(query, user_format, page_size=1)
