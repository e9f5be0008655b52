"""What happens to a company between two calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from random import Random

from intacct_sandbox import Company, ManualClock
from intacct_sandbox.company.changes import post_entry
from tests.reading.convergence.subjects import ENTITIES, LINE_KINDS, Subject

TEXT_FIELD = {
    "VENDOR": "NAME",
    "APBILL": "DESCRIPTION",
    "REVRECSCHEDULE": "DESCRIPTION",
}


class CommitClock(ManualClock):
    """Stamps a change with the time at which it began, some time before it shows."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._of_thread = threading.local()

    def now(self) -> datetime:
        behind: timedelta = getattr(self._of_thread, "behind", timedelta())
        return super().now() - behind

    @contextmanager
    def behind(self, time: timedelta) -> Iterator[None]:
        """What this thread changes now began so long ago; the others see the time."""
        self._of_thread.behind = time
        try:
            yield
        finally:
            self._of_thread.behind = timedelta()


def change(
    company: Company, subject: Subject, kind: str, number: int, latest: timedelta
) -> None:
    """Change one row of the subject.

    Args:
        company: whose row.
        subject: what is read.
        kind: one of the subject's.
        number: chooses the row, and whatever else there is to choose.
        latest: a late row shows less than this time after its stamp.
    """
    with company.transaction():
        if subject.kinds is LINE_KINDS:
            _change_entry(company, kind, number)
        else:
            _change_record(company, subject.object_name, kind, number, latest)


def _change_record(
    company: Company, name: str, kind: str, number: int, latest: timedelta
) -> None:
    numbers = _numbers(company, name)
    chosen = numbers[number % len(numbers)] if len(numbers) > 1 else None
    text = {TEXT_FIELD[name]: f"{kind} {number}"}
    if name == "VENDOR" and kind not in {"update", "delete", "recreate"}:
        # The audit trail names vendors by it.
        text["VENDORID"] = f"V-{max(numbers)}-{number}"
    stampless = {"WHENMODIFIED": None, "WHENCREATED": None, "AUWHENCREATED": None}
    known = {field.id for field in company.definitions[name].fields}
    visible = company.clock.now() + latest * (number % 90) / 90
    makers: Mapping[str, Callable[[], object]] = {
        "insert": partial(company.insert, name, text),
        "late": partial(company.insert, name, text, visible_from=visible),
        "private": partial(company.insert, name, text, private=True),
        "owned": partial(
            company.insert,
            name,
            text,
            entity=ENTITIES[number % 3],
            private=number % 3 == 2,
        ),
        "unstamped": partial(company.insert, name, {**text, "WHENMODIFIED": None}),
        "without-stamps": partial(
            company.insert,
            name,
            {**text, **{k: v for k, v in stampless.items() if k in known}},
        ),
    }
    if kind in makers:
        makers[kind]()
    elif chosen is not None and kind == "update":
        company.update(name, chosen, text)
    elif chosen is not None and kind == "delete":
        company.delete(name, chosen)
    elif chosen is not None and kind == "recreate":
        company.recreate(name, chosen)
    elif chosen is not None and kind == "move":
        owner = (None, *ENTITIES)[number % 4]
        is_private = owner is not None and number % 8 > 3
        company.move(name, chosen, entity=owner, private=is_private)


def _change_entry(company: Company, kind: str, number: int) -> None:
    entries = _numbers(company, "GLBATCH")
    lines = _numbers(company, "GLENTRY")
    if kind == "post" or len(entries) < 3 or len(lines) < 3:
        post_entry(company, Random(number))  # noqa: S311 - repeatable, not secret
        return
    entry = entries[number % len(entries)]
    key = lines[number % len(lines)]
    line = company.row("GLENTRY", key)
    owner = int(str(line["BATCHNO"]))
    text = f"{kind} {number}"
    old = company.row("GLBATCH", entry)["MODIFIED"]
    if kind == "unstamped-line":
        new = {"BATCHNO": owner, "ACCOUNTNO": line["ACCOUNTNO"], "AMOUNT": "1.00"}
        company.insert("GLENTRY", {**new, "TR_TYPE": 1, "WHENMODIFIED": None})
        company.update("GLBATCH", owner, {})
    elif kind == "silent-line":
        stamp = {"WHENMODIFIED": line["WHENMODIFIED"]}
        company.update("GLENTRY", key, {"DESCRIPTION": text, **stamp})
        company.update("GLBATCH", owner, {})
    elif kind == "silent-title":
        company.update("GLBATCH", entry, {"BATCH_TITLE": text, "MODIFIED": old})
    elif kind == "unpost":
        company.update("GLBATCH", entry, {"STATE": "Draft"})
    elif kind == "retitle":
        company.update("GLBATCH", entry, {"BATCH_TITLE": text})
    elif kind == "delete-entry":
        company.delete("GLBATCH", entry)
    elif kind == "delete-line":
        company.delete("GLENTRY", key)
        company.update("GLBATCH", owner, {})


def _numbers(company: Company, name: str) -> list[int]:
    rows = company.connection().execute(
        f'SELECT "RECORDNO" FROM "{name}" ORDER BY "RECORDNO"'
    )
    return [number for (number,) in rows.fetchall()]
