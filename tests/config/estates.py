"""A small estate in parts, for tests to put together and to spoil."""

from __future__ import annotations

DEPLOYMENT = """
[deployment]
name = "contoso-crm"
kind = "on-premises"
version = "9.1"
runs_on = "windows-server-2019"
fips = false
mass_email = false
custom_email_providers = false
outlook_on_the_web_tracking = false
outlook_manual_tracking = false
"""

DYNAMICS = """
[dynamics]
url = "https://crm.contoso.test/Contoso"
"""

PROFILE = """
[[profile]]
name = "corp"
server_type = "exchange-server"
incoming = "https://mail.contoso.test/EWS/Exchange.asmx"
credentials = "profile"
username = "svc-crm@contoso.test"
password = "env:CRM_EWS_PASSWORD"
"""

MAILBOX = """
[[mailbox]]
address = "sales@contoso.test"
profile = "corp"
incoming = "server-side"
outgoing = "server-side"
appointments = "server-side"
"""

ESTATE = DEPLOYMENT + PROFILE + MAILBOX


def profile(server_type: str, incoming: str, outgoing: str | None = None) -> str:
    """An estate whose profile has these endpoints."""
    sends = "" if outgoing is None else f'outgoing = "{outgoing}"\n'
    table = f'\n[[profile]]\nname = "corp"\nserver_type = "{server_type}"\nincoming = "{incoming}"\n{sends}credentials = "mailbox"\n'
    return DEPLOYMENT + table + MAILBOX
