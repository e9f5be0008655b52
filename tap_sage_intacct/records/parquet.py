"""Batches as Parquet files, whose columns follow the stream's schema.

Depends on Arrow and JSON Schema, and not on where records come from. The SDK's encoder
lets Arrow guess the columns from the rows of each file: properties that its first row
lacks are lost (a deletion is a key and little else), columns without a value get no
type, those of whole amounts become integers, and files of one stream do not fit
together. Here the schema decides, so that every file of a stream has the same columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from uuid import uuid4

from singer_sdk.batch import BaseBatcher, lazy_chunked_generator
from singer_sdk.helpers._batch import BatchConfig
from typing_extensions import override

from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.rows.values import JsonValue, ValueType
from tap_sage_intacct.records.bad_values import BadValues
from tap_sage_intacct.records.table import Record

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    raise InvalidSettings(
        "batch_config asks for parquet, which needs pyarrow: install "
        "tap-sage-intacct[parquet], or set encoding.format to jsonl."
    ) from None

DIGITS, DECIMAL_PLACES = 38, 18
"""Of each decimal column: the most that warehouses take; 20 before the point."""

_ARROW_TYPES: Mapping[ValueType, pa.DataType] = {
    ValueType.TEXT: pa.string(),
    ValueType.INTEGER: pa.int64(),
    ValueType.DECIMAL: pa.decimal128(DIGITS, DECIMAL_PLACES),
    ValueType.BOOLEAN: pa.bool_(),
    ValueType.DATE: pa.date32(),
    ValueType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
}


class ParquetBatcher(BaseBatcher):
    """Writes the records of a stream to Parquet files."""

    def __init__(
        self,
        tap_name: str,
        stream_name: str,
        batch_config: BatchConfig,
        value_types: Mapping[str, ValueType],
        bad_values: BadValues,
    ) -> None:
        """Decide on the columns.

        Args:
            tap_name: for the names of files.
            stream_name: for names of files and error texts.
            batch_config: where to, how many rows a file, and how compressed.
            value_types: the columns, and what is in them.
            bad_values: gets each value that its column cannot hold exactly.
        """
        super().__init__(tap_name, stream_name, batch_config)
        self._bad_values = bad_values
        self._schema = pa.schema(
            [(name, _ARROW_TYPES[kind]) for name, kind in value_types.items()]
        )

    @override
    def get_batches(self, records: Iterable[Record]) -> Iterator[list[str]]:
        """Write a file per batch and yield its address, once it is complete.

        Raises:
            InvalidRecord: a value that its column cannot hold exactly.
        """
        storage, encoding = self.batch_config.storage, self.batch_config.encoding
        compression = encoding.compression or "snappy"
        sync_id = f"{storage.prefix or ''}{self.tap_name}--{self.stream_name}-{uuid4()}"
        chunks = lazy_chunked_generator(records, self.batch_config.batch_size)
        for number, chunk in enumerate(chunks, start=1):
            filename = f"{sync_id}-{number}.parquet"
            table = self._table(list(chunk))
            with storage.open(filename, "wb") as file:
                pq.write_table(table, file, compression=compression)
            yield [storage.get_url(filename)]

    def _table(self, records: list[Record]) -> pa.Table:
        columns = [self._column(field, records) for field in self._schema]
        return pa.table(columns, schema=self._schema)

    def _column(self, field: pa.Field, records: list[Record]) -> pa.Array:
        values = [record.get(field.name) for record in records]
        try:
            return _array(field.type, values)
        except _MISFITS:
            fitting = map(partial(self._fitting, field), values, records)
            return _array(field.type, list(fitting))

    def _fitting(self, field: pa.Field, value: JsonValue, record: Record) -> JsonValue:
        try:
            _array(field.type, [value])
        except _MISFITS:
            # Arrow's own message quotes the value.
            problem = f"a value does not fit a Parquet column of {field.type} exactly"
            self._bad_values.meet(field.name, problem, record)
            return None
        return value


_MISFITS = (pa.ArrowException, OverflowError)


def _array(column: pa.DataType, values: list[JsonValue]) -> pa.Array:
    """Read the values by their own type, then cast them to that of the column."""
    # Arrow reads a value with a fraction as an integer without it, if asked for one.
    read_as = None if pa.types.is_integer(column) else column
    if pa.types.is_temporal(column):
        read_as = pa.string()
    return pa.array(values, read_as).cast(column)
