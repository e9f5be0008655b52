"""A client of the Sage Intacct XML API; importable on its own.

Knows XML and HTTP, and nothing of Singer.
"""

from tap_sage_intacct.intacct.errors import IntacctError
from tap_sage_intacct.intacct.gateway import Gateway, GatewaySettings
from tap_sage_intacct.intacct.http.retrying import RetryPolicy
from tap_sage_intacct.intacct.pages.key_set import KeySetPaging
from tap_sage_intacct.intacct.pages.result_set import ResultSetPaging
from tap_sage_intacct.intacct.query import Comparison, Operator, Query
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.secrets.credentials import Login, Secret, Sender
from tap_sage_intacct.intacct.xml.gateway import XmlGateway

__all__ = [
    "Comparison",
    "Gateway",
    "GatewaySettings",
    "IntacctError",
    "KeySetPaging",
    "Login",
    "ObjectReader",
    "Operator",
    "Query",
    "ResultSetPaging",
    "RetryPolicy",
    "Secret",
    "Sender",
    "XmlGateway",
]
