"""What the program costs beside others that do the same, and beside its limits: `python -m tests.benchmarks`.

    python -m tests.benchmarks [--addresses 1000] [--mailboxes 10000] [--endpoints 10000] [--runs 3] [--seconds 60] [looks] [startup] [mailboxes] [posture] [history] [schedule] [service] [pages] [scale]

Each figure is the median of some runs. All of them are of this machine and this hour; what means something is the ratio of two in one run, and that
only where nothing else runs. What is not installed is left out, and that is said.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import estate_of_many, history, mail_server, nginx, pages, schedule
from tests.benchmarks.blackbox import CONFIGURATION
from tests.benchmarks.mail_server import CHANGED

_PROBE = Path(sys.executable).with_name("probe")
_HERE = Path(__file__).parent
_AT_ONCE = 50
_ROUNDS = 3
"""Of five minutes, for `scale`."""
_BLACKBOX = ("blackbox_exporter", "prometheus-blackbox-exporter")
# Without compiled modules, as tests run, a start costs twice as much as anybody's.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a program took."""

    cpu: float
    """Seconds, of user and system."""
    wall: float
    megabytes: float
    """Peak of memory, where it is known."""
    written: float = 0.0
    """Megabytes on standard output."""


Scrape = Callable[[str, int, int], Cost]
"""Has blackbox_exporter hold conversations: by which protocol, at which port, how many."""


def main() -> None:
    """Measure what is named, or everything."""
    parts: dict[str, Callable[[argparse.Namespace], None]] = {
        "looks": _looks, "startup": _startup, "mailboxes": _mailboxes, "posture": _posture, "history": _history,
        "schedule": _schedule, "service": _service, "pages": _pages, "scale": _scale,
    }  # fmt: skip
    arguments = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    arguments.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(parts)}")
    arguments.add_argument("--addresses", type=int, default=1000)
    arguments.add_argument("--mailboxes", type=int, default=10_000)
    arguments.add_argument("--seconds", type=float, default=60.0, help="of each part of `pages`")
    arguments.add_argument("--endpoints", type=int, default=10_000)
    arguments.add_argument("--runs", type=int, default=3)
    given = arguments.parse_args()
    _say(
        f"{os.cpu_count()} processors, load {' '.join(f'{load:.1f}' for load in os.getloadavg())} (of use below 0.3), {given.runs} runs each"
    )
    # A quarter of an hour, which is asked for by name.
    for name in given.parts or [name for name in parts if name != "scale"]:
        _say(f"\n{name}")
        parts[name](given)


def _history(_given: argparse.Namespace) -> None:
    """How large a year of ten thousand endpoints becomes."""
    for line in history.measure(50):
        _say(line)


