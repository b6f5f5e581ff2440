"""Conclusions from what was seen."""

from __future__ import annotations

from datetime import date

from probe.model.keys import FactKey, in_any_order
from probe.model.kinds import DAY, FLAG, TEXT, TEXTS, UPDATE, UpdateRange


def more_specific_product(one: str, other: str) -> str | None:
    """`Exchange` (of which the version is not known) gives way to one of the Exchange products, and so does `Exchange Server`, of which the year does not show.

    Any other two must be the same.
    """
    for front, behind in ((one, other), (other, one)):
        if one == other or (front in ("Exchange", "Exchange Server") and behind.startswith(f"{front} ")):
            return behind
    return None


SERVER_VENDOR: FactKey[str] = FactKey("server.vendor", TEXT, "The maker or operator of the product.", ("Microsoft", "Google"))
SERVER_PRODUCT: FactKey[str] = FactKey(
    "server.product",
    TEXT,
    "The product that answers, as far as its answers show it.",
    (
        "Exchange Server 2016",
        "Exchange Server 2007",
        "Exchange Server SE",
        "Exchange Online",
        "Exchange",
        "Exchange Server",
        "Gmail",
        "Dovecot",
    ),
    more_specific_product,
    is_drift=True,
)
SERVER_PRODUCTS: FactKey[tuple[str, ...]] = FactKey(
    "server.products",
    TEXTS,
    "Every product whose build an EWS endpoint shows: one, or several where servers of different products share a name.",
    (("Exchange Server 2016",), ("Exchange Server 2016", "Exchange Server 2019"), ("Exchange Server 2007", "Exchange Server 2010")),
)
SERVER_BY_WORD: FactKey[str] = FactKey(
    "server.by_word",
    TEXT,
    "The product that the operator declares, where the server hides its name.",
    ("Dovecot 2.4", "Exchange Server 2019"),
)
PRODUCT_BY_WORD = "product-by-word"
"""The inference that concludes the product from that declaration."""
SERVER_MARKS: FactKey[tuple[str, ...]] = FactKey(
    "server.marks",
    TEXTS,
    "The marks of products that were found, each with its place: those that agree, those that contradict each other, and those of a proxy.",
    (
        ("greeting: Exim 4.96", "ehlo: Exim"),
        ("greeting: Exchange", "certificate: Exchange Online"),
        ("greeting: stunnel (proxy)", "greeting: Dovecot"),
    ),
    kept=in_any_order,
)
SERVER_VERSION: FactKey[str] = FactKey(
    "server.version", TEXT, "The version of the product, as far as its answers show it.", ("4.96", "15.1.2507.57"), is_drift=True
)
SERVER_UPDATE: FactKey[UpdateRange] = FactKey(
    "server.update",
    UPDATE,
    "The installed cumulative and security update of Exchange, exactly or as a range.",
    (UpdateRange(exact="CU23 Oct25SU"), UpdateRange(at_least="CU23 May25HU", at_most="CU23 Aug25SU"), UpdateRange(at_least="RTM Aug26SU")),
)
SERVER_END_OF_SUPPORT: FactKey[date] = FactKey(
    "server.end_of_support", DAY, "The day on which support for the product ended or ends.", (date(2025, 10, 14), date(2035, 12, 31))
)
SERVER_EXTENDED_UPDATES_END: FactKey[date] = FactKey(
    "server.extended_updates_end",
    DAY,
    "The last day on which paid extended security updates (ESU) are released for the installed cumulative update.",
    (date(2026, 10, 31),),
)
PROVIDER: FactKey[str] = FactKey(
    "provider",
    TEXT,
    "The provider of the hosted service.",
    ("gmail", "yahoo", "aol", "outlook.com", "msn", "windows-live", "exchange-online", "icloud"),
)
MODERN_AUTH_OFFERED: FactKey[bool] = FactKey(
    "modern_auth.offered", FLAG, "Whether token sign-in (OAuth) is offered.", (True, False), is_drift=True
)
PASSWORD_LOGIN_POSSIBLE: FactKey[bool] = FactKey(
    "password_login.possible", FLAG, "Whether a sign-in by password can work at this endpoint on the date of judgement.", (True, False)
)
MFA_REQUIRED: FactKey[bool] = FactKey(
    "mfa.required", FLAG, "Whether the account that signs in needs multi-factor authentication.", (True, False)
)
