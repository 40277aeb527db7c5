"""One running worker, put together: cycles, senders, canary. Ends when cancelled; nothing that was decided is lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack, closing, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from cloud import days
from cloud.alerts import absence, cards, outages, reporting, revocations, sending, telling
from cloud.alerts.canary import Canary
from cloud.alerts.channels.posting import Poster
from cloud.alerts.findings import Findings, Standing
from cloud.alerts.outages import Failing, PathFacts
from cloud.alerts.policy import Policies
from cloud.alerts.sending import Post
from cloud.alerts.service import Duties, Outside, Service
from cloud.alerts.settings import Settings
from cloud.feed import CANARY, Feed
from cloud.history import open_history
from cloud.records import Connection, messages, notices, open_records

REAL_SLACK_MS: Final = 20_000
"""Where the clock runs fast, real delays look long: by so much real time anything may be late."""


def run(settings: Settings, *, now: Callable[[], datetime]) -> None:
    """Work until SIGTERM or SIGINT. Raises `BadSettings`, `BadHistoryUrl`."""
    asyncio.run(until_terminated(serve(settings, now)))


async def serve(settings: Settings, now: Callable[[], datetime], *, pace: float = 1.0) -> None:
    """Work until cancelled. *pace*: how much faster than real time *now* runs."""
    policies = settings.policies()
    policy = policies.at(days.day_of(_ms(now)))
    feed = Feed(settings.address(), now=now, subscriptions=CANARY)
    canary = Canary(feed, instance=settings.instance, every_s=policy.path.canary_s / pace, now=now)
    with ExitStack() as held:
        records = held.enter_context(open_records(settings.database()))
        channels = {name: held.enter_context(closing(each)) for name, each in settings.open_channels().items()}
        async with open_history(settings.history, settings.access(), now=now) as history:
            outside = Outside(
                history,
                partial(_ms, now),
                ping=pinger(settings.ping_url()),
                shown=shower(settings.ready_file),
            )
            post = Post(records, channels, settings.instance, policy.notify, settings.console_url)
            service = Service(
                records,
                policies,
                duties(partial(path_facts, canary, settings.crl_file, slack_ms=round(REAL_SLACK_MS * (pace - 1)))),
                outside=outside,
                read=reporting.read,
                instance=settings.instance,
            )
            stop = asyncio.Event()
            others = [feed.run(), canary.run(), sending.serve(post, now=partial(_ms, now), stop=stop)]
            await work(service, others, pace=pace)


async def work(service: Service, others: Sequence[Coroutine[Any, Any, None]], *, pace: float = 1.0) -> None:
    """Cycle, with *others* beside it, until cancelled; then let another worker go on."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(service.run(pause=lambda rest_s: asyncio.sleep(rest_s / pace)))
            for each in others:
                tasks.create_task(each)
    finally:
        await service.give_back()


def duties(path: Callable[[Connection, int], PathFacts]) -> Duties:
    """All rules of the live system; *path* = what is known of broker, revocation list and channels."""
    memory = absence.Memory()

    def judge_path(connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing) -> Findings:
        facts = path(connection, now_ms)
        return outages.judge(connection, policies, now_ms=now_ms, standing=standing, path=facts)

    return Duties(
        judges=(judge_path, partial(absence.judge, memory=memory)),
        seldom=lambda kinds: partial(cards.judge, kinds=kinds),
        every_ms=cards.EVERY_MS,
        tell=telling.tell,
        digest=lambda connection, now_ms: telling.write_digests(connection, now_ms=now_ms),
        waiting=lambda connection, now_ms: len(messages.with_work(connection, now_ms)),
    )


def path_facts(
    canary: Canary, crl_file: Path | None, connection: Connection, now_ms: int, *, slack_ms: int = 0
) -> PathFacts:
    """What this worker has heard and read, and how telling people fares."""
    failing = notices.failing(connection, now_ms)
    waits = failing.unreached + failing.unsure + failing.overdue + failing.unsent
    return PathFacts(
        watching_since_ms=canary.since_ms,
        canary_ms=canary.heard_ms,
        crl_expires_ms=revocations.expires_ms(crl_file) if crl_file is not None else None,
        slack_ms=slack_ms,
        failing=Failing(failing.since_ms or now_ms, waits, failing.held) if failing.is_failing else None,
    )


def _ms(now: Callable[[], datetime]) -> int:
    return round(now().timestamp() * 1000)


def pinger(url: str) -> Callable[[], None]:
    """Calls the dead man's switch at *url*; empty = there is none."""
    if not url:
        return lambda: None
    poster = Poster("the dead man's switch", timeout_s=5)

    def ping() -> None:
        poster.post(url, b"", {})

    return ping


def shower(path: Path | None) -> Callable[[bool], None]:
    """Touches *path* while cycles end well, removes it while not: what a container's health check looks at."""

    def show(is_ready: bool) -> None:
        if path is None:
            return
        with suppress(OSError):
            if is_ready:
                path.touch()
            else:
                path.unlink(missing_ok=True)

    return show


async def until_terminated(work: Coroutine[Any, Any, None]) -> None:
    """Run *work*; SIGTERM and SIGINT cancel it, and that is a clean end."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
