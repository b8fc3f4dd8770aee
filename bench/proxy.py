"""A TCP proxy on the loopback that makes a network bad: delay and jitter each way, stalls as loss makes them, cuts.

Order is kept, as TCP keeps it. `delay_ms` and `jitter_ms` are one way: 50 and 15 give a round trip of 100 ± 30 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import threading

CHUNK = 65536
STALL_MS = (200.0, 400.0)
Pieces = asyncio.Queue[tuple[float, bytes]]


class Proxy:
    """Runs in its own thread between `with` and its end; `port` is where to connect."""

    def __init__(
        self, to_port: int, port: int = 0, delay_ms: float = 0, jitter_ms: float = 0, loss: float = 0
    ) -> None:
        self.to_port, self.port, self.is_blackhole = to_port, port, False
        self.delay_ms, self.jitter_ms, self.loss = delay_ms, jitter_ms, loss
        self.chance = random.Random(1)
        self.writers: set[asyncio.StreamWriter] = set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> Proxy:
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def cut(self) -> None:
        """Break every connection at once."""
        self.loop.call_soon_threadsafe(self._cut)

    async def _listen(self) -> None:
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self.server.close()
        self._cut()
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=2)

    def _cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            return writer.close()
        pair = {writer, far_writer}
        self.writers |= pair
        try:
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        finally:
            self.writers -= pair
            for one in pair:
                one.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting: Pieces = asyncio.Queue()
        delivery = asyncio.create_task(self._deliver(waiting, writer))
        free_at = 0.0
        try:
            while data := await reader.read(CHUNK):
                free_at = max(free_at, self.loop.time() + self._delay())
                waiting.put_nowait((free_at, data))
            waiting.put_nowait((free_at, b""))
            await delivery
        except OSError:
            delivery.cancel()

    async def _deliver(self, waiting: Pieces, writer: asyncio.StreamWriter) -> None:
        while True:
            free_at, data = await waiting.get()
            await asyncio.sleep(free_at - self.loop.time())
            if not data:
                return writer.write_eof()
            if self.is_blackhole:
                continue
            writer.write(data)
            await writer.drain()

    def _delay(self) -> float:
        """Seconds one piece takes; a lost piece costs what sending it again costs."""
        stall = self.chance.uniform(*STALL_MS) if self.chance.random() < self.loss else 0
        return (self.delay_ms + self.chance.uniform(-self.jitter_ms, self.jitter_ms) + stall) / 1000


def main() -> None:
    """Stand before a running server until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("to_port", type=int)
    parser.add_argument("--port", type=int, default=0)
    for name in ("--delay-ms", "--jitter-ms", "--loss"):
        parser.add_argument(name, type=float, default=0)
    asked = parser.parse_args()
    with Proxy(**vars(asked)) as proxy:
        print(f"http://127.0.0.1:{proxy.port} → {proxy.to_port}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
