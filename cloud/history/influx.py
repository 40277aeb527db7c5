"""Points to InfluxDB (1.8 to 3) over `/api/v2/write`. The only module that knows influxdb_client.

Synchronous bytes in a thread, one bucket a request: the library's batching mode loses points without a word.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Final, Self

import urllib3.exceptions
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from cloud.history import Access, Refused, answers
from cloud.history.answers import Meaning
from cloud.history.patience import NotNow, Pace, Patience
from contract.series import Bucket, Point

LINES: Final = 5000
"""Lines a request carries at most."""
TIMEOUT_MS: Final = 15_000


class InfluxHistory:
    """Writes to the InfluxDB at *url*; a bucket is taken as it is and must exist."""

    def __init__(self, url: str, access: Access, *, pace: Pace | None = None) -> None:
        self._patience = Patience(pace or Pace())
        self._client = InfluxDBClient(url, token=access.token, org=access.org, timeout=TIMEOUT_MS)
        self._api = self._client.write_api(write_options=SYNCHRONOUS)
        self._one_at_a_time = threading.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._client.close()  # type: ignore[no-untyped-call]  # the library's

    @property
    def trouble(self) -> str | None:
        """Why a write is waiting; None when nothing is wrong."""
        return self._patience.trouble

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        """Store *points*; returns when all are stored or refused."""
        by_bucket: defaultdict[Bucket, list[Point]] = defaultdict(list)
        for point in points:
            by_bucket[point.bucket].append(point)
        refused: list[Refused] = []
        for bucket, group in by_bucket.items():
            for start in range(0, len(group), LINES):
                refused += await self._store(bucket, group[start : start + LINES])
        return refused

    async def _store(self, bucket: Bucket, points: list[Point]) -> list[Refused]:
        """Halve what is not taken until each guilty line is alone; sending a stored line again changes nothing."""
        refused: list[Refused] = []
        waiting = [points]
        while waiting:
            batch = waiting.pop()
            reason = await self._patience.until_done(bucket, partial(self._attempt, bucket, batch))
            if reason is None:
                continue
            if len(batch) == 1:
                refused.append(Refused(batch[0], reason))
            else:
                half = len(batch) // 2
                waiting += [batch[half:], batch[:half]]
        return refused

    async def _attempt(self, bucket: Bucket, batch: list[Point]) -> str | None:
        """None when stored, else why the batch as it is can never be. Raises `NotNow`."""
        body = "\n".join(point.line() for point in batch).encode()
        status, text, retry_after = await asyncio.to_thread(self._post, bucket, body)
        match answers.meaning(status):
            case Meaning.STORED:
                return None
            case Meaning.UNACCEPTABLE:
                return answers.reason(status, text)
            case Meaning.NEEDS_A_PERSON:
                raise NotNow(_call_for_help(bucket, status, answers.reason(status, text)), needs_a_person=True)
            case Meaning.NOT_NOW:
                raise NotNow(
                    f"InfluxDB cannot take points now (status {status}): they wait here and are sent again.",
                    retry_after_s=answers.retry_after_s(retry_after),
                )

    def _post(self, bucket: Bucket, body: bytes) -> tuple[int, str, str | None]:
        """Status, body and Retry-After of one request. Raises `NotNow` when no answer came."""
        try:
            with self._one_at_a_time:
                self._api.write(bucket.value, record=body)
                return int(self._client.api_client.last_response.status), "", None
        except ApiException as error:
            headers: Mapping[str, str] = error.headers or {}
            return int(error.status or 0), str(error.body or ""), headers.get("Retry-After")
        except (urllib3.exceptions.HTTPError, OSError, UnicodeDecodeError) as error:
            raise NotNow(
                f"InfluxDB gives no answer ({type(error).__name__}): points wait here and are sent again."
            ) from error


def _call_for_help(bucket: Bucket, status: int, reason: str) -> str:
    if status == 404:
        return (
            f"InfluxDB does not know the bucket {bucket} ({reason}): nothing is lost, but nothing is confirmed either. "
            "Create it, or correct the address."
        )
    return (
        f"InfluxDB refuses our token for the bucket {bucket} (status {status}): nothing is lost, but nothing is "
        "confirmed either. Install a token that may write there."
    )
