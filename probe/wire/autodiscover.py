"""Autodiscover for accounts that are signed in: by SOAP ([MS-OXWSADISC]) and, for older servers, by plain XML ([MS-OXDSCLI]).

Writes requests and reads responses. Elements are found by bounded patterns, so that broken or hostile XML does no harm, and no entity of it
is expanded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urljoin

from probe.model.values import dataclass
from probe.wire.soap import autodiscover_envelope, escaped

MAX_TEXT = 300
"""Characters of an address or URL that is kept."""

SOAP_PATH = "/autodiscover/autodiscover.svc"
POX_PATH = "/autodiscover/autodiscover.xml"

_NAME = r"(?:[\w.-]{1,40}:)?"


@dataclass(frozen=True, slots=True)
class Directions:
    """Where a response says that a mailbox is to be opened."""

    action: str
    """`settings`, `redirect-address`, `redirect-url`, or the server's own error code."""
    target: str
    """URL of EWS under `settings`, an address or a URL under the redirects; empty with an error, or where none is said."""


def soap_request(url: str, mailbox: str) -> bytes:
    """GetUserSettings for where EWS of one mailbox is."""
    return autodiscover_envelope(
        "GetUserSettings",
        url,
        f"<d:Users><d:User><d:Mailbox>{escaped(mailbox)}</d:Mailbox></d:User></d:Users>"
        "<d:RequestedSettings><d:Setting>ExternalEwsUrl</d:Setting><d:Setting>InternalEwsUrl</d:Setting></d:RequestedSettings>",
    )


def federation_request(url: str, domain: str) -> bytes:
    """GetFederationInformation for a domain, which federation partners ask before there is any trust between them."""
    return autodiscover_envelope("GetFederationInformation", url, f"<d:Domain>{escaped(domain)}</d:Domain>")


def pox_request(mailbox: str) -> bytes:
    """The plain request for one mailbox's settings."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>'
        f"<EMailAddress>{escaped(mailbox)}</EMailAddress>"
        "<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>"
        "</Request></Autodiscover>"
    ).encode()


def autodiscover_requests(
    url: str, mailbox: str, *, is_exchange_2007: bool
) -> Iterator[tuple[str, bytes, Callable[[bytes], Directions | None]]]:
    """The forms of the question at the host of a URL, as path, body and reader: SOAP, and where that is not spoken the plain one, all that 2007 knows."""
    if not is_exchange_2007:
        yield SOAP_PATH, soap_request(urljoin(url, SOAP_PATH), mailbox), read_soap
    yield POX_PATH, pox_request(mailbox), read_pox


def read_soap(answer: bytes) -> Directions | None:
    """The directions in a GetUserSettings response for its one user; None where there are none."""
    user = _element(_decoded(answer), "UserResponse")
    if user is None:
        return None
    code = _text(user, "ErrorCode")
    if code in ("RedirectAddress", "RedirectUrl"):
        target = _text(user, "RedirectTarget")
        return Directions("redirect-address" if code == "RedirectAddress" else "redirect-url", target) if target else None
    if code not in ("", "NoError"):
        return Directions(code, "")
    named = {_text(setting, "Name"): _text(setting, "Value") for setting in _elements(user, "UserSetting")}
    return Directions("settings", named.get("ExternalEwsUrl") or named.get("InternalEwsUrl") or "")


def read_pox(answer: bytes) -> Directions | None:
    """The directions in the response to the plain request; None where there are none."""
    text = _decoded(answer)
    account = _element(text, "Account")
    if account is None:
        error = _element(text, "Error")
        code = "" if error is None else _text(error, "ErrorCode")
        return Directions(code, "") if code else None
    match _text(account, "Action").lower():
        case "redirectaddr":
            target = _text(account, "RedirectAddr")
            return Directions("redirect-address", target) if target else None
        case "redirecturl":
            target = _text(account, "RedirectUrl")
            return Directions("redirect-url", target) if target else None
        case "settings":
            return Directions("settings", _text(account, "EwsUrl"))
    return None


def _decoded(answer: bytes) -> str:
    return answer.decode("utf-8", "replace")


def _elements(text: str, name: str) -> list[str]:
    """Contents of every element of a name; none of ours holds another of its own name."""
    opened = re.split(rf"<{_NAME}{name}(?:\s[^<>]{{0,1000}})?>", text)[1:65]
    return [re.split(rf"</{_NAME}{name}\s{{0,9}}>", part, maxsplit=1)[0] for part in opened]


def _element(text: str, name: str) -> str | None:
    return next(iter(_elements(text, name)), None)


def _text(text: str, name: str) -> str:
    """The text of the first element of a name, of which no other is within; empty where there is none."""
    found = re.search(rf"<{_NAME}{name}(?:\s[^<>]{{0,1000}})?>([^<>]{{0,{MAX_TEXT}}})</{_NAME}{name}\s{{0,9}}>", text)
    shown = "" if found is None else found[1].strip()
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        shown = shown.replace(entity, character)
    return shown if shown.isprintable() else ""
