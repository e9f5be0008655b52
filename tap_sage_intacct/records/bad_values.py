"""Values that are not of their field's type: refused, or counted and made null.

Uses neither Intacct nor Singer. A message names the stream, the field, the record's key
and the shape of the value, never the value.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from tap_sage_intacct.errors import TapError

_LONGEST_KEY = 64

logger = logging.getLogger(__name__)


class InvalidRecord(TapError):
    """A record that its stream must not emit; the message repeats no bad value."""


@dataclass
class BadValues:
    """The bad values of one stream, and what happens to them.

    Attributes:
        stream: for messages.
        named_by: the fields that name a record, best first.
        needed: fields that are never null.
        as_null: load bad values as null instead of failing.
        counts: values that were loaded as null, by field.
    """

    stream: str
    named_by: Sequence[str] = ()
    needed: Collection[str] = ()
    as_null: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def meet(self, name: str, problem: str, record: Mapping[str, object]) -> None:
        """Count a bad value, with one warning per field.

        Args:
            name: of the field that holds it.
            problem: what is wrong, without the value.
            record: that it belongs to.

        Raises:
            InvalidRecord: bad values are not loaded as null, or not those of this field.
        """
        where = self._where(name, record)
        if name in self.needed:
            raise InvalidRecord(
                f"{self.stream}.{name}: {problem}{where}. A key cannot be null: give "
                "the field another type in the catalog (`string` takes any value)."
            )
        if not self.as_null:
            raise InvalidRecord(
                f"{self.stream}.{name}: {problem}{where}. Give the field another type "
                "in the catalog (`string` takes any value, `number` any number), "
                'deselect it, or set on_bad_value to "null".'
            )
        if not self.counts[name]:
            logger.warning(
                "%s.%s: %s%s. Such values are loaded as null.",
                self.stream,
                name,
                problem,
                where,
            )
        self.counts[name] += 1

    @property
    def summary(self) -> str:
        """How many values of which fields were loaded as null; empty for none."""
        return ", ".join(f"{name} {count:,}" for name, count in self.counts.items())

    def _where(self, name: str, record: Mapping[str, object]) -> str:
        """The key of the record, unless that is the bad value."""
        named_by = next(
            (n for n in self.named_by if record.get(n) not in ("", None)), name
        )
        key = str(record[named_by])
        is_plain = key.isprintable() and len(key) <= _LONGEST_KEY
        return f", in {named_by} {key}" if is_plain and named_by != name else ""
