"""What of a source is loaded: its fields, its filter, fields of its parents.

Every name is checked before anything is written, as the tap would check it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from difflib import unified_diff

from tap_sage_intacct.catalog.discovery import OfferedSource
from tap_sage_intacct.catalog.sensitivity import sensitive_fields
from tap_sage_intacct.companion.meltano_file import (
    MeltanoFile,
    allow_sensitive,
    rules_of,
    set_rules,
    set_stream_setting,
)
from tap_sage_intacct.run.run import Run
from tap_sage_intacct.selection.meltano import (
    MeltanoSelection,
    Pattern,
    corrected,
    pattern_for,
)
from tap_sage_intacct.selection.row_selection import row_selection
from tap_sage_intacct.selection.source_lookup import (
    offered_source,
    source_named,
    spelled,
)
from tap_sage_intacct.settings.settings import Settings


@dataclass(frozen=True)
class Choice:
    """What a user wants of a source; None leaves what the file says.

    Attributes:
        fields: an empty list selects all of them.
        condition: a filter; an empty one takes the filter away.
        related: paths into parent objects; an empty list removes those there are.
    """

    source: str
    fields: tuple[str, ...] | None = None
    condition: str | None = None
    related: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Change:
    """What a choice makes of a meltano.yml.

    Attributes:
        diff: unified; empty where the file says so already.
        is_needless: the file selects everything, so that naming fields changes nothing.
        sensitive: sensitive fields that no rule names and one covers.
        left_out: those that a rule covers and discovery does not offer.
    """

    stream: str
    rules: tuple[str, ...]
    diff: str
    is_needless: bool
    sensitive: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def choose(run: Run, choice: Choice, file: MeltanoFile) -> Change:
    """Put a choice into the document of a meltano.yml, which is not written yet.

    A sensitive field that the choice names is added to `include_sensitive`, without
    which discovery would not offer it.

    Raises:
        InvalidSettings: a name, a path or the filter is wrong; with the nearest right
            names.
    """
    wanted = source_named(choice.source, run.settings)
    stream = wanted.stream_name
    settings = _chosen(run.settings, stream, choice)
    offered = offered_source(run, wanted, settings)
    row_selection(offered, settings)
    entry = file.entry()
    related = spelled(
        settings.related_fields.get(stream, ()), offered.schema["properties"], stream
    )
    listed = file.rules()
    rules = _rules(offered, choice, listed, related)
    set_rules(entry, stream, rules)
    if choice.condition is not None:
        set_stream_setting(entry, "filters", stream, choice.condition or None)
    if choice.related is not None:
        set_stream_setting(entry, "related_fields", stream, list(related) or None)
    others = set(listed) - set(rules_of(listed, stream))
    is_needless = bool(choice.fields) and MeltanoSelection(tuple(others)).chooses(
        stream
    )
    sensitive = sensitive_fields(offered.source.object_name, offered.schema)
    named = [name for name in sensitive if pattern_for(stream, name) in rules]
    hidden = [n for n in sensitive if not settings.sensitive.offers(stream, n)]
    allow_sensitive(entry, [f"{stream}.{name}" for name in named if name in hidden])
    chosen = MeltanoSelection(rules)
    covered = [n for n in sensitive if n not in named and chosen.chooses(stream, n)]
    return Change(
        stream,
        rules,
        _diff(file),
        is_needless,
        tuple(name for name in covered if name not in hidden),
        tuple(name for name in covered if name in hidden),
    )


def _chosen(settings: Settings, stream: str, choice: Choice) -> Settings:
    """The settings as they would be."""
    related, filters = dict(settings.related_fields), dict(settings.filters)
    if choice.related is not None:
        related[stream] = choice.related
    if choice.condition is not None:
        filters[stream] = choice.condition
    if not filters.get(stream):
        filters.pop(stream, None)
    return replace(settings, related_fields=related, filters=filters)


def _diff(file: MeltanoFile) -> str:
    lines = unified_diff(
        file.text.splitlines(keepends=True),
        file.changed_text.splitlines(keepends=True),
        fromfile=file.path.name,
        tofile=file.path.name,
    )
    return "".join(lines)


def _rules(
    offered: OfferedSource,
    choice: Choice,
    listed: tuple[str, ...],
    related: tuple[str, ...],
) -> tuple[str, ...]:
    """The rules that a choice means for its stream."""
    stream, known = offered.source.stream_name, offered.schema["properties"]
    if choice.fields:
        fields = spelled(choice.fields, known, stream)
        rules = tuple(pattern_for(stream, field) for field in fields)
    elif choice.fields is None and MeltanoSelection(listed).chooses(stream):
        rules = _still_right(rules_of(listed, stream), stream, known)
    else:
        rules = (f"{stream}.*",)
    others = tuple(set(listed) - set(rules_of(listed, stream)))
    chosen = MeltanoSelection((*others, *rules))
    further = [
        pattern_for(stream, path)
        for path in related
        if not chosen.chooses(stream, path)
    ]
    return (*rules, *further)


def _still_right(
    rules: Iterable[str], stream: str, known: Collection[str]
) -> tuple[str, ...]:
    """The rules, in Meltano's way, less those of parents' fields no longer wanted."""
    kept = []
    for rule in rules:
        pattern = Pattern.parse(rule)
        right = rule if pattern.matches({stream: known}) else corrected(rule)
        is_path = pattern.names_one_field and set(pattern.field) & set(".?")
        if not is_path or Pattern.parse(right).matches({stream: known}):
            kept.append(right)
    return tuple(kept)
