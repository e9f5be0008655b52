"""Every behaviour of Pigment that is unknown, or that a test wants to choose.

Each switch says what is known of the real service.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PigmentSwitches:
    """How this workspace behaves where Pigment documents nothing, or little.

    The call:
        size_limit_bytes: larger pushes get 400 [D]; the number is not published [?].
        error_body: of refusals; their schema is not declared [?]. `rotate` takes
            another kind with each refusal.
        push_content_type: of the answer to a push; three are declared [D].
        retry_after: seconds, as a header of 429; None: no header [?].
        requests_per_window: of one client in 5 minutes, polls included [D].
        pushes_per_hour: of one configuration [D].
        key_expired: the import key is no longer valid [D].
        polls: how often a status is InProgress before it says how the import ended.
        detailed_report: given when asked for [D], or null all the same [?].

    The file:
        headers: how columns are found; not documented [?].
        header_only: a file without rows clears and loads nothing, or fails [?].
        duplicate_keys: in one file make the import fail [D], or the last row wins.
        empty_cell: blanks the property of an item that exists, or leaves it [?].
        write_denied: rows that hold one of these cells are not the key owner's to
            write [I].
        scope_from: which items a limited scope clears: those of the values in the
            file, or fixed ones that the configuration names [?].
        clears_before_failing: the clear of a failed import is not taken back [?].
    """

    size_limit_bytes: int = 50_000_000
    error_body: Literal["empty", "text", "html", "json", "rotate"] = "json"
    push_content_type: Literal["application/json", "text/json", "text/plain"] = (
        "application/json"
    )
    retry_after: int | None = None
    requests_per_window: int = 500
    pushes_per_hour: int = 300
    key_expired: bool = False
    polls: int = 1
    detailed_report: Literal["given", "null"] = "given"
    headers: Literal["strict", "by_name", "by_position"] = "strict"
    header_only: Literal["load", "fail"] = "load"
    duplicate_keys: Literal["fail", "last"] = "fail"
    empty_cell: Literal["blank", "keep"] = "blank"
    write_denied: frozenset[str] = frozenset()
    scope_from: Literal["file", "configuration"] = "file"
    clears_before_failing: bool = True
