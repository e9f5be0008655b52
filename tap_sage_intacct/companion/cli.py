"""The command `sage-intacct`: what can be asked, and by which arguments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from tap_sage_intacct.command import check_catalog
from tap_sage_intacct.companion import doctor as examination
from tap_sage_intacct.companion import plan as planning
from tap_sage_intacct.companion import rendering
from tap_sage_intacct.companion.chosen import chosen_by_catalog, chosen_by_meltano
from tap_sage_intacct.companion.fields import listed_fields
from tap_sage_intacct.companion.meltano_file import (
    FILE_NAME,
    read_meltano_file,
)
from tap_sage_intacct.companion.preview import preview as read_preview
from tap_sage_intacct.companion.prompts import ask_for_choice
from tap_sage_intacct.companion.reports import (
    describe_report,
    report_named,
    run_report,
)
from tap_sage_intacct.companion.select import Choice, choose
from tap_sage_intacct.companion.session import (
    EXIT_FAILURE,
    Companion,
    Session,
    with_session,
)
from tap_sage_intacct.companion.sources import listed_sources
from tap_sage_intacct.companion.steps import Step, is_well
from tap_sage_intacct.intacct.reader import MAX_QUERY_PAGE
from tap_sage_intacct.settings.input_files import read_object


@click.group(cls=Companion, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tap-sage-intacct", prog_name="sage-intacct")
def main() -> None:
    """Set up and look into a Sage Intacct connection.

    Settings are those of tap-sage-intacct. They come from the meltano.yml of the
    current folder, then from environment variables TAP_SAGE_INTACCT_... and .env, then
    from the files of --config; the later one wins.

    Results go to stdout, everything else to stderr; the exit code is 1 after an error.
    """


@main.command()
@with_session
def doctor(session: Session) -> None:
    """Check the connection step by step, and say how to fix it."""
    configuration = session.configuration
    selection = configuration.selection
    output = session.output
    steps: list[Step] = []
    for step in examination.examine(
        configuration,
        session.surroundings.now,
        selection.chooses if selection else lambda _stream: True,
    ):
        if not output.as_json:
            rendering.show_step(output, step, steps)
        steps.append(step)
    if output.as_json:
        output.json(rendering.steps_as_json(steps))
    else:
        rendering.show_verdict(output, steps)
    if not is_well(steps):
        click.get_current_context().exit(EXIT_FAILURE)


@main.command()
@with_session
def sources(session: Session) -> None:
    """List the 22 data sources; with credentials also which can be read."""
    session.show(listed_sources(session.run()), rendering.show_sources)


@main.command()
@click.argument("source")
@click.option("--search", default="", metavar="TEXT", help="Only fields that hold it.")
@with_session
def fields(session: Session, source: str, search: str) -> None:
    """List the fields of SOURCE, a stream or an object.

    With credentials as the company has them, without as the tap ships them.
    """
    found = listed_fields(session.run(), source, search)
    session.show(found, rendering.show_fields)


@main.command()
@click.argument("source")
@click.option("--fields", "names", default="", metavar="A,B", help="The columns.")
@click.option(
    "--filter",
    "condition",
    metavar="TEXT",
    help="A condition on rows, instead of that of the settings.",
)
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, MAX_QUERY_PAGE),
    default=20,
    show_default=True,
    help="Rows at most.",
)
@with_session
def preview(
    session: Session, source: str, names: str, condition: str | None, count: int
) -> None:
    """Show rows of SOURCE, and how many there are.

    The columns are those that meltano.yml selects by name, as far as a screen has room.
    """
    found = read_preview(
        session.run(),
        source,
        _names(names),
        condition,
        count,
        session.configuration.selection,
    )
    session.show(found, rendering.show_preview)


@main.command()
@click.option("--catalog", metavar="FILE", help="Of the run to plan.")
@click.option("--state", metavar="FILE", help="Of the run before it.")
@with_session
def plan(session: Session, catalog: str | None, state: str | None) -> None:
    """Tell rows, billed calls and minutes of a run before it is run.

    The streams are those of the catalog, or those that meltano.yml selects, or all.
    """
    run = session.run()
    if catalog is not None:
        given = read_object(Path(catalog), "--catalog")
        check_catalog(given, Path(catalog))
        chosen = chosen_by_catalog(run, given)
    else:
        chosen = chosen_by_meltano(run, session.configuration.selection)
    known = {} if state is None else read_object(Path(state), "--state")
    found = planning.plan(run, chosen, known, session.surroundings.timer)
    session.show(found, rendering.show_plan, rendering.plan_as_json(found))


@main.command()
@click.argument("name")
@click.option("--describe", is_flag=True, help="Columns and arguments, not rows.")
@click.option(
    "--argument",
    "arguments",
    multiple=True,
    metavar="NAME=VALUE",
    help="What the report prompts for; may be given several times.",
)
@click.option(
    "-n",
    "count",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Rows at most.",
)
@with_session
def reports(
    session: Session,
    name: str,
    *,
    describe: bool,
    arguments: Sequence[str],
    count: int,
) -> None:
    """Describe the custom report NAME, or run it and show its first rows."""
    run = session.run()
    report = report_named(run, name, _arguments(arguments))
    if describe:
        session.show(describe_report(run, report), rendering.show_report)
    else:
        session.show(run_report(run, report, count), rendering.show_report_rows)


@main.command()
@click.argument("source", required=False)
@click.option("--field", "names", multiple=True, metavar="FIELD", help="To load.")
@click.option("--all-fields", is_flag=True, help="Load whatever there is.")
@click.option(
    "--filter", "condition", metavar="TEXT", help="Rows to load; empty for all."
)
@click.option(
    "--related",
    multiple=True,
    metavar="PATH",
    help="A parent's field to load, such as VENDOR.CREDITLIMIT.",
)
@click.option("--file", default=FILE_NAME, show_default=True, metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Show the change, write nothing.")
@with_session
def select(  # noqa: PLR0913 - an option each
    session: Session,
    source: str | None,
    *,
    names: Sequence[str],
    all_fields: bool,
    condition: str | None,
    related: Sequence[str],
    file: str,
    dry_run: bool,
) -> None:
    """Choose what of SOURCE is loaded, in the tap's entry of a meltano.yml.

    Asks where no option is given on a terminal.
    """
    run = session.run()
    target = read_meltano_file(Path(file))
    is_asked = not (names or all_fields or condition is not None or related)
    if is_asked:
        if not session.surroundings.can_ask():
            raise click.UsageError(
                "Say what to choose: --field, --all-fields, --filter or --related."
            )
        choice = ask_for_choice(run, source, target, session.output)
    elif source is None:
        raise click.UsageError("Name the SOURCE to choose from.")
    else:
        choice = Choice(
            source,
            tuple(names) if names or all_fields else None,
            condition,
            tuple(related) or None,
        )
    change = choose(run, choice, target)
    session.show(change, rendering.show_change)
    if is_asked and change.diff and not dry_run:
        click.confirm(f"Write {file}?", default=True, abort=True, err=True)
    if change.diff and not dry_run:
        target.write()


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _arguments(given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for name, sign, _ in pairs:
        if not (name and sign):
            raise click.UsageError(f"--argument {name}: write it as NAME=VALUE.")
    return {name: value for name, _, value in pairs}
