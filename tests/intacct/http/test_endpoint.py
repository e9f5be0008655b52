"""Addresses: the host that is checked is the host that the HTTP library connects to."""

from __future__ import annotations

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from urllib3.util import parse_url

from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.http.endpoint import address_of, trusted_endpoint
from tap_sage_intacct.settings.settings import Settings

API_URL = "https://api.intacct.com/ia/xml/xmlgw.phtml"

PLAIN = {
    API_URL: "api.intacct.com",
    "https://na12.intacct.com/ia/xml/xmlgw.phtml": "na12.intacct.com",
    "https://api.intacct.com": "api.intacct.com",
    "https://api.intacct.com:443/x": "api.intacct.com",
    "https://api.intacct.com:8443/x": "api.intacct.com",
    "HTTPS://API.Intacct.COM/x": "api.intacct.com",
    "https://api.intacct.com/x?y=z": "api.intacct.com",
    "https://api.intacct.com/@evil.com": "api.intacct.com",
    "https://api.intacct.com/%40evil.com/": "api.intacct.com",
    "https://api.intacct.com//evil.com/": "api.intacct.com",
    "https://xn--bcher-kva.example/x": "xn--bcher-kva.example",
    "https://proxy_1/x": "proxy_1",
    "https://192.0.2.1/x": "192.0.2.1",
    "https://[2001:db8::1]:8443/x": "[2001:db8::1]",
    "http://127.0.0.1:8080/x": "127.0.0.1",
    "http://[::1]:8080/x": "[::1]",
}
ODD = [
    "https://evil.com\\@api.intacct.com/",
    "https://api.intacct.com\\@evil.com/",
    "https://evil.com\\.api.intacct.com/",
    "https:\\\\api.intacct.com/",
    "https://user@api.intacct.com/",
    "https://user:password@api.intacct.com/",
    "https://@api.intacct.com/",
    "https://api.intacct.com@evil.com/",
    "https://api.intacct.com%40evil.com/",
    "https://api.intacct.com%2eevil.com/",
    "https://%61pi.intacct.com/",
    "https://evil.com#@api.intacct.com/",
    "https://api.intacct.com/#x",
    "https://evil.com?@api.intacct.com/",
    "https://evil.com;@api.intacct.com/",
    "https:evil.com",
    "https:/evil.com",
    "https:///evil.com",
    "//evil.com/",
    "evil.com",
    "",
    "https://",
    "https:///",
    "ftp://api.intacct.com/",
    "file:///etc/passwd",
    "http+unix://api.intacct.com/",
    " https://api.intacct.com/",
    "https://api.intacct.com/ ",
    "https://api.intacct.com/\n",
    "https://api.intacct.com\t/",
    "https://api.\nintacct.com/",
    "https://api.intacct.com\x00.evil.com/",
    "https://api.intacct.com\x7f/",
    "https://api.intacct.com/x\\y",
    "https://api.intacct.com./",
    "https://.intacct.com/",
    "https://api..intacct.com/",
    "https://*.intacct.com/",
    "https://ap\u0131.intacct.com/",
    "https://api.intacct.com\uff0fevil.com/",
    "https://api\u3002intacct.com/",
    "https://evil.com\u2044api.intacct.com/",
    "https://\uff41pi.intacct.com/",
    "https://api.intacct.com/\xe4",
    "https://api.intacct.com:/x",
    "https://api.intacct.com:0/x",
    "https://api.intacct.com:65536/x",
    "https://api.intacct.com:44\u0969/x",
    "https://api.intacct.com:443:80/x",
    "https://api.intacct.com:-443/x",
    "https://[::1%25eth0]/x",
    "https://[fe80::1%eth0]/x",
    "https://[::1/x",
    "https://[1:2]/x",
    "https://[v1.x]/x",
    "https://2130706433/x",
    "https://0x7f.1/x",
    "https://127.1/x",
    "https://0177.0.0.1/x",
    "https://192.0.2.256/x",
    f"https://{'x' * 64}.example.com/x",
]


def connected_host(url: str) -> str | None:
    """The host that requests gives to its pool of connections."""
    prepared = requests.Request("POST", url).prepare()
    adapter = HTTPAdapter()
    pool = adapter.get_connection_with_tls_context(prepared, verify=True)
    host = str(pool.host)
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


@pytest.mark.parametrize(("url", "host"), PLAIN.items())
def test_plain_address_is_read_as_it_is_called(url: str, host: str) -> None:
    found = address_of(url)
    assert found is not None
    assert found.host == parse_url(url).host == connected_host(url) == host
    assert found.port == (
        parse_url(url).port or {"https": 443, "http": 80}[found.scheme]
    )


@pytest.mark.parametrize("url", ODD)
def test_odd_address_is_refused(url: str) -> None:
    assert address_of(url) is None
    assert trusted_endpoint(url, API_URL) == API_URL
    with pytest.raises(InvalidSettings, match="api_url must be an https address"):
        Settings.from_config({"api_url": url})


_WORDS = ("https://", "http://", "api.intacct.com", "evil.com", "127.0.0.1", "[::1]")
_ESCAPED = ("%2e", "%40", ":443", "\u3002", "\u0131", "\uff0f")
_PARTS = st.sampled_from(
    [*_WORDS, *_ESCAPED, *"@\\/?#:.%;&=[]\t\n \x00_-*aZ0"],
)


@given(st.lists(_PARTS, max_size=8).map("".join))
@example("https://api.intacct.com:443/x?@evil.com")
def test_no_accepted_address_leads_elsewhere(url: str) -> None:
    found = address_of(url)
    if found is None:
        assert trusted_endpoint(url, API_URL) == API_URL
    else:
        assert found.host == parse_url(url).host == connected_host(url)


@pytest.mark.parametrize(
    ("endpoint", "api_url", "is_followed"),
    [
        ("https://na12.intacct.com/x", API_URL, True),
        ("https://na12.intacct.com:443/x", API_URL, True),
        ("https://na12.intacct.com:8443/x", API_URL, False),
        ("http://api.intacct.com/x", API_URL, False),
        ("https://intacct.com.evil.com/x", API_URL, False),
        ("https://evilintacct.com/x", API_URL, False),
        ("https://evil.co.uk/x", "https://books.co.uk/x", False),
        # Anybody can have a name under these.
        ("https://evil.github.io/x", "https://books.github.io/x", False),
        ("https://192.0.2.1/y", "https://192.0.2.1/x", True),
        ("https://192.0.2.2/y", "https://192.0.2.1/x", False),
        ("https://[2001:db8::2]/y", "https://[2001:db8::1]/x", False),
        ("http://127.0.0.1:81/y", "http://127.0.0.1:80/x", False),
        ("http://127.0.0.1:80/y", "http://127.0.0.1:80/x", True),
    ],
)
def test_endpoint_is_followed_within_the_domain(
    endpoint: str, api_url: str, *, is_followed: bool
) -> None:
    expected = endpoint if is_followed else api_url
    assert trusted_endpoint(endpoint, api_url) == expected
