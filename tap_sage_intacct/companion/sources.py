"""The primary data sources as a list, and which of them this user may read."""

from __future__ import annotations

from dataclasses import dataclass

from tap_sage_intacct.catalog import discovery
from tap_sage_intacct.catalog.sources import DATA_SOURCES
from tap_sage_intacct.run.run import Run


@dataclass(frozen=True, slots=True)
class ListedSource:
    """A data source as it is listed.

    Attributes:
        is_readable: None where it was not asked.
        refusal: why it is not readable, in Intacct's words.
    """

    stream: str
    object_name: str
    title: str
    primary_keys: tuple[str, ...]
    replication_key: str | None
    is_readable: bool | None = None
    refusal: str = ""


def listed_sources(run: Run) -> list[ListedSource]:
    """All of them, in the order of Pigment's names; asks Intacct if it can.

    Raises:
        IntacctError: nobody can sign in.
    """
    is_asked = run.settings.gateway is not None
    shipped = [discovery.shipped(source) for source in DATA_SOURCES]
    refused = discovery.refusals(run.gateway, shipped) if is_asked else {}
    return [
        ListedSource(
            source.stream_name,
            source.object_name,
            source.title,
            source.primary_keys,
            source.replication_key,
            source.stream_name not in refused if is_asked else None,
            str(refused.get(source.stream_name, "")),
        )
        for source in DATA_SOURCES
    ]
