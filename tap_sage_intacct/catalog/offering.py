"""What users may select: the rules for sensitive fields and denied objects.

The same for data sources and custom reports. Uses neither Singer nor the gateway.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

from tap_sage_intacct.catalog.sensitivity import (
    Schema,
    is_hashed,
    sensitive_fields,
    with_hashes,
    without,
)
from tap_sage_intacct.errors import refuse
from tap_sage_intacct.intacct.rows.columns import ColumnConverter
from tap_sage_intacct.settings.sensitive import SensitivePolicy
from tap_sage_intacct.settings.settings import OnDenied

logger = logging.getLogger(__name__)


def is_offered_though_denied(
    stream: str, refusal: Exception, on_denied: OnDenied
) -> bool:
    """Whether to offer a stream that may not be read, so that a run of it fails."""
    if on_denied is OnDenied.FAIL:
        logger.warning(
            "%s may not be read, and a run that selects it will fail, since on_denied is "
            "fail. %s",
            stream,
            refusal,
        )
        return True
    logger.warning("%s is not offered. %s", stream, refusal)
    return False


def concealed(
    stream: str,
    object_name: str,
    schema: Schema,
    keys: Collection[str],
    policy: SensitivePolicy,
) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Leave out or hash the sensitive properties of a schema, as the settings say.

    Returns:
        The schema that users select from, and the original properties that were left
        out or hashed.

    Raises:
        InvalidSettings: a key is sensitive. Without it rows cannot be told apart, and
            a deletion cannot be matched with its hash.
    """
    properties = schema["properties"]
    sensitive = sensitive_fields(object_name, schema)
    left_out = [name for name in sensitive if not policy.offers(stream, name)]
    hidden = sensitive if policy.hashes else tuple(left_out)
    _refuse_keys(stream, [key for key in keys if key in hidden])
    _log_left_out(stream, left_out)
    offered = with_hashes(without(schema, left_out), hidden)
    return offered, {name: properties[name] for name in hidden}


def hashed(
    object_name: str,
    schema: dict[str, Any],
    keys: Collection[str],
    policy: SensitivePolicy,
) -> dict[str, Any]:
    """A catalog's schema, its sensitive properties as hashes if the settings say so.

    They were chosen, so all of them stay.
    """
    if not policy.hashes:
        return schema
    fields = sensitive_fields(object_name, schema)
    return with_hashes(schema, [name for name in fields if name not in keys])


def hash_converters(
    schema: Schema, policy: SensitivePolicy
) -> dict[str, ColumnConverter]:
    """Converters of the properties that are hashes by the schema."""
    return {
        name: policy.hash_column
        for name, definition in schema["properties"].items()
        if is_hashed(definition)
    }


def _refuse_keys(stream: str, keys: Collection[str]) -> None:
    refuse(
        f"primary_keys: {key} of {stream} is sensitive, and a key can neither be left "
        "out nor hashed: name another key, or set sensitive to drop and add "
        f"{stream}.{key} to include_sensitive."
        for key in keys
    )


def _log_left_out(stream: str, fields: Collection[str]) -> None:
    if fields:
        logger.info(
            "%s: sensitive fields are not offered: %s. To load some, name them in "
            "include_sensitive, such as %s.%s.",
            stream,
            ", ".join(fields),
            stream,
            next(iter(fields)),
        )
