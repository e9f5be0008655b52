"""Singer streams: of data sources, of account balances, of custom reports.

A stream selects fields, decodes rows and writes checkpoints; which rows to read is
`reading`'s affair, and it never sees XML. The SDK's own bookkeeping of bookmarks is
left out: it moves a bookmark with every row, ours holds only what is proven complete.
"""

from tap_sage_intacct.streams.balances import BalanceStream
from tap_sage_intacct.streams.base import IntacctStream
from tap_sage_intacct.streams.reports import ReportStream
from tap_sage_intacct.streams.source import SourceStream

__all__ = ["BalanceStream", "IntacctStream", "ReportStream", "SourceStream"]
