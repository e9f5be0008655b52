"""The settings that sign in: as whom, and where."""

from __future__ import annotations

from dataclasses import dataclass

from tap_sage_intacct.intacct.gateway import DEFAULT_API_URL
from tap_sage_intacct.intacct.http.endpoint import address_of
from tap_sage_intacct.intacct.secrets.credentials import Login, Secret, Sender
from tap_sage_intacct.settings.declaration import secret, setting


def _safe_address(url: str) -> str:
    address = address_of(url)
    if address is None or not address.is_safe:
        raise ValueError
    return url


@dataclass(frozen=True, slots=True)
class Connection:
    """Who signs in, and where. Texts are empty where they are not given."""

    company_id: str = setting(
        "The company to sign in to, as on Intacct's sign-in page.",
        required=True,
        unset="",
    )
    user_id: str = setting(
        "The web services user (Company > Admin > Web Services users).",
        required=True,
        unset="",
    )
    user_password: Secret = secret("The web services user's password.", required=True)
    sender_id: str = setting(
        "The web services sender that Sage issued; the company must have authorised it "
        "(Company > Company Info > Security).",
        required=True,
        unset="",
    )
    sender_password: Secret = secret(
        "The web services sender's password.", required=True
    )
    entity_id: str | None = setting(
        "Sign in to this one entity instead of the top level."
    )
    api_url: str = setting(
        "Where to sign in. The endpoint that sign-in returns is used only if it is https "
        "within the same registrable domain, or the same host and port.",
        read=_safe_address,
        fault="api_url must be an https address (http only for this machine itself), "
        "plain and without a user name, since passwords travel to it.",
        default=DEFAULT_API_URL,
    )

    @property
    def sender(self) -> Sender:
        """The web services sender."""
        return Sender(self.sender_id, self.sender_password)

    @property
    def login(self) -> Login:
        """The web services user."""
        return Login(self.company_id, self.user_id, self.user_password, self.entity_id)
