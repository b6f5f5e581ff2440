"""What a repeated look of the service costs: everything that `probe serve` does for one that finds nothing new, its databases included.

    python -m tests.benchmarks.service PROTOCOL PORT CA ADDRESSES ROUNDS

It looks at each address once, then at each again for so many rounds, and prints the CPU of these rounds for each look, and the peak of memory.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from probe import app
from probe.alerts import Alerts, Delivered, DeliveryEnding, Recipients, Telling
from probe.alerts.wording import Message
from probe.config import read_estate
from probe.history import open_history
from probe.memory import Folder
from probe.model.estate import Estate
from probe.schedule import Schedule
from probe.service import judges
from probe.service.clock import SystemClock
from probe.service.keeping import KeptLooks
from probe.service.looks import LookKey, Topic
from probe.service.watcher import Watcher
from tests.benchmarks.estate_of_many import DEPLOYMENT

_AT_ONCE = 50


def _estate(protocol: str, port: str, number: int) -> str:
    head = (
        DEPLOYMENT
        + """[schedule]
quick = "1d"
posture = "off"
"""
    )
    incoming, outgoing = ("pop3://127.0.0.1:9", "{url}") if protocol == "smtp" else ("{url}", "smtp://127.0.0.1:9")
    used = {"smtp": ("none", "server-side"), "pop3": ("server-side", "none")}[protocol]
    profile = f"""
[[profile]]
name = "p{{n}}"
server_type = "pop3-smtp"
credentials = "mailbox"
incoming = "{incoming}"
outgoing = "{outgoing}"
[[mailbox]]
address = "m{{n}}@contoso.test"
profile = "p{{n}}"
incoming = "{used[0]}"
outgoing = "{used[1]}"
appointments = "none"
"""
    urls = (f"{protocol}://127.{n // 62500 + 1}.{n // 250 % 250}.{n % 250 + 1}:{port}" for n in range(number))
    return head + "".join(profile.format(n=n, url=url) for n, url in enumerate(urls))


async def _taken(target: str, message: Message, event: str, is_repetition: bool) -> Delivered:
    return Delivered(DeliveryEnding.TAKEN)


def _telling(estate: Estate) -> Telling:
    return Telling(settings=estate.alerts, recipients=Recipients())


async def _measured(protocol: str, port: str, ca: Path, number: int, rounds: int) -> tuple[float, float]:
    estate = read_estate(_estate(protocol, port, number), "bench.toml")
    with tempfile.TemporaryDirectory() as name:
        folder, options, clock = Folder(Path(name, "state")), app.Options(ca_file=ca), SystemClock(app.now)
        by = judges(options)
        plan = by.plan(estate, clock.now().date())
        async with open_history(folder, "bench") as history, app.Probing(options) as probing:
            watcher = Watcher(
                estate,
                judges=by,
                observer=probing,
                kept=KeptLooks(folder, "bench"),
                history=history,
                schedule=Schedule(folder, "bench", by.tasks(estate, plan), clock.now()),
                alerts=Alerts(folder, "bench", _taken, _telling(estate)),
                telling=_telling,
                clock=clock,
            )
            await watcher.begin()
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(watcher.run(stop))
                keys = [LookKey(Topic.ENDPOINT, endpoint.url) for endpoint in estate.endpoints if not endpoint.url.endswith("127.0.0.1:9")]
                await _round(watcher, keys)
                await _round(watcher, keys)
                while not watcher.is_idle:  # noqa: ASYNC110 - what the first rounds found is judged and written
                    await asyncio.sleep(0.1)
                began, cpu = time.monotonic(), time.process_time()
                for _ in range(rounds):
                    await _round(watcher, keys)
                spent, seconds = time.process_time() - cpu, time.monotonic() - began
                stop.set()
    looks = number * rounds
    return spent / looks, seconds / looks


async def _round(watcher: Watcher, keys: list[LookKey]) -> None:
    """Look at each once, some at a time."""
    left: Iterator[LookKey] = iter(keys)

    async def some() -> None:
        for key in left:
            await watcher.look([key])

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(some())


def main() -> None:
    """Measure, and print CPU and time for each look, in seconds, and the peak of memory, in megabytes."""
    protocol, port, ca, number, rounds = sys.argv[1:]
    cpu, wall = app.complete(lambda _stop: _measured(protocol, port, Path(ca), int(number), int(rounds)))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{cpu} {wall} {megabytes}\n")


if __name__ == "__main__":
    main()
