"""The cable that can be cut, between a real client and a real listener on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from demo.network import HOST, Cable

pytestmark = pytest.mark.integration


@pytest.fixture
async def cable() -> AsyncIterator[Cable]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1000):
            writer.write(chunk)
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    async with server, Cable(server.sockets[0].getsockname()[1]) as cable:
        yield cable


@asynccontextmanager
async def call(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_bytes_pass_both_ways_unchanged(cable: Cable) -> None:
    async with call(cable.port) as (reader, writer):
        writer.write(bytes(range(256)))
        assert await reader.readexactly(256) == bytes(range(256))


async def test_a_cut_ends_open_connections_and_refuses_new_ones(cable: Cable) -> None:
    async with call(cable.port) as (reader, writer):
        writer.write(b"x")
        await reader.readexactly(1)
        cable.cut()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
    with pytest.raises(OSError):
        await asyncio.open_connection(HOST, cable.port)


async def test_a_mended_cable_has_the_same_port(cable: Cable) -> None:
    port = cable.port
    cable.cut()
    assert cable.is_cut
    await cable.mend()
    assert (cable.port, cable.is_cut) == (port, False)
    async with call(port) as (reader, writer):
        writer.write(b"y")
        assert await reader.readexactly(1) == b"y"


async def test_a_far_end_that_is_not_there_is_like_a_cut() -> None:
    async with Cable(1) as cable, call(cable.port) as (reader, _):
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
