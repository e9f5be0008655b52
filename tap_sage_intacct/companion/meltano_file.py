"""meltano.yml: what it says of the tap, and changing that and nothing else.

ruamel.yaml keeps comments, quotes and order of what is not changed.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.util import load_yaml_guess_indent

from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.selection.meltano import (
    MeltanoSelection,
    Pattern,
    metadata_rules,
)

FILE_NAME = "meltano.yml"
TAP = "tap-sage-intacct"

_WIDEST_LINE = 4096
"""Longer than any line, so that no line is broken."""


@dataclass
class MeltanoFile:
    """A meltano.yml, read with its comments.

    Attributes:
        text: as it stands on the disk.
        document: the same as YAML; what is changed in it is in `changed_text`.
    """

    path: Path
    text: str
    document: CommentedMap

    def tap_config(self, environment: str | None = None) -> Mapping[str, Any]:
        """The settings of the tap's entry, those of an environment over them.

        Args:
            environment: its name; None for the file's default one.
        """
        special = self._entry_of_environment(environment)
        configs = (self._mapping(e.get("config")) for e in (self.entry(), special))
        own, other = map(_nested, configs)
        return {**own, **other}

    def rules(self) -> tuple[str, ...]:
        """The entry's `select`."""
        return tuple(self.entry().get("select") or ())

    def selection(self, environment: str | None = None) -> MeltanoSelection:
        """What the entry and an environment select; the latter comes first.

        Args:
            environment: its name; None for the file's default one.
        """
        own, special = self.entry(), self._entry_of_environment(environment)
        rules, stream_filter = (
            next((entry[key] for entry in (special, own) if key in entry), None)
            for key in ("select", "select_filter")
        )
        stated = (self._mapping(entry.get("metadata")) for entry in (own, special))
        everything = MeltanoSelection().rules
        return MeltanoSelection(
            everything if rules is None else tuple(rules),
            metadata_rules(*stated),
            tuple(stream_filter or ()),
        )

    def entry(self) -> CommentedMap:
        """The tap's entry among the extractors.

        Raises:
            InvalidSettings: there is none.
        """
        plugins = self._mapping(self.document.get("plugins"))
        entries = plugins.get("extractors") or ()
        for key in ("name", "inherit_from", "namespace"):
            for entry in entries:
                if str(entry.get(key, "")).replace("_", "-") == TAP:
                    found: CommentedMap = entry
                    return found
        raise InvalidSettings(
            f"{self.path.name} has no extractor {TAP}: add it under plugins > "
            "extractors, as in the meltano.yml that comes with the tap."
        )

    @property
    def changed_text(self) -> str:
        """The document as it would be written."""
        out = io.StringIO()
        _yaml(self.text).dump(self.document, out)
        return out.getvalue()

    def write(self) -> None:
        """Put the changed text in the file's place, whole or not at all."""
        # Where a link leads, so that the link stays one.
        path = self.path.resolve()
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, delete=False, encoding="utf-8"
        ) as file:
            file.write(self.changed_text)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).chmod(path.stat().st_mode)
        Path(file.name).replace(path)

    def _entry_of_environment(self, name: str | None) -> Mapping[str, Any]:
        """What an environment says of the tap; the file's default one if none is named."""
        name = name or self.document.get("default_environment")
        for environment in self.document.get("environments") or ():
            if environment.get("name") != name:
                continue
            config = self._mapping(environment.get("config"))
            plugins = self._mapping(config.get("plugins"))
            for entry in plugins.get("extractors") or ():
                if entry.get("name") == self.entry().get("name"):
                    return self._mapping(entry)
        return {}

    @staticmethod
    def _mapping(value: Any) -> Mapping[str, Any]:
        return value if isinstance(value, Mapping) else {}


