"""A DNS server on loopback that knows some records, answers what it is told, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from probe.net.names import NameServer

SILENCE = "silence"
GARBAGE = "garbage"


class _Server(asyncio.DatagramProtocol):
    def __init__(self, records: Mapping[tuple[str, str], list[str] | str], asked: list[tuple[str, str]]) -> None:
        self._records = records
        self._asked = asked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        (question,) = query.question
        asked = (question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype))
        self._asked.append(asked)
        known = self._records.get(asked)
        if known == SILENCE:
            return
        if known == GARBAGE:
            self._transport.sendto(data[:2] + b"\x80\x00" + b"\xff" * 40, address)
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if known is None:
            exists = any(name == asked[0] for name, _ in self._records)
            answer.set_rcode(dns.rcode.NOERROR if exists else dns.rcode.NXDOMAIN)
        else:
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", asked[1], list(known)))
        self._transport.sendto(answer.to_wire(), address)


@asynccontextmanager
async def name_server(records: Mapping[tuple[str, str], list[str] | str]) -> AsyncIterator[tuple[NameServer, list[tuple[str, str]]]]:
    """The server, and what it was asked: names with kinds of record."""
    asked: list[tuple[str, str]] = []
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Server(records, asked), local_addr=("127.0.0.1", 0))
    try:
        yield NameServer("127.0.0.1", transport.get_extra_info("sockname")[1]), asked
    finally:
        transport.close()
