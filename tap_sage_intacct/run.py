"""What the streams of one run share: the gateway, the audit trail, the key store.

Each is opened when it is first asked for, so that discovery without credentials opens
nothing. Knows nothing of Singer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from tap_sage_intacct.deletions import AuditTrail, DeletionFinder
from tap_sage_intacct.intacct.errors import ConfigurationError
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.key_store import KeySet, KeyStore

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.gateway import GatewaySettings
    from tap_sage_intacct.intacct.query import Condition
    from tap_sage_intacct.settings import Settings
    from tap_sage_intacct.sources import DataSource


class Run:
    """One run of the tap."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def gateway(self) -> Gateway:
        """Signs in at its first call.

        Raises:
            ConfigurationError: credentials are missing.
        """
        return Gateway(self._gateway_settings)

    @contextmanager
    def deletion_finder(
        self, source: DataSource, condition: Condition | None
    ) -> Iterator[DeletionFinder | None]:
        """Finds the deletions of a stream; None where they are not asked for.

        Raises:
            InvalidKeyStore: the key store cannot be used.
        """
        if not self.settings.include_deletes or source.needs_period:
            yield None
        elif self.settings.key_store is None:
            yield DeletionFinder(source, self._audit_trail, None, condition)
        else:
            with closing(KeyStore(self.settings.key_store)) as store:
                keys = self._key_set(store, source, condition)
                yield DeletionFinder(source, self._audit_trail, keys, condition)

    @cached_property
    def _audit_trail(self) -> AuditTrail:
        return AuditTrail(self.gateway)

    @property
    def _gateway_settings(self) -> GatewaySettings:
        if self.settings.gateway is None:
            raise ConfigurationError(
                "Credentials are missing: set company_id, user_id, user_password, "
                "sender_id and sender_password."
            )
        return self.settings.gateway

    def _key_set(
        self, store: KeyStore, source: DataSource, condition: Condition | None
    ) -> KeySet:
        login = self._gateway_settings.login
        return store.key_set(
            login.company_id,
            login.entity_id or "",
            source.stream_name,
            repr(condition),
        )