def _schedule(given: argparse.Namespace) -> None:
    """What it costs to know what is due."""
    for line in schedule.measure(given.mailboxes, given.mailboxes // 2):
        _say(line)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _median(costs: Iterable[Cost]) -> Cost:
    values = zip(*((c.cpu, c.wall, c.megabytes, c.written) for c in costs), strict=True)
    return Cost(*map(statistics.median, values))


def _runs(number: int, *command: str | Path, exits: Sequence[int] = (0,)) -> Cost:
    return _median([_run(*command, exits=exits) for _ in range(number)])


def _run(*command: str | Path, exits: Sequence[int] = (0,)) -> Cost:
    """Run a program to its end. Raises RuntimeError where it exits otherwise than is expected."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as told:
        measuring = [sys.executable, "-S", "-E", str(_HERE / "measured.py"), str(told.fileno()), *map(str, command)]
        subprocess.run(measuring, stdout=out, stdin=subprocess.DEVNULL, env=_ENVIRONMENT, pass_fds=[told.fileno()], check=True)
        told.seek(0)
        code, cpu, seconds, kibibytes = told.read().split()
        if int(code) not in exits:
            raise RuntimeError(f"{command[0]} exits with {int(code)}")
        return Cost(float(cpu), float(seconds), int(kibibytes) / 1024, out.tell() / 1e6)


def _startup(given: argparse.Namespace) -> None:
    look = (_PROBE, "look", "--json", "--quiet", "--tls", "none", "pop3://127.0.0.1:9")
    _run(*look, exits=(3,))  # compiles what is not compiled yet
    bare = _runs(given.runs, sys.executable, "-c", "import asyncio, ssl, json")
    ours = _runs(given.runs, *look, exits=(3,))
    asked = _runs(given.runs, _PROBE, "--help")
    _say(
        f"  a look at a port where nobody listens: {ours.cpu:.2f} s CPU (limit 0.25), {ours.cpu / bare.cpu:.1f} x Python with asyncio, ssl and json"
    )
    _say(f"  --help: {asked.cpu:.2f} s CPU (limit 0.06), {asked.cpu / bare.cpu:.1f} x")


def _looks(given: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder, mail_server.running(Path(folder)) as ports:
        ca = Path(folder, "ca.pem")
        with _blackbox(ca) as scrape:
            if scrape is None:
                _say(f"  left out: blackbox_exporter, since there is none of {', '.join(_BLACKBOX)} in PATH")
            for protocol, port in ports.items():
                _looks_by(protocol, port, ca, scrape, given)


def _looks_by(protocol: str, port: int, ca: Path, scrape: Scrape | None, given: argparse.Namespace) -> None:
    number = given.addresses
    urls = [f"{protocol}://127.{n // 62500 + 1}.{n // 250 % 250}.{n % 250 + 1}:{port}" for n in range(2 * number)]
    looks = {tls: (_PROBE, "look", "--json", "--quiet", "--tls", tls, "--ca", ca) for tls in ("none", "quick")}
    held: dict[str, Callable[[], Cost]] = {
        "bare asyncio client": lambda: _run(sys.executable, _HERE / "bare_client.py", protocol, str(port), ca, str(number), str(_AT_ONCE)),
        "none": lambda: _run(*looks["none"], *urls[:number]),
        "quick": lambda: _run(*looks["quick"], *urls[:number]),
    }
    if scrape is not None:
        held["blackbox_exporter"] = lambda: scrape(protocol, port, number)
    # Each in turn, so that what else the machine does meets all alike.
    costs = [{name: _each(number, hold()) for name, hold in held.items()} for _ in range(given.runs)]
    median = {name: _median(cost[name] for cost in costs) for name in held}
    peers = [name for name in held if name not in looks]
    for name in peers:
        _say(f"  {protocol}, {name}: {_told(median[name])}")
    for tls, look in looks.items():
        beside = "; ".join(_beside(name, [(cost[tls], cost[name]) for cost in costs]) for name in peers)
        _say(f"  {protocol}, probe look --tls {tls}: {_told(median[tls])}; {beside}")
        one, twice = (_runs(given.runs, *look, *some) for some in (urls[:1], urls))
        _say(
            f"    memory: {median[tls].megabytes:.0f} MB (limit for 1,000: 80), of one look {one.megabytes:.0f}; each look after the first takes "
            f"{_further(one, median[tls], number - 1):.0f} kB (limit 30), each after {number} {_further(median[tls], twice, number):.0f}"
        )


def _service(given: argparse.Namespace) -> None:
    """What a look of the service costs that finds nothing new."""
    with tempfile.TemporaryDirectory() as folder, mail_server.running(Path(folder)) as ports:
        ca = Path(folder, "ca.pem")
        with _blackbox(ca) as scrape:
            for protocol, port in ports.items():
                measured = (sys.executable, "-m", "tests.benchmarks.service", protocol, str(port), str(ca), str(given.addresses), "2")
                turns = [
                    (Cost(*map(float, _output(*measured).split())), scrape and scrape(protocol, port, given.addresses))
                    for _ in range(given.runs)
                ]
                ours = _median(cost for cost, _ in turns)
                pairs = [(cost, _each(given.addresses, theirs)) for cost, theirs in turns if theirs is not None]
                beside = f"; {_beside('blackbox_exporter', pairs)} (limit 2.0 x CPU)" if pairs else ""
                _say(f"  {protocol}, a look of the service that finds nothing new: {_told(ours)}, {ours.megabytes:.0f} MB{beside}")


def _pages(given: argparse.Namespace) -> None:
    """How soon the service shows what it knows, whenever it is asked."""
    for endpoints in (20, 1000):
        with tempfile.TemporaryDirectory() as folder, mail_server.running(Path(folder)) as ports:
            ca, change = Path(folder, "ca.pem"), Path(folder, CHANGED)
            for line in pages.measure(given.mailboxes, endpoints, change, ports, ca, given.seconds):
                _say(line)


def _scale(given: argparse.Namespace) -> None:
    """What `probe serve` takes over many endpoints, and whether it keeps its schedule: in the last of some rounds nothing is new."""
    with tempfile.TemporaryDirectory() as folder, mail_server.running(Path(folder), "own") as ports:
        ca = Path(folder, "ca.pem")
        with _blackbox(ca) as scrape:
            told = [str(ports["pop3"]), str(ports["smtp"]), str(ca), str(given.endpoints), str(_ROUNDS)]
            command = [sys.executable, "-m", "tests.benchmarks.service_scale", *told]
            theirs: list[Cost] = []
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_ENVIRONMENT) as service:
                assert service.stdout is not None
                for line in service.stdout:
                    if line != "last\n":
                        if not line.startswith(("{", "[")):
                            _say(f"  {line.rstrip()}")
                    elif scrape is not None:
                        theirs = [_each(given.addresses, scrape(protocol, port, given.addresses)) for protocol, port in ports.items()]
            *rounds, asked = json.loads(line)
    for number, one in enumerate(rounds, start=1):
        _say(
            f"  round {number}: {one['looks']} looks, {one['missed']} slots missed (limit 0), 99 % begin within {one['late_99']:.1f} s of their slot, the "
            f"latest {one['late_worst']:.1f} s; {one['megabytes']:.0f} MB, at most {one['peak']:.0f} (limit 300), children {one['children']:.0f}; the "
            f"loop stood still for {one['stall']:.1f} s at most; {one['disk']:.0f} MB on the disk"
        )
    last, beside = rounds[-1], ""
    each = last["cpu"] / last["looks"]
    if theirs:
        beside = f", beside blackbox_exporter {each / statistics.mean(cost.cpu for cost in theirs):.2f} x"
    _say(
        f"  a look of the last round, with its share of the sign-ins: {each * 1000:.2f} ms CPU{beside}; at most {asked['peak']:.0f} MB once metrics and page were asked for"
    )


def _further(fewer: Cost, all_of_them: Cost, number: int) -> float:
    """Kilobytes that each of so many more looks takes."""
    return (all_of_them.megabytes - fewer.megabytes) / max(1, number) * 1000


def _each(number: int, cost: Cost) -> Cost:
    return Cost(cost.cpu / number, cost.wall / number, cost.megabytes)


def _told(each: Cost) -> str:
    return f"{each.cpu * 1000:.2f} ms CPU each, {1 / each.wall:.0f} a second"


def _beside(name: str, pairs: Sequence[tuple[Cost, Cost]]) -> str:
    """The medians of our costs beside those of another program in the same turn."""
    cpu = statistics.median(ours.cpu / theirs.cpu for ours, theirs in pairs)
    rate = statistics.median(theirs.wall / ours.wall for ours, theirs in pairs)
    return f"beside {name} {cpu:.2f} x CPU, {rate:.2f} x as many a second"


@contextmanager
def _blackbox(ca: Path) -> Iterator[Scrape | None]:
    """What has blackbox_exporter hold so many conversations; None where it is not installed."""
    program = next(filter(None, map(shutil.which, _BLACKBOX)), None)
    if program is None:
        yield None
        return
    config = ca.with_name("blackbox.yml")
    config.write_text(CONFIGURATION.replace("CA_FILE", str(ca)))
    port = nginx.free_port()
    command = [program, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as exporter:
        try:
            nginx.wait_for(port)
            yield lambda protocol, at, number: _scraped(
                exporter.pid, f"http://127.0.0.1:{port}/probe?module={protocol}&target=127.0.0.1:{at}", number
            )
        finally:
            exporter.terminate()


def _scraped(pid: int, url: str, number: int) -> Cost:
    def scrape(_: int) -> bool:
        with urllib.request.urlopen(url) as answer:
            return b"\nprobe_success 1" in answer.read()

    if not scrape(0):
        raise RuntimeError("blackbox_exporter does not come through the conversation")
    before, began = pages.cpu_of(pid), time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        if not all(pool.map(scrape, range(number))):
            raise RuntimeError("blackbox_exporter failed in some conversations")
    return Cost(pages.cpu_of(pid) - before, time.monotonic() - began, 0.0)


def _mailboxes(given: argparse.Namespace) -> None:
    number = given.mailboxes
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "estate.toml")
        file.write_text(estate_of_many.text(number))
        judged = [json.loads(_output(sys.executable, "-m", "tests.benchmarks.judging", file)) for _ in range(given.runs)]
        each = {name: statistics.median(run[name] for run in judged) for name in judged[0]}
        _say(f"  judging {number} mailboxes behind {estate_of_many.HOSTS} hosts: {each['judging']:.2f} s CPU, {each['megabytes']:.0f} MB")
        apart = each["apart"] * number
        _say(f"    each rule asked of each mailbox by itself: {apart:.1f} s, {apart / each['judging']:.0f} x")
        whole = _runs(given.runs, _PROBE, "check", "--tls", "none", "--quiet", "--format", "json", file, exits=(0, 1, 3))
        limits = "limits for 10,000: 6 s, 250 MB, 60 MB"
        _say(f"  probe check of them: {whole.cpu:.1f} s CPU, {whole.megabytes:.0f} MB, {whole.written:.0f} MB written ({limits})")
        told = _runs(1, _PROBE, "check", "--tls", "none", "--format", "html", file, exits=(0, 1, 3))
        _say(
            f"  the same as one file of HTML, with what comes: {told.cpu:.1f} s CPU, {told.megabytes:.0f} MB, {told.written:.1f} MB written"
        )


def _output(*command: str | Path) -> str:
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, env=_ENVIRONMENT).stdout


def _posture(given: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder, nginx.modern(Path(folder)) as port:
        if port is None:
            _say("  left out: there is no nginx in PATH")
            return
        ours = _runs(given.runs, _PROBE, "look", "--json", "--quiet", "--tls", "full", f"https://127.0.0.1:{port}", exits=(0, 3))
        _say(f"  full posture of a modern nginx: {ours.cpu:.2f} s CPU, {ours.wall:.2f} s")
        peers: dict[str, tuple[str, ...]] = {
            "sslscan": ("--no-colour", f"127.0.0.1:{port}"),
            "nmap": ("-Pn", "-n", "-sT", "-p", str(port), "--script", "+ssl-enum-ciphers", "127.0.0.1"),
        }
        for name, options in peers.items():
            program = shutil.which(name)
            if program is None:
                _say(f"  left out: there is no {name} in PATH")
                continue
            theirs = _runs(given.runs, program, *options)
            _say(
                f"  {name}: {theirs.cpu:.2f} s CPU, {theirs.wall:.2f} s; ours {ours.cpu / theirs.cpu:.2f} x CPU, {ours.wall / theirs.wall:.2f} x the time"
            )


if __name__ == "__main__":
    main()
