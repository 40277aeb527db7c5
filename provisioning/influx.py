"""`hadir-provision influx apply`: buckets, retention, and one token per reader and writer. By influxdb_client.

For InfluxDB 2.x. 1.x and 3 have no such interface; there it prints what to run instead.
"""

# mypy: disallow-untyped-calls=False
# The library types its answers, but not its own constructors.

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import click
import urllib3.exceptions
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.authorization import Authorization
from influxdb_client.domain.bucket import Bucket as LibraryBucket
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.domain.permission import Permission
from influxdb_client.domain.permission_resource import PermissionResource
from influxdb_client.rest import ApiException

from contract.series import Bucket
from provisioning import files, influx_plan
from provisioning.influx_plan import MARK, Found, MakeBucket, MakeToken, Right, Token

TIMEOUT_MS: Final = 15_000
_Answer = TypeVar("_Answer")


class InfluxRefused(click.ClickException):
    """InfluxDB did not do what was asked; the message says what that means and what to do."""


class Influx:
    """Asks an InfluxDB 2.x with an operator's token. Every refusal is an `InfluxRefused`."""

    def __init__(self, url: str, org: str, token: str) -> None:
        self._client = InfluxDBClient(url, token=token, org=org, timeout=TIMEOUT_MS, retries=False)
        self._org = org

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def found(self, folder: Path) -> Found:
        """What is there, and which secrets lie in *folder*; an empty file only says whose the secret will be."""
        listed = self._buckets()
        names = {bucket.id: bucket.name for bucket in listed}
        kept = {bucket.name: _retention(bucket.retention_rules) for bucket in listed}
        return Found(
            {bucket.value: kept[bucket.value] for bucket in Bucket if bucket.value in kept},
            self._tokens(names),
            frozenset(path.name for path in folder.iterdir() if path.is_file() and path.stat().st_size),
        )

    def _buckets(self) -> list[LibraryBucket]:
        api = self._client.buckets_api()
        return list(_asked(lambda: api.find_buckets(org=self._org, limit=100).buckets, "its buckets"))

    def _tokens(self, buckets: dict[str, str]) -> dict[str, tuple[Token, ...]]:
        tokens: defaultdict[str, tuple[Token, ...]] = defaultdict(tuple)
        everyone = _asked(lambda: self._client.authorizations_api().find_authorizations(org=self._org), "its tokens")
        for each in everyone:
            if (each.description or "").startswith(MARK):
                rights = frozenset(_right(permission, buckets) for permission in each.permissions)
                tokens[each.description.removeprefix(MARK)] += (Token(each.id, rights, each.status == "active"),)
        return dict(tokens)

    def make_bucket(self, step: MakeBucket) -> None:
        """Create a bucket, or correct how long it keeps."""
        rule = BucketRetentionRules(type="expire", every_seconds=round(step.bucket.keeps.total_seconds()))
        api, name = self._client.buckets_api(), step.bucket.value
        if step.is_new:
            _asked(lambda: api.create_bucket(bucket_name=name, retention_rules=rule, org=self._org), step.sentence())
            return
        bucket = _asked(lambda: api.find_bucket_by_name(name), f"the bucket {name}")
        bucket.retention_rules = [rule]
        _asked(lambda: api.update_bucket(bucket), step.sentence())

    def make_token(self, step: MakeToken, folder: Path) -> None:
        """Make the token, keep it, and only then withdraw those it replaces."""
        numbers = {bucket.name: bucket.id for bucket in self._buckets()}
        org = _asked(
            lambda: self._client.organizations_api().find_organizations(org=self._org)[0].id, "its organisation"
        )
        wanted = Authorization(
            org_id=org,
            description=f"{MARK}{step.holder.name}",
            permissions=[
                Permission(right.action, PermissionResource(id=numbers[right.bucket], org_id=org, type="buckets"))
                for right in sorted(step.holder.rights, key=lambda right: (right.action, right.bucket))
            ],
        )
        api = self._client.authorizations_api()
        made = _asked(lambda: api.create_authorization(authorization=wanted), step.sentence())
        text = f"Token {made.token}" if step.holder.is_header else str(made.token)
        files.replace(folder / step.holder.file, text.encode(), mode=files.SECRET)
        for number in step.replaced:
            _asked(partial(api.delete_authorization, number), "to withdraw an old token")


def _retention(rules: list[BucketRetentionRules]) -> int:
    return sum(int(rule.every_seconds or 0) for rule in rules or [])


def _right(permission: Permission, buckets: dict[str, str]) -> Right:
    resource = permission.resource
    return Right(permission.action, buckets.get(resource.id, f"{resource.type} {resource.id or 'all'}"))


def _asked(ask: Callable[[], _Answer], what: str) -> _Answer:
    try:
        return ask()
    except ApiException as error:
        raise InfluxRefused(_advice(int(error.status or 0), what)) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise InfluxRefused(
            f"InfluxDB gives no answer ({type(error).__name__}) when asked for {what}: "
            "check the address, and that it has started. Nothing is half done; run the command again."
        ) from error


_ADVICE: Final = {
    401: "the token is not an operator's, or of another server",
    403: "the token may not do this; use the operator's",
    409: "somebody else has just made the same; run the command again",
    422: "the name is taken or not allowed",
}


def _advice(status: int, what: str) -> str:
    if status == 404:
        return f"This InfluxDB has no interface for {what}: it is no 2.x. {_BY_HAND}"
    known = "InfluxDB itself is in trouble; look into its log and run the command again" if status >= 500 else ""
    meaning = _ADVICE.get(status, known) or "it does not accept what was sent"
    return f"InfluxDB refused ({status}) when asked for {what}: {meaning}."


_BY_HAND: Final = (
    "Nothing was changed. On InfluxDB 3 run "
    + ", ".join(f"`influxdb3 create database {bucket} --retention-period {bucket.keeps.days}d`" for bucket in Bucket)
    + "; on 1.x `CREATE DATABASE` each. Then give each reader and writer a token of its own."
)


@click.group("influx")
def group() -> None:
    """InfluxDB: buckets, retention, tokens."""


@group.command("apply")
@click.option("--url", required=True, help="InfluxDB's address, such as http://influxdb:8086.")
@click.option("--org", default="hadir", show_default=True)
@click.option("--token-file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be done, and do nothing.")
def apply(url: str, org: str, token_file: Path, out: Path, only_plan: bool) -> None:
    """Make buckets and tokens, with the operator's token; OUT takes the secrets. Says first what it will do."""
    server = Influx(url, org, token_file.read_text().strip())
    try:
        steps = list(influx_plan.changes(server.found(out)))
        for step in steps:
            click.echo(step.sentence())
        if not steps:
            click.echo("nothing to do")
        for step in [] if only_plan else steps:
            _take(server, step, out)
    finally:
        server.close()


def _take(server: Influx, step: influx_plan.Change, out: Path) -> None:
    if isinstance(step, MakeBucket):
        server.make_bucket(step)
    else:
        server.make_token(step, out)
