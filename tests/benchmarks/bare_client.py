"""The least that an asyncio program can do to hold such a conversation: what a floor for any Python prober is.

python tests/benchmarks/bare_client.py smtp|pop3 PORT CA NUMBER AT-ONCE
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Iterator


async def _one(protocol: str, port: int, context: ssl.SSLContext) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def until(prefix: bytes) -> None:
        while not (line := await reader.readline()).startswith(prefix):
            if not line:
                raise EOFError

    async def ask(command: bytes, prefix: bytes) -> None:
        writer.write(command + b"\r\n")
        await until(prefix)

    first, begin, what, end, bye = (
        (b"220 ", b"STARTTLS", b"EHLO probe", b"250 ", b"221") if protocol == "smtp" else (b"+OK", b"STLS", b"CAPA", b".", b"+OK")
    )
    try:
        await until(first)
        await ask(what, end)
        await ask(begin, first)
        await writer.start_tls(context, server_hostname="localhost")
        await ask(what, end)
        await ask(b"QUIT", bye)
    finally:
        writer.close()


async def _main(protocol: str, port: int, ca: str, number: int, at_once: int) -> None:
    context = ssl.create_default_context(cafile=ca)

    async def worker(left: Iterator[int]) -> None:
        for _ in left:
            await _one(protocol, port, context)

    left = iter(range(number))
    await asyncio.gather(*(worker(left) for _ in range(at_once)))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
