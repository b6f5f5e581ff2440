"""HTTP and Exchange."""

from __future__ import annotations

from probe.model.keys import FactKey, in_any_order, longer_build, nothing, schemes_alone, together, without_query
from probe.model.kinds import BUILD, CHALLENGES, COUNT, FLAG, TEXT, TEXTS, Build, Challenge, choice, choices

HTTP_STATUS: FactKey[int] = FactKey("http.status", COUNT, "Status of the answer to an anonymous EWS request.", (401, 403, 200))
HTTP_SERVER: FactKey[str] = FactKey("http.server", TEXT, "Server header of that answer.", ("Microsoft-IIS/10.0",))
HTTP_REDIRECT: FactKey[str] = FactKey(
    "http.redirect",
    TEXT,
    "The target of the redirect in that answer; not followed.",
    ("https://other.example/EWS/Exchange.asmx",),
    kept=without_query,
)
EWS_LOGON_PAGE: FactKey[str] = FactKey(
    "ews.logon_page",
    TEXT,
    "The log-on page that the anonymous EWS request leads to: the target of its redirect, or the endpoint itself where it shows the page; empty for none.",
    ("", "https://mail.contoso.test/owa/auth/logon.aspx", "https://sts.contoso.test/adfs/ls/?wa=wsignin1.0"),
    kept=without_query,
)
EWS_CHALLENGES: FactKey[tuple[Challenge, ...]] = FactKey(
    "ews.challenges",
    CHALLENGES,
    "All challenges of that answer, with their parameters.",
    ((Challenge("Basic", None, (("realm", "mail.contoso.test"),)),), ()),
    kept=schemes_alone,
)
EWS_HEADERS: FactKey[tuple[str, ...]] = FactKey(
    "ews.headers",
    TEXTS,
    "The headers of that answer that may identify Exchange, as `Name: value`.",
    (("X-FEServer: MAIL01",), ()),
    kept=nothing,
)
EWS_POLICY_BLOCK: FactKey[str] = FactKey(
    "ews.policy_block",
    choice("disabled", "blocked-by-policy"),
    "The reason that Exchange Online gives for closing EWS (X-EWS-Policy-Reason).",
    ("disabled", "blocked-by-policy"),
)
EWS_MARKS: FactKey[tuple[str, ...]] = FactKey(
    "ews.exchange_marks",
    choices("header", "owa-page", "export-tool", "mapi-page", "soap"),
    "The places that identified Exchange: a header, a page, SOAP; empty where none did.",
    (("header", "owa-page"), ()),
    together,
)
EWS_BEARER_CHALLENGES: FactKey[tuple[Challenge, ...]] = FactKey(
    "ews.bearer_challenges",
    CHALLENGES,
    "The Bearer challenges of EWS or ActiveSync to a request with an empty token; empty where both refused it without one.",
    ((Challenge("Bearer", None, (("authorization_uri", "https://login.microsoftonline.com/common/oauth2/authorize"),)),), ()),
    kept=schemes_alone,
)
EWS_BEARER_DIAGNOSTICS: FactKey[tuple[str, ...]] = FactKey(
    "ews.bearer_diagnostics",
    TEXTS,
    "The server's `X-MS-Diagnostics` in the answer to such a request.",
    (('4000000;reason="Flighting is not enabled for domain \'mail.contoso.test\'.";error_category="oauth_not_available"',),),
    kept=nothing,
)
EWS_ASKED_FOR: FactKey[str] = FactKey(
    "ews.asked_for",
    TEXT,
    "The mailbox that such a request named (X-User-Identity); the answer counts for its whole domain.",
    ("sales@contoso.test",),
    kept=nothing,
)
ACTIVESYNC_VERSION: FactKey[str] = FactKey(
    "activesync.version",
    TEXT,
    "The version that ActiveSync reports (MS-Server-ActiveSync); other products than Exchange report the same numbers.",
    ("15.2", "14.3"),
)
SERVER_BUILD: FactKey[Build] = FactKey(
    "server.build",
    BUILD,
    "The build of Exchange; three numbers where only three were shown.",
    (Build((15, 1, 2507, 57)), Build((15, 2, 2562))),
    longer_build,
    is_drift=True,
)
AUTODISCOVER_URL: FactKey[str] = FactKey(
    "autodiscover.url",
    TEXT,
    "The URL that Autodiscover (version 2) gives for opening the mailbox by EWS, or that of a server to ask instead; not followed.",
    ("https://outlook.office365.com/EWS/Exchange.asmx", "https://mail.contoso.test/autodiscover/autodiscover.json?Email=a&RedirectCount=1"),
    kept=without_query,
)
AUTODISCOVER_REDIRECTS: FactKey[bool] = FactKey(
    "autodiscover.redirects", FLAG, "Whether that URL is one of a server to ask instead, rather than of EWS itself.", (True, False)
)
AUTODISCOVER_ALIASES: FactKey[tuple[str, ...]] = FactKey(
    "autodiscover.aliases",
    TEXTS,
    "The name that `autodiscover.DOMAIN` is an alias of (CNAME); empty where it is no alias.",
    (("autodiscover.outlook.com",), ()),
)
AUTODISCOVER_SERVICES: FactKey[tuple[str, ...]] = FactKey(
    "autodiscover.services",
    TEXTS,
    "The servers that the domain's SRV records name for Autodiscover, as `host:port`, the preferred first.",
    (("mail.contoso.test:443",), ()),
    kept=in_any_order,
)
AUTODISCOVER_ACTION: FactKey[str] = FactKey(
    "autodiscover.action",
    TEXT,
    "The answer of Autodiscover, after a sign-in, for a mailbox that EWS there does not know: `settings`, `redirect-address`, `redirect-url`, or its error.",
    ("redirect-address", "settings", "InvalidUser"),
)
AUTODISCOVER_TARGET: FactKey[str] = FactKey(
    "autodiscover.target",
    TEXT,
    "The target in that answer: the URL of EWS, or the address or URL to ask for instead; not followed.",
    ("sales@contoso.mail.onmicrosoft.com", "https://outlook.office365.com/EWS/Exchange.asmx"),
    kept=without_query,
)
NTLM_WINDOWS_BUILD: FactKey[str] = FactKey(
    "ntlm.windows_build", TEXT, "The version of Windows in the NTLM challenge; never that of Exchange.", ("10.0.20348",)
)
NTLM_COMPUTER: FactKey[str] = FactKey(
    "ntlm.computer",
    TEXT,
    "DNS name of the computer in the NTLM challenge, else its NetBIOS name.",
    ("mail01.contoso.test",),
    kept=nothing,
)
NTLM_DOMAIN: FactKey[str] = FactKey(
    "ntlm.domain", TEXT, "DNS name of the domain in the NTLM challenge, else its NetBIOS name.", ("contoso.test",)
)
