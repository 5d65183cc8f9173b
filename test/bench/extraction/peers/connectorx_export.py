"""A query through connectorx into a polars frame, and that into a CSV file. Settings by environment: URI, QUERY, OUT."""

import os

import connectorx

frame = connectorx.read_sql(os.environ["URI"], os.environ["QUERY"], return_type="polars")
frame.write_csv(os.environ["OUT"])
