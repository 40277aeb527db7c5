"""Bringing a database to the tables of this version: Alembic, its revisions shipped beside this file.

A change of schema.py needs a new revision; the tests compare what the revisions build with what schema.py says.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from cloud.records import flag_schema, notice_schema, sign_schema
from cloud.records.engine import Records, open_records
from cloud.records.schema import metadata

_FOLDER: Final = Path(__file__).with_name("migrations")
_EXTENSIONS: Final = (flag_schema, notice_schema, sign_schema)  # importing one adds its tables to the metadata
_ONE_AT_A_TIME: Final = 0x4861646972  # "Hadir": the advisory lock under which PostgreSQL is migrated


def upgrade(url: str) -> None:
    """Bring the database at *url* to this version, as a whole or not at all. Raises `RecordsUnavailable`."""
    with open_records(url) as records:
        upgrade_records(records)


def upgrade_records(records: Records) -> None:
    """`upgrade`, of records that are open. Of several programs at once one does it, the others find it done."""
    records.write(_upgrade)


def latest() -> str:
    """The newest revision this program knows."""
    return ScriptDirectory(str(_FOLDER)).get_current_head() or ""


def current(records: Records) -> str:
    """The revision the database is at; empty before the first."""
    return records.read(lambda connection: MigrationContext.configure(connection).get_current_revision() or "")


def differences(connection: Connection) -> list[str]:
    """Where the database and schema.py disagree, one line each; empty when they are the same."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return [str(difference) for difference in compare_metadata(context, metadata)]


def revise(message: str) -> None:
    """Write the revision that leads from the newest one to schema.py. For developers; read it, then `ruff format`."""
    with TemporaryDirectory() as folder, open_records(f"sqlite:///{folder}/scratch.db") as records:
        records.write(lambda connection: _revise(connection, message))


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
    command.upgrade(_config(connection), "head")


def _revise(connection: Connection, message: str) -> None:
    command.upgrade(_config(connection), "head")
    command.revision(_config(connection), message, autogenerate=True, rev_id=f"{int(latest() or 0) + 1:04}")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "r%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config
