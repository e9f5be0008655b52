r"""Which addresses may be called, and whether to follow the one that sign-in returns.

An address is read in two ways: by who checks it and by the HTTP library that connects.
Where they differ, the check is of another host than the one that gets the credentials:
`https://evil.com\@api.intacct.com/` is one for `urlsplit` and the other for `urllib3`.
So only addresses are accepted that leave nothing to interpretation.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

logger = logging.getLogger(__name__)

_PLAIN = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    # Visible ASCII, but neither a backslash nor a fragment.
    r"(?:/[!-~]*)?",
    re.ASCII | re.IGNORECASE,
)
_UNPLAIN_PATH = re.compile(r"[\\#]")
# What resolvers take for a number, as browsers tell it: by the last label.
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)
_PORTS = {"https": 443, "http": 80}
_LAST_PORT = 65535
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where a URL leads.

    Attributes:
        host: in lower case; of IPv6 in brackets.
    """

    scheme: str
    host: str
    port: int

    @property
    def is_safe(self) -> bool:
        """Whether credentials may travel there: by TLS, or within this machine."""
        return self.scheme == "https" or self.host in _LOOPBACK


def address_of(url: str) -> Address | None:
    """Where a URL leads; None where not everybody would read it alike.

    Refused are user names, backslashes, blanks and control characters, hosts that are
    not ASCII, percent-encoded or end in a dot, zones of IPv6, and numbers that are no
    IPv4 address of four parts.
    """
    found = _PLAIN.fullmatch(url)
    if found is None or _UNPLAIN_PATH.search(url):
        return None
    scheme, host = found["scheme"].lower(), found["host"].lower()
    port = int(found["port"] or _PORTS[scheme])
    if not _is_host(host) or not 0 < port <= _LAST_PORT:
        return None
    return Address(scheme, host, port)


def _is_host(host: str) -> bool:
    try:
        if host.startswith("["):
            IPv6Address(host[1:-1])
        elif _NUMBER.fullmatch(host):
            IPv4Address(host)
    except AddressValueError:
        return False
    return True


def trusted_endpoint(endpoint: str | None, api_url: str) -> str:
    """The endpoint if credentials may go there, or else the address of sign-in.

    Documentation says to use the returned endpoint; signing in and calling at one
    address works as well [C: Estuary], so a stranger's is not followed.
    """
    if not endpoint or endpoint == api_url:
        return api_url
    given, known = address_of(endpoint), address_of(api_url)
    if given is not None and known is not None and _is_trusted(given, known):
        return endpoint
    logger.warning(
        "Sign-in returned an endpoint on %s, which is neither https within the domain of "
        "api_url nor its host; calling %s instead.",
        given.host if given else "an address that is not plain",
        known.host if known else "api_url",
    )
    return api_url


def _is_trusted(given: Address, known: Address) -> bool:
    if given == known:
        return True
    return (
        given.scheme == "https"
        and given.port in {known.port, _PORTS["https"]}
        and _domain(given.host) == _domain(known.host)
    )


def _domain(host: str) -> str:
    """The registrable domain by the public suffix list; the host where there is none."""
    # Takes a while to import, and the host is the same as a rule.
    import tldextract  # noqa: PLC0415

    # The list that the library ships: a run must not fetch another. With the domains
    # under which hosting companies let anybody have a name.
    extract = tldextract.TLDExtract(
        suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True
    )
    return extract(host).top_domain_under_public_suffix or host
