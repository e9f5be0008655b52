"""Asks what to choose of a source, one question after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import click

from tap_sage_intacct.catalog.sources import DATA_SOURCES
from tap_sage_intacct.companion.meltano_file import rules_of
from tap_sage_intacct.companion.offered import offered_source, source_named, spelled
from tap_sage_intacct.companion.select import Choice
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.selection.rows import row_selection

if TYPE_CHECKING:
    from tap_sage_intacct.catalog.discovery import OfferedSource
    from tap_sage_intacct.companion.meltano_file import MeltanoFile
    from tap_sage_intacct.companion.rendering import Output
    from tap_sage_intacct.run.run import Run

T = TypeVar("T")

EVERY_FIELD = "*"
NOTHING = "-"


def ask_for_choice(
    run: Run, source: str | None, file: MeltanoFile, output: Output
) -> Choice:
    """Ask for a source, its fields, its filter and its parents' fields.

    What is wrong is said, and asked for again. An empty answer keeps what the file says.
    """

    def is_known(text: str) -> None:
        source_named(text, run.settings)

    if source is None:
        output.say(", ".join(one.stream_name for one in DATA_SOURCES))
        source = _asked("Source", is_known)
    checks = _Checks(run, source)
    output.say(f"Fields: {', '.join(checks.fields_offered)}")
    stream = checks.stream
    chosen = rules_of(file.rules(), stream)
    output.say(f"Selected now: {', '.join(chosen) or 'nothing'}")
    output.say(f"Filter now: {run.settings.filters.get(stream, 'none')}")
    related = run.settings.related_fields.get(stream, ())
    output.say(f"Parents' fields now: {', '.join(related) or 'none'}")
    output.say(f"Enter keeps each as it is, {NOTHING} takes it away.")
    names = _asked(f"Fields, by commas, or {EVERY_FIELD}", checks.fields, "")
    condition = _asked("Filter, such as STATUS = 'active'", checks.condition, "")
    paths = _asked("Parents' fields, such as VENDOR.CREDITLIMIT", checks.related, "")
    return Choice(
        stream,
        _kept(names, () if names == EVERY_FIELD else _listed(names)),
        _kept(condition, "" if condition == NOTHING else condition),
        _kept(paths, () if paths == NOTHING else _listed(paths)),
    )


class _Checks:
    """Refuse wrong answers, as the tap would."""

    def __init__(self, run: Run, source: str) -> None:
        self._run = run
        self._wanted = source_named(source, run.settings)

    @property
    def stream(self) -> str:
        return self._wanted.stream_name

    @cached_property
    def _offered(self) -> OfferedSource:
        return offered_source(self._run, self._wanted, self._run.settings)

    @property
    def fields_offered(self) -> Iterable[str]:
        properties: dict[str, object] = self._offered.schema["properties"]
        return properties

    def fields(self, text: str) -> None:
        if text not in {"", EVERY_FIELD}:
            spelled(_listed(text), self.fields_offered, self.stream)

    def condition(self, text: str) -> None:
        filters = {self.stream: text} if text not in {"", NOTHING} else {}
        row_selection(self._offered, replace(self._run.settings, filters=filters))

    def related(self, text: str) -> None:
        if text in {"", NOTHING}:
            return
        paths = {self.stream: _listed(text)}
        settings = replace(self._run.settings, related_fields=paths)
        offered_source(self._run, self._wanted, settings)


def _asked(
    question: str, check: Callable[[str], None], default: str | None = None
) -> str:
    def checked(text: str) -> str:
        try:
            check(text.strip())
        except InvalidSettings as error:
            raise click.UsageError(str(error)) from None
        return text.strip()

    answer: str = click.prompt(
        question, default=default, value_proc=checked, show_default=False, err=True
    )
    return answer


def _kept(answer: str, meant: T) -> T | None:
    """None for an empty answer."""
    return meant if answer else None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
