"""Ingest as a process of its own, wired as in production but for one thing: its clock is the city's."""

import asyncio
import logging
import os
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from cloud.feed import Address, Feed
from cloud.history import Access, open_history
from cloud.ingest.opening import Opener
from cloud.ingest.service import Service
from cloud.ingest.store import Store
from cloud.records import open_records
from cloud.records.pseudonyms import Pepper
from contract.cards import Keyring, OpeningKey
from edge.clock.simulated import SimulatedClock


async def main() -> None:
    env = os.environ
    clock = SimulatedClock(env["HADIR_CLOCK"].removeprefix("simulated:"))
    url = urlsplit(env["HADIR_BROKER"])
    tls = ssl.create_default_context(cafile=env["HADIR_CA_FILE"])
    tls.load_cert_chain(env["HADIR_CERT_FILE"], env["HADIR_KEY_FILE"])
    keys = [OpeningKey.parse(p.read_text()) for p in Path(env["HADIR_OPENING_KEYS_DIR"]).glob("*.key")]
    opener = Opener(Keyring({k.key_id: k for k in keys}), Pepper.parse(Path(env["HADIR_PEPPER_FILE"]).read_text()))
    feed = Feed(Address(url.hostname or "", url.port or 8883, "ingest-demo", tls), now=clock.now)
    with open_records(env["HADIR_DATABASE_URL"]) as records:
        async with open_history(env["HADIR_HISTORY"], Access("demo"), now=clock.now) as history:
            store = Store(records, history, opener=opener, now=clock.now)
            async with asyncio.TaskGroup() as tg:
                tg.create_task(feed.run())
                tg.create_task(Service(feed, store).run())


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main())