def _nested(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, those below others taken there: Meltano lets dots stand for it."""
    nested = {name: value for name, value in config.items() if "." not in str(name)}
    for name in config.keys() - nested.keys():
        setting, _, below = str(name).partition(".")
        whole = nested.get(setting)
        others = whole if isinstance(whole, Mapping) else {}
        nested[setting] = {**others, below: config[name]}
    return nested


def find_meltano_file(folder: Path) -> MeltanoFile | None:
    """The folder's meltano.yml, if there is one with an entry of the tap.

    Raises:
        InvalidSettings: it is not YAML.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    found = read_meltano_file(path)
    try:
        found.entry()
    except InvalidSettings:
        return None
    return found


def read_meltano_file(path: Path) -> MeltanoFile:
    """Read a meltano.yml.

    Raises:
        InvalidSettings: it cannot be read, or is not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = _yaml(text).load(text)
    except OSError as error:
        raise InvalidSettings(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidSettings(f"{path} is not UTF-8 text: save it as UTF-8.") from None
    except YAMLError:
        raise InvalidSettings(f"{path} is not YAML.") from None
    if not isinstance(document, CommentedMap):
        raise InvalidSettings(f"{path} is no file of Meltano's.")
    _check_shape(document, path)
    return MeltanoFile(path, text, document)


def _check_shape(document: CommentedMap, path: Path) -> None:
    """Refuse what Meltano could not read either, in the parts that the tap reads.

    Raises:
        InvalidSettings: entries that are no mappings, or patterns that are no text.
    """
    environments = document.get("environments") or []
    plugins = document.get("plugins") or {}
    extractors = plugins.get("extractors") if isinstance(plugins, Mapping) else None
    for name, entries in (
        ("environments", environments),
        ("plugins.extractors", extractors or []),
    ):
        if not _are_all(entries, Mapping):
            raise InvalidSettings(f"{path}: {name} must be a list of entries.")
    for entry in extractors or []:
        if not _are_all(entry.get("select") or [], str):
            raise InvalidSettings(f"{path}: select must be a list of patterns.")


def _are_all(entries: Any, kind: type) -> bool:
    return isinstance(entries, list) and all(isinstance(e, kind) for e in entries)


def rules_of(rules: Iterable[str], stream: str) -> tuple[str, ...]:
    """The rules that name this stream, and no other."""
    return tuple(rule for rule in rules if Pattern.parse(rule).stream == stream)


def set_rules(entry: CommentedMap, stream: str, rules: Iterable[str]) -> None:
    """Replace the rules of a stream in an entry's `select`, where the first one stood."""
    listed = entry.get("select")
    if listed is None:
        listed = CommentedSeq()
        _insert_before_config(entry, "select", listed)
    wanted = list(dict.fromkeys(rules))
    old = set(rules_of(listed, stream))
    new = [rule for rule in wanted if rule not in old]
    places = [place for place, rule in enumerate(listed) if rule in old]
    kept = [place for place in places if listed[place] in wanted]
    # Behind the rules that stay, or where the others were.
    at = kept[-1] + 1 if kept else next(iter(places), len(listed))
    for place in reversed(places):
        if place not in kept:
            del listed[place]
            at -= place < at
    for rule in reversed(new):
        listed.insert(at, rule)


def set_stream_setting(
    entry: CommentedMap, setting: str, stream: str, value: Any
) -> None:
    """Set what a setting says of a stream; None takes it away.

    Raises:
        InvalidSettings: the setting stands there as text.
    """
    config = entry.get("config")
    if config is None:
        if value is None:
            return
        config = entry["config"] = CommentedMap()
    given = config.get(setting)
    if given is not None and not isinstance(given, CommentedMap):
        raise InvalidSettings(
            f"config.{setting} stands in {FILE_NAME} as text: write it as a mapping "
            "of streams first."
        )
    config.pop(f"{setting}.{stream}", None)
    if value is not None:
        if given is None:
            given = config[setting] = CommentedMap()
        given[stream] = value
    elif given is not None:
        given.pop(stream, None)


def allow_sensitive(entry: CommentedMap, names: Iterable[str]) -> None:
    """Add `stream.FIELD` names to what `include_sensitive` lists.

    Raises:
        InvalidSettings: the setting stands there as text.
    """
    wanted = list(names)
    if not wanted:
        return
    config = entry.setdefault("config", CommentedMap())
    listed = config.get("include_sensitive") or CommentedSeq()
    if not isinstance(listed, CommentedSeq):
        raise InvalidSettings(
            f"config.include_sensitive stands in {FILE_NAME} as text: write it as a "
            "list first."
        )
    listed.extend(name for name in wanted if name not in listed)
    config["include_sensitive"] = listed


def _insert_before_config(entry: CommentedMap, key: str, value: Any) -> None:
    keys = list(entry)
    entry.insert(keys.index("config") if "config" in keys else len(keys), key, value)


def _yaml(text: str) -> YAML:
    """A reader and writer that indents as the text does."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDEST_LINE
    _, indent, offset = load_yaml_guess_indent(text)
    yaml.indent(mapping=2, sequence=indent or 4, offset=2 if offset is None else offset)
    return yaml
