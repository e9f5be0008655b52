"""Read a sandbox with `sageintacctsdk` as it is published, and print what it found.

    python read.py SETTINGS_AS_JSON READER...

The client has one address built in, which it asks for a session and where to go from
there. That address is made to lead to the sandbox; nothing of the client is changed.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import requests
from sageintacctsdk import SageIntacctSDK

BUILT_IN = "https://api.intacct.com/ia/xml/xmlgw.phtml"


def main(settings: dict[str, str], readers: list[str]) -> dict[str, Any]:
    """What each of these readers of the client finds, and what its functions do."""
    post = requests.post

    def to_sandbox(url: str, **options: Any) -> requests.Response:
        return post(settings["api_url"] if url == BUILT_IN else url, **options)

    setattr(requests, "post", to_sandbox)  # noqa: B010 - as typed, it is another
    names = ("sender_id", "sender_password", "user_id", "company_id", "user_password")
    sdk = SageIntacctSDK(*(settings[name] for name in names), show_private=True)
    filtered = sdk.bills.get_by_query(
        ["RECORDNO"], and_filter=[("greaterthan", "TOTALDUE", "1000")]
    )
    fields = sdk.vendors.get_lookup()["Type"]["Fields"]["Field"]
    by_query = sdk.vendors.read_by_query(["RECORDNO"])["data"]
    dimensions = sdk.dimensions.get_all()
    return {
        "readers": {
            name: [row.get("RECORDNO") for row in getattr(sdk, name).get_all()]
            for name in readers
        },
        "get_by_query": [row["RECORDNO"] for row in filtered],
        "lookup": [field["ID"] for field in fields],
        "read_by_query": int(by_query["@count"]),
        "dimensions": [row["objectName"] for row in dimensions],
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]), sys.argv[2:])))  # noqa: T201 - for the test
