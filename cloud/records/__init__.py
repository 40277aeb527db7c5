"""SQL: who lives where, what arrived, what was counted. The only package that knows SQLAlchemy.

`open_records(url)` gives a `Records`; everything else here is plain functions of the `Connection` it hands out.
"""

from sqlalchemy import Connection

from cloud.records.engine import BadData, Records, RecordsUnavailable, open_records

__all__ = ["BadData", "Connection", "Records", "RecordsUnavailable", "open_records"]
