"""An estate of many mailboxes behind few hosts that refuse every connection, so that nearly all that a check costs is our own work."""

from __future__ import annotations

HOSTS = 20

DEPLOYMENT = """[deployment]
name = "scale"
kind = "on-premises"
version = "9.1"
runs_on = "windows-server-2019"
fips = false
mass_email = false
custom_email_providers = false
outlook_on_the_web_tracking = false
outlook_manual_tracking = false
"""
_PROFILE = """
[[profile]]
name = "p{number}"
server_type = "pop3-smtp"
incoming = "pop3://127.0.0.{place}:9"
outgoing = "smtp://127.0.0.{place}:9"
credentials = "mailbox"
"""
_MAILBOX = """
[[mailbox]]
address = "m{number}@gmail.com"
profile = "p{profile}"
incoming = "server-side"
outgoing = "server-side"
appointments = "none"
"""


def text(mailboxes: int) -> str:
    """The estate as a file of TOML."""
    profiles = (_PROFILE.format(number=n, place=n + 1) for n in range(HOSTS))
    return "".join((DEPLOYMENT, *profiles, *(_MAILBOX.format(number=n, profile=n % HOSTS) for n in range(mailboxes))))
