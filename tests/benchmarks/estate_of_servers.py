"""An estate of many mail servers, a mailbox behind each two: POP3 of one and SMTP of the next, with STARTTLS, each at an address of loopback."""

from __future__ import annotations

from collections.abc import Mapping

from probe.model.watching import Hours
from tests.benchmarks.estate_of_many import DEPLOYMENT

PASSWORD = "PROBE_BENCH_PASSWORD"
"""The variable that has the password of every account."""
_HEAD = (
    DEPLOYMENT
    + """allow = ["logs-in"]
[schedule]
quick = "5m"
posture = "off"
canary = "off"
logins = "1d"
logins_between = "{start:%H:%M}-{end:%H:%M}"
"""
)
_PROFILE = """
[[profile]]
name = "p{number}"
server_type = "pop3-smtp"
credentials = "mailbox"
incoming = "pop3://{incoming}:{pop3}"
outgoing = "smtp://{outgoing}:{smtp}"
[[mailbox]]
address = "m{number}@contoso.test"
profile = "p{number}"
incoming = "server-side"
outgoing = "server-side"
appointments = "none"
password = "env:{password}"
"""


def text(endpoints: int, ports: Mapping[str, int], night: Hours) -> str:
    """The estate as a file of TOML. `ports` by protocol; `night`: when each mailbox is signed in to."""
    profiles = (
        _PROFILE.format(number=n, incoming=_address(2 * n), outgoing=_address(2 * n + 1), password=PASSWORD, **ports)
        for n in range(endpoints // 2)
    )
    return "".join((_HEAD.format(start=night.start, end=night.end), *profiles))


def _address(number: int) -> str:
    return f"127.{number // 62500 + 1}.{number // 250 % 250}.{number % 250 + 1}"
