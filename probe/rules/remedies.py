"""What the remedies of several rules say in the same words."""

from __future__ import annotations

EMAIL_ROUTER = (
    "Do not plan on the Email Router, which Microsoft's page still names as a way out: "
    "it was deprecated on 2018-07-17 and stopped working on 2021-04-12."
)
EMAIL_CONFIGURATION = "gear > Advanced Settings > Email Configuration"
"""The way to the mail settings in version 9.1 with Unified Interface; without it, Settings > Email Configuration."""
MAILBOXES = f"{EMAIL_CONFIGURATION} > Mailboxes"
PROFILES = f"{EMAIL_CONFIGURATION} > Email Server Profiles"
SERVER_TO_SERVER = (
    "Give the mailbox an Exchange Online profile with Server to Server Authentication, which signs in without a user and a password: "
    f"{PROFILES} > New > Exchange Online (Hybrid). There is no other sign-in to the EWS of Exchange Online for Dynamics on-premises."
)
OUTLOOK_COM_ENDED = "Move the mailbox to another provider: this one accepts neither a password nor an app password, and no profile on-premises can use its OAuth sign-in."
EXCHANGE_CERTIFICATE = (
    "At Exchange Server: import the new certificate, take its thumbprint from the list, and enable it for the service: "
    "`Get-ExchangeCertificate | Format-List Subject,NotAfter,Thumbprint,Services` "
    "`Enable-ExchangeCertificate -Thumbprint THUMBPRINT -Services SERVICES`"
)
