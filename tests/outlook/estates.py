"""An estate whose verdicts change with the date: one profile on-premises, one in Exchange Online."""

from __future__ import annotations

from probe.config import read_estate
from probe.model.estate import Estate
from tests.config.estates import DEPLOYMENT

HEAD = (
    DEPLOYMENT
    + """
[[profile]]
name = "corp"
server_type = "exchange-server"
incoming = "https://mail.contoso.test/EWS/Exchange.asmx"
authentication = "ntlm"
credentials = "profile"
username = "svc@contoso.test"
password = "env:SECRET"
impersonation = true

[[profile]]
name = "online"
server_type = "exchange-online"
incoming = "https://outlook.office365.com/EWS/Exchange.asmx"
authentication = "oauth"
credentials = "server-to-server"
"""
)
MAILBOX = """
[[mailbox]]
address = "sales@contoso.test"
profile = "corp"
incoming = "server-side"
outgoing = "server-side"
appointments = "none"
"""
"""A mailbox of the profile, both of whose directions are server-side."""


def an_estate(*mailboxes: tuple[str, str]) -> Estate:
    tables = "".join(
        f'\n[[mailbox]]\naddress = "{address}"\nprofile = "{profile}"\nincoming = "server-side"\noutgoing = "server-side"\nappointments = "none"\n'
        for address, profile in mailboxes
    )
    return read_estate(HEAD + tables, "estate.toml")
