"""A cable that can be cut: a TCP forwarder between one machine and the broker. It sees only TLS and changes no byte."""

import asyncio
import contextlib
from types import TracebackType
from typing import Final, Self

HOST: Final = "127.0.0.1"
_CHUNK: Final = 64 * 1024


class Cable:
    """From a port of its own to *target_port*. `cut` breaks every connection and refuses new ones, until `mend`."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def is_cut(self) -> bool:
        """Whether nothing gets through."""
        return self._server is None

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.cut()

    async def mend(self) -> None:
        """Let connections through, on the same port as ever."""
        if self._server is None:
            self._server = await asyncio.start_server(self._forward, HOST, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """As if somebody pulled the cable out, except that both ends notice at once."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._open:
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target_port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._open |= ends
        try:
            async with asyncio.TaskGroup() as both_ways:
                both_ways.create_task(_pour(reader, far_writer))
                both_ways.create_task(_pour(far_reader, writer))
        finally:
            self._open -= ends
            for end in ends:
                end.transport.abort()


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await source.read(_CHUNK):
            target.write(chunk)
            await target.drain()
    with contextlib.suppress(OSError):
        target.write_eof()
