"""An estate whose verdicts change with the date: one profile on-premises, one in Exchange Online."""

from __future__ import annotations

from probe.config import read_estate
from probe.model.estate import Estate

HEAD = """
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


def an_estate(*mailboxes: tuple[str, str]) -> Estate:
    tables = "".join(
        f'\n[[mailbox]]\naddress = "{address}"\nprofile = "{profile}"\nincoming = "server-side"\noutgoing = "server-side"\nappointments = "none"\n'
        for address, profile in mailboxes
    )
    return read_estate(HEAD + tables, "estate.toml")
