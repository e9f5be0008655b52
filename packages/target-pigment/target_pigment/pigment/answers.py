"""What Pigment answers: results of imports, and refusals, which show no key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests

from target_pigment.rows.csv_file import CsvFile
from target_pigment.secret import Secret

_LONGEST_QUOTE = 200

_ANY_STATUS = 0

METADATA_HINTS = {
    401: "metadata_api_key is not accepted; it must be of type Modeling Metadata, not "
    "expired (the expiry day itself is no longer valid), and allowed from this IP "
    "address.",
    _ANY_STATUS: "Pigment did not tell what metadata_api_key asked; check application_id.",
}


_HINTS = {
    _ANY_STATUS: "Pigment refused the request.",
    400: "either over Pigment's size limit (lower max_bytes_per_push; unpublished) or "
    "not what the configuration expects (same header, delimiter and quotes as its "
    "sample file).",
    401: "the key is not accepted; it must be of type Import, not expired (the expiry day "
    "itself is no longer valid), allowed from this IP address, and not of the old format "
    "with dashes.",
    404: "no such import configuration, or the key's owner cannot see it; copy the ID "
    "again from Block settings > Import configurations.",
}


@dataclass(frozen=True, slots=True)
class SkippedData:
    """Values that a block skipped or changed; aggregated by Pigment [D]."""

    reason: str
    count: int
    column: str = ""
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DetailedReport:
    """What an import did; whether counts are rows or cells is not documented [?]."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    skipped: int = 0
    created_items: int = 0
    skipped_data: tuple[SkippedData, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportResult:
    """A finished import.

    Attributes:
        status: `Completed` or `Failed`. There is no "partial" [D].
        errors: "name: description" of each error that Pigment told.
        report: None where Pigment gave none.
    """

    import_id: str
    status: str
    errors: tuple[str, ...] = ()
    report: DetailedReport | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """Reads answers to calls that were signed with these keys."""

    secrets: Sequence[Secret]

    def refusal(
        self,
        answer: requests.Response,
        file: CsvFile | None = None,
        hints: Mapping[int, str] = _HINTS,
    ) -> str:
        """What is wrong, in Pigment's words, and what to do about it.

        Args:
            answer: not a success.
            file: that was pushed.
            hints: what to do, by the status.
        """
        status = answer.status_code
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            host = host_of(answer.headers.get("Location", ""))
            return self._masked(
                f"HTTP {status}: a redirect to {host}, not followed; set base_url."
            )
        hint = hints.get(status, hints[_ANY_STATUS])
        if status == HTTPStatus.BAD_REQUEST and file:
            hint = f"{file.rows} rows, {file.size} bytes: {hint}"
        return f"HTTP {status}{self._quoted(answer)}: {hint}"

    def _quoted(self, answer: requests.Response) -> str:
        """The start of an error's body, which has no schema [D]."""
        kind = answer.headers.get("Content-Type", "")
        if "html" in kind:
            return ""
        text = " ".join(self._masked(answer.text).split())
        return f" '{text[:_LONGEST_QUOTE]}'" if text else ""

    def json(self, answer: requests.Response) -> object:
        """The JSON of an answer, whatever its content type: it may be text/plain [D].

        Masked before anything is made of it, since anybody may log a part of it.
        """
        try:
            found: object = json.loads(self._masked(answer.content.decode()))
        except ValueError:
            return None
        return found

    def json_object(self, answer: requests.Response) -> Mapping[str, Any]:
        """The same; empty if it is not an object."""
        found = self.json(answer)
        return found if isinstance(found, dict) else {}

    def _masked(self, text: str) -> str:
        for secret in self.secrets:
            text = secret.masked(text)
        return text


def host_of(url: str) -> str:
    """The host in an address; "no host" or "no address" where there is none."""
    try:
        return urlsplit(url).hostname or "no host"
    except ValueError:
        return "no address"


def report_of(found: Mapping[str, Any] | None) -> DetailedReport | None:
    """A report out of its JSON, if there is one."""
    if not found:
        return None
    summary = found.get("summary") or {}
    created = found.get("autoCreatedDimensionModalities") or ()
    return DetailedReport(
        inserted=int(summary.get("insertedCount") or 0),
        updated=int(summary.get("updatedCount") or 0),
        deleted=int(summary.get("deletedCount") or 0),
        skipped=int(summary.get("skippedCount") or 0),
        created_items=sum(int(entry.get("count") or 0) for entry in created),
        skipped_data=tuple(
            _skipped(entry)
            for block in found.get("impactedBlocks") or ()
            for entry in block.get("skippedData") or ()
        ),
    )


def _skipped(entry: Mapping[str, Any]) -> SkippedData:
    return SkippedData(
        str(entry.get("reason")),
        int(entry.get("count") or 0),
        entry.get("sourceColumnName") or "",
        tuple(str(sample) for sample in entry.get("samples") or ()),
    )
