"""A mail server on every address of loopback, in a process of its own, so that a thousand addresses are a thousand endpoints to a prober.

    python -m tests.benchmarks.mail_server FOLDER [own]

Writes `ca.pem` into the folder, then the ports of SMTP and POP3 to standard output. Speaks what Postfix and Dovecot say, with STARTTLS, and lets
everybody in. Its certificate is that of localhost; with `own`, each other address has one of its own, made when it is asked for first. As soon as
there is a file `changed` in the folder, POP3 offers one mechanism less.
"""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from probe.simulation.authority import Authority

CHANGED = "changed"
_GREETING = {"smtp": b"220 mail.contoso.test ESMTP Postfix (Debian/GNU)\r\n", "pop3": b"+OK Dovecot (Debian) ready.\r\n"}
_EHLO = b"PIPELINING|SIZE 10240000|VRFY|ETRN|%sENHANCEDSTATUSCODES|8BITMIME|DSN|SMTPUTF8|CHUNKING"
_CAPA = b"+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\n%sUSER\r\nSASL PLAIN%s\r\n.\r\n"
_STARTTLS = b"STARTTLS", b"STLS"


def _answer(protocol: str, command: bytes, *, is_secure: bool, is_changed: bool) -> bytes:
    """What is said to a command."""
    if protocol == "pop3":
        match command:
            case b"CAPA":
                return _CAPA % (b"" if is_secure else b"STLS\r\n", b"" if is_changed else b" LOGIN")
            case b"STLS":
                return b"+OK Begin TLS negotiation now.\r\n"
            case b"USER" | b"PASS":
                return b"+OK\r\n"
            case b"STAT":
                return b"+OK 0 0\r\n"
            case b"QUIT":
                return b"+OK Logging out\r\n"
        return b"-ERR Unknown command.\r\n"
    match command:
        case b"EHLO":
            lines = [b"mail.contoso.test", *(_EHLO % (b"AUTH PLAIN LOGIN|" if is_secure else b"STARTTLS|")).split(b"|")]
            return b"".join(b"250-%s\r\n" % line for line in lines[:-1]) + b"250 %s\r\n" % lines[-1]
        case b"STARTTLS":
            return b"220 2.0.0 Ready to start TLS\r\n"
        case b"AUTH":
            return b"235 2.7.0 Authentication successful\r\n"
        case b"NOOP":
            return b"250 2.0.0 Ok\r\n"
        case b"QUIT":
            return b"221 2.0.0 Bye\r\n"
    return b"502 5.5.2 Error: command not recognized\r\n"


@contextmanager
def running(folder: Path, *how: str) -> Iterator[dict[str, int]]:
    """Ports of a mail server in a process of its own, by protocol; its root is `ca.pem` in the folder."""
    command = [sys.executable, "-m", "tests.benchmarks.mail_server", str(folder), *how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            smtp, pop3 = map(int, server.stdout.readline().split())
            yield {"smtp": smtp, "pop3": pop3}
        finally:
            server.terminate()


async def _main(folder: Path, *, has_own: bool) -> None:
    authority = Authority(folder)
    context = authority.issue("localhost", "127.0.0.1", key="rsa-2048").context()
    changed = folder / CHANGED
    contexts = {"127.0.0.1": context}

    def context_at(writer: asyncio.StreamWriter) -> ssl.SSLContext:
        address = writer.get_extra_info("sockname")[0]
        if has_own and address not in contexts:
            contexts[address] = authority.issue(address, key="rsa-2048").context()
        return contexts.get(address, context)

    async def serve(protocol: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_secure = False
        try:
            writer.write(_GREETING[protocol])
            while line := await reader.readline():
                command = line.split(maxsplit=1)[0].upper() if line.strip() else b""
                is_changed = command == b"CAPA" and changed.exists()
                writer.write(_answer(protocol, command, is_secure=is_secure, is_changed=is_changed))
                await writer.drain()
                if command in _STARTTLS:
                    await writer.start_tls(context_at(writer))
                    is_secure = True
                elif command == b"QUIT":
                    break
        except (OSError, EOFError):
            pass  # the client is gone, which is its right
        finally:
            writer.close()

    servers = [await asyncio.start_server(partial(serve, protocol), "0.0.0.0", 0, backlog=1000) for protocol in _GREETING]
    sys.stdout.write(f"{' '.join(str(server.sockets[0].getsockname()[1]) for server in servers)}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), has_own="own" in sys.argv[2:]))
