"""An estate of many mail servers, a mailbox behind each two: POP3 of one and SMTP of the next, with STARTTLS, each of a host of its own."""

from __future__ import annotations

from collections.abc import Mapping

from probe.model.watching import Hours

PASSWORD = "PROBE_BENCH_PASSWORD"
"""The variable that has the password of every account."""
_HEAD = """[deployment]
name = "bench"
kind = "on-premises"
version = "9.1"
runs_on = "windows-server-2019"
fips = false
mass_email = false
custom_email_providers = false
outlook_on_the_web_tracking = false
outlook_manual_tracking = false
allow = ["logs-in"]
[schedule]
quick = "5m"
posture = "off"
canary = "off"
logins = "1d"
logins_between = "{start:%H:%M}-{end:%H:%M}"
"""
_PROFILE = """
[[profile]]
name = "p{number}"
server_type = "pop3-smtp"
credentials = "mailbox"
incoming = "pop3://pop{number}.contoso.test:{pop3}"
outgoing = "smtp://smtp{number}.contoso.test:{smtp}"
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
    profiles = (_PROFILE.format(number=n, password=PASSWORD, **ports) for n in range(endpoints // 2))
    return "".join((_HEAD.format(start=night.start, end=night.end), *profiles))


def hosts(endpoints: int) -> dict[str, str]:
    """An address of loopback for each host."""
    names = (f"{kind}{n}.contoso.test" for n in range(endpoints // 2) for kind in ("pop", "smtp"))
    return {name: f"127.{n // 62500 + 1}.{n // 250 % 250}.{n % 250 + 1}" for n, name in enumerate(names)}
