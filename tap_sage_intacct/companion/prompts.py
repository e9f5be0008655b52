"""Asks what to choose of a source, one question after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from tap_sage_intacct.companion.offered import offered_source, source_named, spelled
from tap_sage_intacct.companion.select import Choice
from tap_sage_intacct.selection import row_selection
from tap_sage_intacct.settings import InvalidSettings
from tap_sage_intacct.sources import DATA_SOURCES

if TYPE_CHECKING:
    from tap_sage_intacct.companion.rendering import Output
    from tap_sage_intacct.run import Run

EVERY_FIELD = "*"


def ask_for_choice(run: Run, source: str | None, output: Output) -> Choice:
    """Ask for a source, its fields, its filter and its parents' fields.

    What is wrong is said, and asked for again.
    """
    if source is None:
        output.say(", ".join(one.stream_name for one in DATA_SOURCES))
        source = _asked(
            "Source", lambda text: source_named(text, run.settings).stream_name
        )
    wanted = source_named(source, run.settings)
    offered = offered_source(run, wanted, run.settings)
    properties = offered.schema["properties"]
    output.say(
        f"{wanted.stream_name} has {len(properties)} fields: {', '.join(properties)}"
    )

    def fields(text: str) -> str:
        if text != EVERY_FIELD:
            spelled(_listed(text), properties, wanted.stream_name)
        return text

    def condition(text: str) -> str:
        filters = {wanted.stream_name: text} if text else {}
        row_selection(offered, replace(run.settings, filters=filters))
        return text

    def related(text: str) -> str:
        paths = {wanted.stream_name: _listed(text)} if text else {}
        offered_source(run, wanted, replace(run.settings, related_fields=paths))
        return text

    names = _asked("Fields, separated by commas", fields, EVERY_FIELD)
    filtered = _asked("Filter, such as STATUS = 'active'", condition, "")
    paths = _asked("Parents' fields, such as VENDOR.CREDITLIMIT", related, "")
    return Choice(
        wanted.stream_name,
        () if names == EVERY_FIELD else _listed(names),
        filtered,
        _listed(paths),
    )


def _asked(
    question: str, check: Callable[[str], str], default: str | None = None
) -> str:
    def checked(text: str) -> str:
        try:
            return check(text.strip())
        except InvalidSettings as error:
            raise click.UsageError(str(error)) from None

    return str(
        click.prompt(
            question,
            default=default,
            value_proc=checked,
            show_default=bool(default),
            err=True,
        )
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
