"""A table through dlt's fastest backend into CSV files.

Settings by environment: URI, TABLE, OUT (a folder), PAYLOAD (the column of bytes as text: dlt writes no bytes as CSV).
"""

import os

import dlt
import sqlalchemy
from dlt.sources.sql_database import sql_table

out = os.environ["OUT"]


def payload_is_text(table):
    table.c.payload.type = sqlalchemy.Text()


def select_text(query, table):
    text = sqlalchemy.literal_column(os.environ["PAYLOAD"]).label("payload")
    return query.with_only_columns(*[text if column.name == "payload" else column for column in table.columns])


table = sql_table(
    credentials=os.environ["URI"],
    table=os.environ["TABLE"],
    backend="connectorx",
    table_adapter_callback=payload_is_text,
    query_adapter_callback=select_text,
)
pipeline = dlt.pipeline(
    "bench",
    destination=dlt.destinations.filesystem(bucket_url=f"file://{out}"),
    dataset_name="out",
    pipelines_dir=f"{out}-pipelines",
)
pipeline.run(table, loader_file_format="csv", write_disposition="replace")
