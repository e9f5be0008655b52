"""What Meltano selects of a catalog, by the `select` and `metadata` of a plugin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


def is_selected(rules: Iterable[str], stream: str, field: str | None = None) -> bool:
    """Whether `select` chooses a stream, or a field of it.

    A later rule does not win over an earlier one: what any `!` rule names is left out.
    """
    chosen = False
    for rule in rules:
        stream_pattern, _, field_pattern = rule.removeprefix("!").partition(".")
        if not fnmatchcase(stream, stream_pattern):
            continue
        excludes = rule.startswith("!")
        if field is None:
            # An exclusion of single fields leaves the stream.
            fits = not excludes or field_pattern in {"", "*"}
        else:
            fits = fnmatchcase(field, field_pattern or "*")
        if fits and excludes:
            return False
        chosen |= fits
    return chosen


@dataclass(frozen=True, slots=True)
class MetadataRule:
    """A value that `metadata` gives to a stream, or to a field of it.

    Attributes:
        stream: a pattern.
        field: a pattern; empty for the stream itself.
    """

    stream: str
    field: str
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class MeltanoSelection:
    """Both together: `metadata` has the last word.

    Attributes:
        rules: of `select`.
        metadata: of `metadata`, in its order.
    """

    rules: tuple[str, ...] = ()
    metadata: tuple[MetadataRule, ...] = ()

    def chooses(
        self, stream: str, field: str | None = None, *, by_default: bool
    ) -> bool:
        """Whether a stream is loaded, or a field of it.

        Args:
            stream: its name.
            field: None for the stream itself.
            by_default: where `select` is empty.
        """
        stated = self._stated(stream, field, "selected")
        if isinstance(stated, bool):
            return stated
        return is_selected(self.rules, stream, field) if self.rules else by_default

    def is_incremental(self, stream: str) -> bool:
        """Unless `replication-method` says otherwise."""
        return self._stated(stream, None, "replication-method") in {
            None,
            "INCREMENTAL",
        }

    def named_fields(self, stream: str) -> tuple[str, ...]:
        """The fields of a stream that `select` names one by one."""
        own = [rule.partition(".") for rule in self.rules]
        return tuple(
            field
            for pattern, _, field in own
            if pattern == stream and field and not set(field) & set("*?[")
        )

    def _stated(self, stream: str, field: str | None, key: str) -> Any:
        found = None
        for rule in self.metadata:
            is_meant = rule.key == key and fnmatchcase(stream, rule.stream)
            if is_meant and _fits(rule.field, field):
                found = rule.value
        return found


def _fits(pattern: str, field: str | None) -> bool:
    if field is None or not pattern:
        return field is None and not pattern
    return fnmatchcase(field, pattern)


def metadata_rules(stated: Mapping[str, Any]) -> tuple[MetadataRule, ...]:
    """The rules of a plugin's `metadata`, written nested or with dots."""
    return tuple(
        MetadataRule(stream, ".".join(fields).removeprefix("properties."), key, value)
        for (stream, *fields, key), value in _flat(stated)
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
