"""The command `sage-intacct`: what can be asked, and by which arguments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from tap_sage_intacct.catalog import discovery
from tap_sage_intacct.command import EXIT_FAILURE, read_catalog
from tap_sage_intacct.companion import doctor as examination
from tap_sage_intacct.companion import plan as planning
from tap_sage_intacct.companion import screens
from tap_sage_intacct.companion.invocation import (
    Companion,
    Invocation,
    with_invocation,
)
from tap_sage_intacct.companion.listing import listed_fields, listed_sources
from tap_sage_intacct.companion.meltano_file import FILE_NAME, read_meltano_file
from tap_sage_intacct.companion.preview import preview as read_preview
from tap_sage_intacct.companion.prompts import ask_for_choice, names_in
from tap_sage_intacct.companion.reports import (
    describe_report,
    report_named,
    run_report,
)
from tap_sage_intacct.companion.select import Choice, choose
from tap_sage_intacct.companion.steps import Step, is_well
from tap_sage_intacct.intacct.reader import MAX_QUERY_PAGE
from tap_sage_intacct.selection.chosen import chosen_by_meltano
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
@with_invocation
def doctor(invocation: Invocation) -> None:
    """Check the connection step by step, and say how to fix it."""
    configuration = invocation.configuration
    selection = configuration.selection
    output = invocation.output
    steps: list[Step] = []
    for step in examination.examine(
        configuration,
        invocation.surroundings.now,
        selection.chooses if selection else lambda _stream: True,
    ):
        if not output.as_json:
            screens.show_step(output, step, steps)
        steps.append(step)
    if output.as_json:
        output.json(screens.steps_as_json(steps))
    else:
        screens.show_verdict(output, steps)
    if not is_well(steps):
        click.get_current_context().exit(EXIT_FAILURE)


@main.command()
@with_invocation
def sources(invocation: Invocation) -> None:
    """List the 22 data sources; with credentials also which can be read."""
    invocation.show(listed_sources(invocation.run()), screens.show_sources)


@main.command()
@click.argument("source")
@click.option("--search", default="", metavar="TEXT", help="Only fields that hold it.")
@with_invocation
def fields(invocation: Invocation, source: str, search: str) -> None:
    """List the fields of SOURCE, a stream or an object.

    With credentials as the company has them, without as the tap ships them.
    """
    found = listed_fields(invocation.run(), source, search)
    invocation.show(found, screens.show_fields)


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
@with_invocation
def preview(
    invocation: Invocation, source: str, names: str, condition: str | None, count: int
) -> None:
    """Show rows of SOURCE, and how many there are.

    The columns are those that meltano.yml selects by name, as far as a screen has room.
    """
    found = read_preview(
        invocation.run(),
        source,
        names_in(names),
        condition,
        count,
        invocation.configuration.selection,
    )
    invocation.show(found, screens.show_preview)


@main.command()
@click.option("--catalog", metavar="FILE", help="Of the run to plan.")
@click.option("--state", metavar="FILE", help="Of the run before it.")
@with_invocation
def plan(invocation: Invocation, catalog: str | None, state: str | None) -> None:
    """Tell rows, billed calls and minutes of a run before it is run.

    The streams are those of the catalog, or those that meltano.yml selects, or all.
    """
    run = invocation.run()
    if catalog is not None:
        given = read_catalog(Path(catalog), "--catalog")
        plans = planning.plans_by_catalog(run, given)
    else:
        plans = chosen_by_meltano(
            discovery.live(run.gateway, run.settings),
            invocation.configuration.selection,
            run.settings,
        )
    known = {} if state is None else read_object(Path(state), "--state")
    found = planning.plan(run, plans, known, invocation.surroundings.timer)
    invocation.show(found, screens.show_plan, screens.plan_as_json(found))


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
@with_invocation
def reports(
    invocation: Invocation,
    name: str,
    *,
    describe: bool,
    arguments: Sequence[str],
    count: int,
) -> None:
    """Describe the custom report NAME, or run it and show its first rows."""
    run = invocation.run()
    report = report_named(run, name, _arguments(arguments))
    if describe:
        invocation.show(describe_report(run, report), screens.show_report)
    else:
        invocation.show(run_report(run, report, count), screens.show_report_rows)


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
@with_invocation
def select(  # noqa: PLR0913 - an option each
    invocation: Invocation,
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
    run = invocation.run()
    target = read_meltano_file(Path(file))
    is_asked = not (names or all_fields or condition is not None or related)
    if is_asked:
        if not invocation.surroundings.can_ask():
            raise click.UsageError(
                "Say what to choose: --field, --all-fields, --filter or --related."
            )
        choice = ask_for_choice(run, source, target, invocation.output)
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
    invocation.show(change, screens.show_change)
    if is_asked and change.diff and not dry_run:
        click.confirm(f"Write {file}?", default=True, abort=True, err=True)
    if change.diff and not dry_run:
        target.write()


def _arguments(given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for name, sign, _ in pairs:
        if not (name and sign):
            raise click.UsageError(f"--argument {name}: write it as NAME=VALUE.")
    return {name: value for name, _, value in pairs}
