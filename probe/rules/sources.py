"""Where the statements of rules stand."""

from __future__ import annotations

from probe.model.rules import Reference

_ADMIN = "https://learn.microsoft.com/en-us/dynamics365/customerengagement/on-premises/admin/"
_ARTICLES = (
    "https://github.com/MicrosoftDocs/SupportArticles-docs/blob/main/support/power-platform/dataverse/email-exchange-synchronization/"
)
READ_ON = "2026-11-23"  # the day on which pages without a date of their own were read

TABLE = "table of supported systems"
NOTES = "notes above the table"
UNSUPPORTED = "Unsupported email service configurations"


def page(heading: str) -> Reference:
    """Microsoft's page on what server-side synchronization supports, on-premises edition, at a heading."""
    title = f"Supported email service configurations for server-side synchronization: {heading}"
    return Reference(title, f"{_ADMIN}supported-email-service-configurations-server-side-synchronization?view=op-9-1", "2020-05-19")


def admin_page(title: str, name: str, dated: str = READ_ON) -> Reference:
    """Another page of the on-premises administration guide."""
    return Reference(title, f"{_ADMIN}{name}?view=op-9-1", dated)


def article(title: str, name: str) -> Reference:
    """A troubleshooting article of Microsoft's support."""
    return Reference(title, f"{_ARTICLES}{name}.md", READ_ON)


def rfc(number: int, about: str, dated: str) -> Reference:
    """An RFC, with the section or subject that is meant."""
    return Reference(f"RFC {number}: {about}", f"https://www.rfc-editor.org/rfc/rfc{number}", dated)


EMAIL_ROUTER_END = Reference(
    "Migrate settings from the Email Router to server-side synchronization",
    "https://learn.microsoft.com/en-us/previous-versions/dynamicscrm-2016/administering-dynamics-365/dn832114(v=crm.8)",
    READ_ON,
)
EWS_END = Reference(
    "Deprecation of Exchange Web Services in Exchange Online",
    "https://learn.microsoft.com/en-us/exchange/clients-and-mobile-in-exchange-online/deprecation-of-ews-exchange-online",
    READ_ON,
)
RESPONSE_CODES = Reference(
    "EWS: ResponseCode", "https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/responsecode", READ_ON
)
PASSWORD_AGE = Reference(
    "[MS-ADA2]: Attribute msDS-MaximumPasswordAge",
    "https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-ada2/9274ad18-f388-4449-87fd-b9a153c726d6",
    READ_ON,
)
