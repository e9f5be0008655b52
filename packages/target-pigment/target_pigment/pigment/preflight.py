"""What the Metadata API can tell before anything is pushed.

It knows of a configuration its id and, asked block by block, where it leads; nothing of
columns, mode or clear option [D]. Judging is pure; only the `List` handed in asks Pigment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

from typing_extensions import override

from target_pigment.errors import LoadFailed, UnsuitableStream
from target_pigment.load_modes import LoadMode

List: TypeAlias = Callable[[str, Mapping[str, str]], Sequence[Mapping[str, Any]]]
"""Gives one listing of the Metadata API: its path, and what is asked for."""

_CELL_BLOCKS = frozenset({"Metric", "Table"})

_SEARCH_ORDER = ("DimensionList", "TransactionList", "Metric", "Table")
"""Where imports mostly go comes first, since each block asked costs a request."""


@dataclass(frozen=True, slots=True)
class Block:
    """Where a configuration leads.

    Attributes:
        type: `DimensionList`, `TransactionList`, `Metric` or `Table` [D].
    """

    application_id: str
    id: str
    name: str
    type: str

    @override
    def __str__(self) -> str:
        """For people."""
        return f"{self.type} {self.name}"


@dataclass(frozen=True, slots=True)
class Use:
    """A stream, and the configuration that it is to be pushed to."""

    stream: str
    configuration_id: str
    mode: LoadMode


def look_ahead(
    ask: List, uses: Sequence[Use], application_id: str | None = None
) -> list[str]:
    """Find where the configurations lead.

    Returns:
        Warnings; sentences.

    Raises:
        UnsuitableStream: pushing would go wrong, with every reason.
        LoadFailed: Pigment did not answer.
    """
    wanted = frozenset(use.configuration_id for use in uses)
    try:
        blocks = find_blocks(ask, wanted, application_id)
    except LoadFailed as error:
        raise LoadFailed(
            f"Pre-flight: {error} Nothing was pushed; leave metadata_api_key out to push "
            "without a pre-flight."
        ) from error
    found = faults(uses, blocks)
    if found:
        raise UnsuitableStream(f"Pre-flight: {' '.join(found)} Nothing was pushed.")
    return warnings(uses, blocks)


def find_blocks(
    ask: List, wanted: frozenset[str], application_id: str | None = None
) -> dict[str, Block]:
    """The block of each configuration that there is.

    Args:
        ask: stops being called once all are found.
        wanted: ids of configurations, in lower case.
        application_id: None to ask all that the key sees.
    """
    found: dict[str, Block] = {}
    for block in _blocks(ask, application_id):
        asked = {"applicationId": block.application_id, "blockId": block.id}
        for entry in ask("importConfigurations", asked):
            found.setdefault(str(entry.get("id")).lower(), block)
        if wanted <= found.keys():
            break
    return {id_: block for id_, block in found.items() if id_ in wanted}


def _blocks(ask: List, application_id: str | None) -> Iterator[Block]:
    known = [{"id": application_id}] if application_id else ask("applications", {})
    for application in known:
        id_ = str(application.get("id"))
        rows = ask("blocks", {"applicationId": id_})
        for row in sorted(rows, key=_rank):
            block_id, name, kind = (str(row.get(n)) for n in ("id", "name", "type"))
            yield Block(id_, block_id, name, kind)


def _rank(row: Mapping[str, Any]) -> int:
    return (*_SEARCH_ORDER, row.get("type")).index(row.get("type"))


def faults(uses: Sequence[Use], blocks: Mapping[str, Block]) -> list[str]:
    """What must not be pushed; sentences."""
    missing = [
        f"Stream {use.stream}: there is no import configuration {use.configuration_id}, "
        "or the owner of metadata_api_key cannot see it, or it is of another application "
        "than application_id; copy the ID again from Block settings > Import "
        "configurations."
        for use in uses
        if use.configuration_id not in blocks
    ]
    return missing + _wiped(uses, blocks)


def _wiped(uses: Sequence[Use], blocks: Mapping[str, Block]) -> list[str]:
    """Streams that meet in a block which one of them empties.

    A limited scope may well be another for each configuration, so `scoped_replace` is
    let through.
    """
    placed = [use for use in uses if use.configuration_id in blocks]
    return [
        f"Streams {one.stream} and {other.stream} both lead to {block}, and a replace "
        "would delete the rows of the other; give each a block of its own, or use "
        "scoped_replace or upsert."
        for one, other in combinations(placed, 2)
        if (block := blocks[one.configuration_id]) == blocks[other.configuration_id]
        and (one.mode.clears_all or other.mode.clears_all)
    ]


def warnings(uses: Sequence[Use], blocks: Mapping[str, Block]) -> list[str]:
    """What is probably not meant; sentences."""
    return [
        f"Stream {use.stream}: load_mode {use.mode.name} goes with lists, but "
        f"configuration {use.configuration_id} leads to {block}, which has cells and no "
        "rows or unique ID: a later value of a cell may take the place of an earlier one, "
        "and cells that do not come again stay."
        for use in uses
        if (block := blocks.get(use.configuration_id))
        and block.type in _CELL_BLOCKS
        and not use.mode.clears
    ]
