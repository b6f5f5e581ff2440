"""An answer of the Web API read: its JSON where it is one, else what it means, in words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

from probe.dynamics.failures import MissingPrivilege, NotWhole, NoWebApi, RequestFailed, SignInFailed, SignInPage
from probe.net.http_exchange import HttpResponse

Shown = Callable[[str], str]
"""Makes what a server said fit to be shown: without secrets, printable, bounded."""

_PRIVILEGE = re.compile(r"\bprv([A-Z][A-Za-z0-9_]{2,80})\b")
_RIGHT = re.compile(r"(AppendTo|Append|Assign|Create|Delete|Read|Share|Write)([A-Z].*)")
_ASK_ADFS = 'an internet-facing deployment accepts only authentication = "oauth"'


def read_answer(answer: HttpResponse, shown: Shown) -> dict[str, Any]:
    """The JSON object that an answer holds; empty for one without content. Raises what fits where it is none."""
    refuse_page(answer, shown)
    if not 200 <= answer.status < 300:
        _refuse(answer, shown)
    if answer.status == 204:
        return {}
    if answer.truncated:
        raise NotWhole(f"an answer of Dynamics is longer than {len(answer.body) // 1024 // 1024} MiB or incomplete, and was not read")
    document = _json(answer.body)
    if document is None:
        raise NotWhole("an answer of Dynamics is not a complete JSON object")
    return document


def refuse_page(answer: HttpResponse, shown: Shown) -> None:
    """Raises SignInPage for an answer that leads people to where they sign in, or is that page."""
    if 300 <= answer.status < 400:
        where = host_of(answer.header("Location") or "")
        place = f" at {shown(where)}" if where else ""
        raise SignInPage(f"the server redirects to a page{place}, which was not followed (HTTP {answer.status}): {_ASK_ADFS}")
    if answer.status == 200 and is_page(answer):
        raise SignInPage(f"the server answers with a web page in place of data, like a sign-in page: {_ASK_ADFS}")


def host_of(url: str) -> str | None:
    """The host that an address of a server's names, in small letters; None where it names none that can be read."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def is_page(answer: HttpResponse) -> bool:
    """Whether it is HTML, by what it says or by how it begins."""
    kind = (answer.header("Content-Type") or "").partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml") or answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(
        (b"<!doctype", b"<html")
    )


def missing_privilege(answer: HttpResponse) -> str | None:
    """The privilege that an error names, as in `prvReadMailbox`; None where it names none."""
    code, message, inner = _error(answer)
    found = _PRIVILEGE.search(f"{message} {inner} {code}")
    return found[0] if found else None


def _refuse(answer: HttpResponse, shown: Shown) -> NoReturn:
    code, message, inner = _error(answer)
    status = answer.status
    words = f"HTTP {status}" + "".join(f", {shown(part)}" for part in (code, message, inner) if part)
    if status in (401, 403):
        privilege = missing_privilege(answer)
        if privilege is not None:
            raise MissingPrivilege(f"the account lacks the privilege {_told(privilege)}: {words}", privilege)
        if status == 401:
            raise SignInFailed(f"Dynamics no longer accepts this sign-in: {words}")
        raise MissingPrivilege(f"Dynamics denies it to this account: {words}", None)
    if status in (404, 501):
        raise NoWebApi(f"Dynamics does not have it: {words}", status, code)
    raise RequestFailed(f"Dynamics answers with an error: {words}", status, code)


def _told(privilege: str) -> str:
    right = _RIGHT.fullmatch(privilege.removeprefix("prv"))
    return f"{privilege} ({right[1]} on {right[2]})" if right else privilege


def _error(answer: HttpResponse) -> tuple[str, str, str]:
    """Code, message, and what lies inside of an error (OData JSON Format 4.0 section 19); empty where they are not there."""
    document = {} if answer.truncated else _json(answer.body) or {}
    error = document.get("error")
    if not isinstance(error, Mapping):
        return "", _text(document, "Message"), ""
    inner = error.get("innererror")
    kind = _text(inner, "type") if isinstance(inner, Mapping) else ""
    said = _text(inner, "message") if isinstance(inner, Mapping) else ""
    message = _text(error, "message")
    return _text(error, "code"), message, ": ".join(filter(None, (kind, said if said != message else "")))


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
