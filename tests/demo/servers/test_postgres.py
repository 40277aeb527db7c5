from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.exc import OperationalError

from demo.servers.postgres import Postgres

pytestmark = pytest.mark.integration


def ask(url: str, statement: str) -> object:
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        result = connection.execute(sqlalchemy.text(statement))
        return result.scalar() if result.returns_rows else None


def test_what_was_committed_outlives_a_kill_and_a_restart(postgres: Postgres) -> None:
    url = postgres.create_database("hadir")
    ask(url, "CREATE TABLE t (n integer)")
    ask(url, "INSERT INTO t VALUES (7)")
    postgres.kill()
    with pytest.raises(OperationalError):
        ask(url, "SELECT 1")
    postgres.start()
    assert ask(url, "SELECT n FROM t") == 7
    postgres.restart()
    assert ask(url, "SELECT n FROM t") == 7


def test_nobody_gets_in_without_the_password(postgres: Postgres) -> None:
    url = sqlalchemy.make_url(postgres.url).set(password="guess")
    with pytest.raises(OperationalError, match="password authentication failed"):
        ask(url.render_as_string(hide_password=False), "SELECT 1")


def test_it_never_runs_as_root(postgres: Postgres) -> None:
    assert Path(f"/proc/{postgres.pid}").stat().st_uid != 0


def test_a_copy_has_what_its_template_had_and_goes_its_own_way(postgres: Postgres) -> None:
    template = postgres.create_database("template")
    ask(template, "CREATE TABLE t AS SELECT 7 AS n")
    copy = postgres.create_database("copy", template="template")
    ask(copy, "DELETE FROM t")
    assert ask(copy, "SELECT count(*) FROM t") == 0
    assert ask(template, "SELECT n FROM t") == 7


def test_a_database_is_new_and_empty_for_each_test(postgres_url: str) -> None:
    assert ask(postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    ask(postgres_url, "CREATE TABLE t (n integer)")


def test_a_database_is_new_and_empty_for_each_test_also_the_second(postgres_url: str) -> None:
    assert ask(postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
