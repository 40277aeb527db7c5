"""A bare subscriber that only counts: `python -m bench.counting RECORDS HOST PORT CA CERT KEY`.

Prints `ready`, then, once it has counted so many records, the seconds since the first of them.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from datetime import UTC, datetime

from cloud.feed import Address, Feed


async def count(records: int, address: Address) -> float:
    """Seconds from the first to the last of so many records; how many a batch holds is read off its bytes."""
    feed = Feed(address, now=lambda: datetime.now(UTC))
    task = asyncio.create_task(feed.run())
    while not feed.is_listening:  # noqa: ASYNC110 - the feed has nothing else to wait for
        await asyncio.sleep(0.01)
    print("ready", flush=True)  # noqa: T201
    began, counted = 0.0, 0
    while counted < records:
        arrived = await feed.next()
        began = began or time.monotonic()
        counted += arrived.payload.count(b'"kind"')
    ended = time.monotonic()
    task.cancel()
    return ended - began


if __name__ == "__main__":
    number, host, port, ca, certificate, key = sys.argv[1:]
    tls = ssl.create_default_context(cafile=ca)
    tls.load_cert_chain(certificate, key)
    seconds = asyncio.run(count(int(number), Address(host, int(port), "hadir-ingest-bench", tls)))
    print(seconds, flush=True)  # noqa: T201
