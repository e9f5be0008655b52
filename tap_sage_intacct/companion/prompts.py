"""Asks what to choose of a source, one question after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import click

from tap_sage_intacct.catalog.sources import DATA_SOURCES
from tap_sage_intacct.companion.meltano_file import MeltanoFile, rules_of
from tap_sage_intacct.companion.screens import Output
from tap_sage_intacct.companion.select import Choice
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.run.run import Run
from tap_sage_intacct.selection.row_selection import row_selection
from tap_sage_intacct.selection.source_lookup import (
    offered_source,
    source_named,
    spelled,
)

T = TypeVar("T")

EVERY_FIELD = "*"
NOTHING = "-"


def ask_for_choice(
    run: Run, source: str | None, file: MeltanoFile, output: Output
) -> Choice:
    """Ask for a source, its fields, its filter and its parents' fields.

    What is wrong is said, and asked for again. An empty answer keeps what the file says.
    """
    settings = run.settings
    if source is None:
        output.say(", ".join(one.stream_name for one in DATA_SOURCES))
        source = _asked("Source", lambda text: source_named(text, settings))
    wanted = source_named(source, settings)
    offered = offered_source(run, wanted, settings)
    stream, properties = wanted.stream_name, offered.schema["properties"]

    def check_fields(text: str) -> None:
        spelled(names_in(text), properties, stream)

    def check_condition(text: str) -> None:
        row_selection(offered, replace(settings, filters={stream: text}))

    def check_related(text: str) -> None:
        paths = {stream: names_in(text)}
        offered_source(run, wanted, replace(settings, related_fields=paths))

    output.say(f"Fields: {', '.join(properties)}")
    chosen = rules_of(file.rules(), stream)
    output.say(f"Selected now: {', '.join(chosen) or 'nothing'}")
    output.say(f"Filter now: {settings.filters.get(stream, 'none')}")
    related = settings.related_fields.get(stream, ())
    output.say(f"Parents' fields now: {', '.join(related) or 'none'}")
    output.say(f"Enter keeps each as it is, {NOTHING} takes it away.")
    names = _asked(f"Fields, by commas, or {EVERY_FIELD}", check_fields, EVERY_FIELD)
    condition = _asked("Filter, such as STATUS = 'active'", check_condition, NOTHING)
    paths = _asked(
        "Parents' fields, such as VENDOR.CREDITLIMIT", check_related, NOTHING
    )
    return Choice(
        stream,
        _kept(names, () if names == EVERY_FIELD else names_in(names)),
        _kept(condition, "" if condition == NOTHING else condition),
        _kept(paths, () if paths == NOTHING else names_in(paths)),
    )


def _asked(
    question: str, check: Callable[[str], object], unchecked: str | None = None
) -> str:
    """An answer that passes the check; with a word that needs none, also an empty one."""

    def checked(text: str) -> str:
        if text.strip() not in {"", unchecked}:
            try:
                check(text.strip())
            except InvalidSettings as error:
                raise click.UsageError(str(error)) from None
        return text.strip()

    default = None if unchecked is None else ""
    answer: str = click.prompt(
        question, default=default, value_proc=checked, show_default=False, err=True
    )
    return answer


def _kept(answer: str, meant: T) -> T | None:
    """None for an empty answer."""
    return meant if answer else None


def names_in(text: str) -> tuple[str, ...]:
    """The names between the commas of a text."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
