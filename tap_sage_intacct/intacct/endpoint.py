"""Where calls go after the sign-in: to the endpoint that it returns, if that is trusted."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

logger = logging.getLogger(__name__)


def trusted_endpoint(endpoint: str | None, api_url: str) -> str:
    """The endpoint if credentials may go there, or else the address of sign-in.

    Documentation says to use the returned endpoint; signing in and calling at one
    address works as well [C: Estuary], so a stranger's is not followed.
    """
    if not endpoint or endpoint == api_url:
        return api_url
    given, known = urlsplit(endpoint), urlsplit(api_url)
    same_host = given.hostname == known.hostname and given.scheme == known.scheme
    if same_host or (
        given.scheme == "https" and _domain(given.hostname) == _domain(known.hostname)
    ):
        return endpoint
    logger.warning(
        "Sign-in returned an endpoint on %s, which is neither https within the domain of "
        "api_url nor its host; calling %s instead.",
        given.hostname,
        known.hostname,
    )
    return api_url


def _domain(host: str | None) -> str:
    """The registrable domain by the public suffix list; the host where there is none."""
    # Takes a while to import, and the host is the same as a rule.
    import tldextract  # noqa: PLC0415

    # The list that the library ships: a run must not fetch another.
    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    return extract(host or "").top_domain_under_public_suffix or (host or "")
