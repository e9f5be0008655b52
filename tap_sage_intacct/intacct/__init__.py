"""A client of the Sage Intacct XML API; importable on its own.

Knows XML and HTTP, and nothing of Singer.
"""

from tap_sage_intacct.intacct.errors import IntacctError
from tap_sage_intacct.intacct.http.credentials import Login, Secret, Sender
from tap_sage_intacct.intacct.http.retrying import RetryPolicy
from tap_sage_intacct.intacct.pages.key_set import key_set_pages
from tap_sage_intacct.intacct.pages.pages import snapshot_pages
from tap_sage_intacct.intacct.query import Comparison, Operator, Query
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.xml.gateway import Gateway, GatewaySettings

__all__ = [
    "Comparison",
    "Gateway",
    "GatewaySettings",
    "IntacctError",
    "Login",
    "ObjectReader",
    "Operator",
    "Query",
    "RetryPolicy",
    "Secret",
    "Sender",
    "key_set_pages",
    "snapshot_pages",
]
