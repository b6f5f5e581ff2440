"""Faults of a server, or of a proxy or attacker in front of it: switches for tests, each for some requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from probe.simulation.dynamics.errors import Refused, throttled, unavailable
from probe.simulation.web import Request, Response

Document = dict[str, Any]

_HTML = ("Content-Type", "text/html; charset=utf-8")
_SIGN_IN_PAGE = (
    b'<!DOCTYPE html><html lang="en-US"><head><title>Sign In</title></head><body><form method="post" id="loginForm" '
    b'action="/adfs/ls/?wa=wsignin1.0"><input id="userNameInput" name="UserName" type="email"/>'
    b'<input id="passwordInput" name="Password" type="password"/></form></body></html>'
)
_RUNTIME_ERROR = (
    b"<!DOCTYPE html><html><head><title>Runtime Error</title></head><body><h1>Server Error in '/' Application.</h1></body></html>"
)


@dataclass
class Fault:
    """Something that goes wrong with requests whose path holds `on`, after the first `after` of them, `times` times (None: always)."""

    on: str = ""
    method: str = ""
    after: int = 0
    times: int | None = 1
    before_sign_in: bool = False
    instead: Callable[[Request], Response | Refused] | None = None
    """The answer that is sent, without executing the request."""
    alter: Callable[[Document], None] | None = None
    """A change of the answer's document."""
    send: Callable[[Response], Response] | None = None
    """A change of the answer in transit."""

    def strikes(self, request: Request, *, signed_in: bool) -> bool:
        """Whether the fault applies to this request; each request that is asked about counts."""
        if signed_in is self.before_sign_in or self.on.lower() not in request.target.lower() or self.method not in ("", request.method):
            return False
        if self.after:
            self.after -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


def is_throttled(on: str = "", *, retry_after: str | None = "1", times: int | None = 1, after: int = 0) -> Fault:
    """429, with Retry-After if given."""
    return Fault(on, times=times, after=after, instead=lambda _: _asking_to_wait(throttled(), retry_after))


def is_unavailable(on: str = "", *, retry_after: str | None = None, times: int | None = 1, after: int = 0) -> Fault:
    """503, with Retry-After if given."""
    return Fault(on, times=times, after=after, instead=lambda _: _asking_to_wait(unavailable(), retry_after))


def fails(on: str = "", *, times: int | None = 1, after: int = 0) -> Fault:
    """500 with an error page of ASP.NET."""
    return Fault(on, times=times, after=after, instead=lambda _: Response(500, (_HTML,), _RUNTIME_ERROR))


def redirects(location: str, on: str = "", *, times: int | None = 1, after: int = 0, before_sign_in: bool = False) -> Fault:
    """302 to a sign-in page, or to another address."""
    headers = (("Location", location), _HTML)
    return Fault(on, times=times, after=after, before_sign_in=before_sign_in, instead=lambda _: Response(302, headers, b""))


def shows_sign_in_page(on: str = "", *, times: int | None = 1, after: int = 0, before_sign_in: bool = False) -> Fault:
    """200 with a form, as proxies answer in place of a server."""
    return Fault(on, times=times, after=after, before_sign_in=before_sign_in, instead=lambda _: Response(200, (_HTML,), _SIGN_IN_PAGE))


def forgets_sign_in(on: str = "", *, after: int = 0) -> Fault:
    """401 after a successful sign-in: that of the connection, or the token, is no longer valid."""

    def refuse(request: Request) -> Response:
        request.connection.clear()
        return Response(401, (("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "NTLM"), _HTML), b"")

    return Fault(on, after=after, instead=refuse)


def cuts_short(on: str = "", *, by: int = 20, times: int | None = 1, after: int = 0) -> Fault:
    """The connection ends before the last bytes."""
    return Fault(on, times=times, after=after, send=lambda response: replace(response, withheld=by))


def ends_early_in_json(on: str = "", *, by: int = 20, times: int | None = 1, after: int = 0) -> Fault:
    """The last bytes are missing, and the declared length agrees with that."""
    return Fault(on, times=times, after=after, send=lambda response: replace(response, body=response.body[:-by]))


def loses_answer(on: str = "", *, method: str = "", times: int | None = 1, after: int = 0) -> Fault:
    """The request is executed, and the connection ends without an answer."""
    return Fault(on, method, times=times, after=after, send=lambda response: replace(response, withheld=1 << 30))


def loses_request(on: str = "", *, method: str = "", times: int | None = 1, after: int = 0) -> Fault:
    """The request is not executed, and the connection ends without an answer."""
    return Fault(on, method, times=times, after=after, instead=lambda _: Response(503, withheld=1 << 30))


def is_slow(on: str = "", *, pause: float = 0.05, times: int | None = 1, after: int = 0) -> Fault:
    """The body comes byte by byte."""
    return Fault(on, times=times, after=after, send=lambda response: replace(response, pause=pause))


def links_to(link: str | None, on: str = "", *, times: int | None = 1, after: int = 0) -> Fault:
    """A wrong address of the next page; None for none, although there is one."""

    def alter(document: Document) -> None:
        if document.pop("@odata.nextLink", None) is not None and link is not None:
            document["@odata.nextLink"] = link

    return Fault(on, times=times, after=after, alter=alter)


def repeats_first_row(on: str = "", *, times: int = 1) -> Fault:
    """A row of the first page repeats in place of one of a later page."""
    seen: list[Document] = []

    def alter(document: Document) -> None:
        rows = document.get("value", [])
        if not seen and rows:
            seen.append(rows[0])
        elif rows:
            rows[0] = seen[0]

    return Fault(on, times=1 + times, alter=alter)


def counts(number: int, on: str = "", *, times: int | None = 1) -> Fault:
    """A count that differs from the number of rows."""

    def alter(document: Document) -> None:
        if "@odata.count" in document:
            document["@odata.count"] = number

    return Fault(on, times=times, alter=alter)


def says(attribute: str, value: Any, on: str = "", *, times: int | None = 1, after: int = 0) -> Fault:
    """Every row, or the document itself where it has no rows, gets this value, such as an option that is not in the metadata, or another organization."""

    def alter(document: Document) -> None:
        for row in document.get("value", [document]):
            row[attribute] = value

    return Fault(on, times=times, after=after, alter=alter)


def is_huge(on: str = "", *, size: int = 10 << 20, times: int | None = 1, after: int = 0) -> Fault:
    """A page of more than ten megabytes, because of one long name."""

    def alter(document: Document) -> None:
        (document.get("value") or [document])[0]["name"] = "x" * size

    return Fault(on, times=times, after=after, alter=alter)


def _asking_to_wait(refused: Refused, retry_after: str | None) -> Response:
    headers = (("Retry-After", retry_after),) if retry_after is not None else ()
    return refused.response(inner=False, headers=headers)
