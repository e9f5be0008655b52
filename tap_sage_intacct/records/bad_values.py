"""Values that are not of their field's type: refused, or counted and made null.

Uses neither Intacct nor Singer. A message names the stream, the field, the record's key
and the shape of the value, never the value.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from tap_sage_intacct.errors import TapError

_LONGEST_KEY = 64

logger = logging.getLogger(__name__)


class InvalidRecord(TapError):
    """A record that its stream must not emit; the message repeats no bad value."""


class BadValues:
    """The bad values of one stream, and what happens to them.

    Attributes:
        counts: values that were loaded as null, by field.
    """

    def __init__(
        self,
        stream: str,
        *,
        named_by: Sequence[str] = (),
        needed: Collection[str] = (),
        as_null: bool = False,
    ) -> None:
        """Start without bad values.

        Args:
            stream: for messages.
            named_by: the fields that name a record, best first.
            needed: fields that are never null.
            as_null: load bad values as null instead of failing.
        """
        self.counts: Counter[str] = Counter()
        self._stream = stream
        self._named_by = named_by
        self._needed = needed
        self._as_null = as_null

    def meet(self, field: str, problem: str, record: Mapping[str, object]) -> None:
        """Count a bad value, with one warning per field.

        Args:
            field: that holds it.
            problem: what is wrong, without the value.
            record: that it belongs to.

        Raises:
            InvalidRecord: bad values are not loaded as null, or not those of this field.
        """
        where = self._where(field, record)
        if field in self._needed:
            raise InvalidRecord(
                f"{self._stream}.{field}: {problem}{where}. A key cannot be null: give "
                "the field another type in the catalog (`string` takes any value)."
            )
        if not self._as_null:
            raise InvalidRecord(
                f"{self._stream}.{field}: {problem}{where}. Give the field another type "
                "in the catalog (`string` takes any value, `number` any number), "
                'deselect it, or set on_bad_value to "null".'
            )
        if not self.counts[field]:
            logger.warning(
                "%s.%s: %s%s. Such values are loaded as null.",
                self._stream,
                field,
                problem,
                where,
            )
        self.counts[field] += 1

    @property
    def summary(self) -> str:
        """How many values of which fields were loaded as null; empty for none."""
        return ", ".join(f"{name} {count:,}" for name, count in self.counts.items())

    def _where(self, field: str, record: Mapping[str, object]) -> str:
        """The key of the record, unless that is the bad value."""
        name = next(
            (n for n in self._named_by if record.get(n) not in ("", None)), None
        )
        if name is None or name == field:
            return ""
        key = str(record[name])
        is_plain = key.isprintable() and len(key) <= _LONGEST_KEY
        return f", in {name} {key}" if is_plain else ""
