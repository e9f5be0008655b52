"""What Meltano selects of a catalog, by `select`, `select_filter` and `metadata`.

As Meltano 4 does it [L]: `tests/selection/test_meltano_selection.py` asks Meltano itself. To
Meltano, a dot in a pattern separates a property from one within it. So a pattern cannot
name a field whose id holds a dot; `?`, which stands for any character, can stand for
the dot.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

SELECTED = "selected"

Streams = Mapping[str, Collection[str]]
"""Stream to its fields."""

_UNESCAPED_DOT = re.compile(r"(?<!\\)\.")
_SPECIAL = re.compile(r"[.*?\[\]]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern of `select`.

    Attributes:
        stream: a pattern of names.
        field: a pattern of fields; empty for the stream with all its fields.
        excludes: whether it begins with `!`.
    """

    stream: str
    field: str
    excludes: bool

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read it: the first dot that has no backslash separates stream and field."""
        stream, *rest = _UNESCAPED_DOT.split(text.removeprefix("!"), maxsplit=1)
        field = rest[0] if rest else ""
        return cls(stream.replace(r"\.", "."), field, text.startswith("!"))

    def matches(self, streams: Streams) -> bool:
        """Whether it selects or excludes anything at all."""
        return any(
            fnmatch(name, self.stream) and self._fits_one_of(fields)
            for name, fields in streams.items()
        )

    def _fits_one_of(self, fields: Iterable[str]) -> bool:
        pattern = _breadcrumb(self.field)
        return not self.field or any(
            fnmatch(f"properties.{field}", pattern) for field in fields
        )

    @property
    def names_one_field(self) -> bool:
        """Whether it is written for one field, whose dots may be `?`."""
        return bool(self.field) and not set(self.field) & set("*[")


def pattern_for(stream: str, field: str) -> str:
    """A pattern by which Meltano selects this field."""
    # A backslash keeps a dot together, but in names of streams alone.
    return ".".join((stream.replace(".", r"\."), _SPECIAL.sub("?", field)))


def corrected(text: str) -> str:
    """A pattern in which the dots of the field are wildcards."""
    stream, *rest = _UNESCAPED_DOT.split(text, maxsplit=1)
    return ".".join((stream, *(part.replace(".", "?") for part in rest)))


def _breadcrumb(field: str) -> str:
    """The path that Meltano compares with that of a property; empty for the stream."""
    parts = field.split(".") if field else []
    return ".".join(f"properties.{part}" for part in parts)


@dataclass(frozen=True, slots=True)
class Rule:
    """A value that a stream, or a field of it, gets in the catalog.

    Attributes:
        stream: a pattern.
        field: a pattern; empty for the stream itself.
    """

    stream: str
    field: str
    key: str
    value: Any

    def fits(self, stream: str, field: str | None) -> bool:
        """Whether it is about a field, or about the stream itself (None)."""
        path = "" if field is None else f"properties.{field}"
        return fnmatch(stream, self.stream) and fnmatch(path, _breadcrumb(self.field))


@dataclass(frozen=True, slots=True)
class MeltanoSelection:
    """What Meltano writes into a catalog.

    Attributes:
        rules: of `select`.
        metadata: of `metadata`, in its order; it has the last word on fields.
        stream_filter: of `select_filter`, which narrows the streams.
    """

    rules: tuple[str, ...] = ("*.*",)
    metadata: tuple[Rule, ...] = ()
    stream_filter: tuple[str, ...] = ()

    def chooses(self, stream: str, field: str | None = None) -> bool:
        """Whether a stream is selected (None), or a field of it.

        Meltano cannot deselect keys and stamps, whose inclusion is automatic.
        """
        if field is None and not self._passes_filter(stream):
            return False
        found = False
        for rule in (*select_rules(self.rules), *self.metadata):
            if rule.key == SELECTED and rule.fits(stream, field):
                found = rule.value is True
        return found

    def is_incremental(self, stream: str) -> bool:
        """Unless `replication-method` says otherwise."""
        methods = [
            rule.value
            for rule in self.metadata
            if rule.key == "replication-method" and rule.fits(stream, None)
        ]
        return not methods or methods[-1] == "INCREMENTAL"

    def named_fields(self, stream: str, fields: Iterable[str]) -> tuple[str, ...]:
        """The fields of a stream that are selected and that `select` names singly."""
        known = [field for field in fields if self.chooses(stream, field)]
        named = (
            field
            for rule in self.rules
            if Pattern.parse(rule).names_one_field
            for field in known
            if MeltanoSelection((rule,)).chooses(stream, field)
        )
        return tuple(dict.fromkeys(named))

    def _passes_filter(self, stream: str) -> bool:
        patterns = [Pattern.parse(text) for text in self.stream_filter]
        wanted = [p for p in patterns if not p.excludes]
        return (
            not wanted or any(fnmatch(stream, p.stream) for p in wanted)
        ) and not any(fnmatch(stream, p.stream) for p in patterns if p.excludes)


def select_rules(patterns: Iterable[str]) -> list[Rule]:
    """The rules that Meltano makes of `select`: exclusions come last."""
    parsed = [Pattern.parse(text) for text in patterns]
    return [
        rule
        for excludes in (False, True)
        for pattern in parsed
        if pattern.excludes is excludes
        for rule in _rules_of(pattern)
    ]


def _rules_of(pattern: Pattern) -> Iterator[Rule]:
    def rule(field: str) -> Rule:
        return Rule(pattern.stream, field, SELECTED, not pattern.excludes)

    if not pattern.excludes or pattern.field in {"", "*"}:
        yield rule("")
    yield rule(pattern.field or "*")
    if not pattern.excludes:
        # What a property is within is selected with it.
        parts = pattern.field.split(".")
        yield from (rule(".".join(parts[:end])) for end in range(1, len(parts)))


def metadata_rules(*stated: Mapping[str, Any]) -> tuple[Rule, ...]:
    """The rules of `metadata`, written nested or with dots; later ones come on top.

    What is said of one stream stays together, where it was first named: as the last
    rule that fits wins, the order counts.
    """
    nested: dict[str, Any] = {}
    for mapping in stated:
        for path, value in _flat(mapping):
            within = nested
            for part in path[:-1]:
                within = within.setdefault(part, {})
            within[path[-1]] = value
    return tuple(
        Rule(stream, ".".join(fields), key, value)
        for (stream, *fields, key), value in _flat(nested)
    )


def _flat(
    stated: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in stated.items():
        path = (*above, *str(name).split("."))
        if isinstance(value, Mapping):
            yield from _flat(value, path)
        elif len(path) > 1:
            yield path, value
