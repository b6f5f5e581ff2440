"""An estate of one mailbox that is signed in to within the first seconds of a service, and then once an hour."""

from __future__ import annotations

from probe.schedule import TaskKind
from probe.schedule.slots import fraction_of
from tests.config.estates import DEPLOYMENT

PASSWORD = "a password of nobody"
# Whose hourly sign-in is due within the first seconds.
ADDRESS = next(f"m{n}@contoso.test" for n in range(100_000) if fraction_of("contoso-crm", TaskKind.CANARY, f"m{n}@contoso.test") < 0.0005)

ESTATE = (
    DEPLOYMENT
    + """allow = ["logs-in"]
[schedule]
quick = "1s"
posture = "off"
[[profile]]
name = "branch"
server_type = "pop3-smtp"
credentials = "mailbox"
incoming = "pop3s://localhost:{pop}"
outgoing = "smtps://localhost:{smtp}"
[[mailbox]]
address = "{address}"
profile = "branch"
incoming = "server-side"
outgoing = "server-side"
appointments = "none"
password = "env:MAILBOX_PASSWORD"
"""
)
