"""A simulated organization with many mailboxes, in a process of its own: `python -m tests.benchmarks.organization 50000 FOLDER`.

It writes the certificate of its authority into the folder, and that file's path and its port to standard output; it ends with its standard input.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from datetime import timedelta
from pathlib import Path

from probe.simulation.authority import Authority
from probe.simulation.dynamics.organization import Organization, now, written
from tests.simulation.dynamics.world import server

ENDPOINT = "https://127.0.0.1:9/EWS/Exchange.asmx"
"""Where nobody listens."""
PROFILES = 20


def made(count: int) -> Organization:
    """An organization with so many mailboxes, each of which says as much of itself as one that has run for years."""
    organization = Organization()
    profiles = [
        organization.add_profile(f"profile-{number}", incomingserverlocation=ENDPOINT, servertype=0, incomingpassword="x", statecode=0)
        for number in range(PROFILES)
    ]
    moment = written(now() - timedelta(minutes=10))
    for number in range(count):
        organization.add_mailbox(
            f"box{number}@contoso.test",
            profiles[number % PROFILES],
            incomingemaildeliverymethod=2,
            outgoingemaildeliverymethod=2,
            actdeliverymethod=1,
            emailrouteraccessapproval=1,
            enabledforincomingemail=True,
            enabledforoutgoingemail=True,
            enabledforact=True,
            incomingemailstatus=1,
            outgoingemailstatus=1,
            actstatus=1,
            processinglastattemptedon=moment,
            lastsuccessfulsynccompletedon=moment,
            lastsyncerror="Http server returned 401 Unauthorized exception. " * 4,
            lastsyncerroroccurredon=moment,
            ewsurl=ENDPOINT,
        )
    return organization


async def _serve(count: int, folder: Path) -> None:
    authority = Authority(folder)
    context: ssl.SSLContext = authority.issue("localhost", "127.0.0.1").context()
    async with server(made(count), context) as site:
        sys.stdout.write(f"{authority.ca_file} {site.port}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
