"""Reads pages as a browser without a script does: follows links, keeps cookies, fills in forms, and objects to what a page of ours never has."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

from tests.web.client import Answer, Asker

_EMPTY = {"meta", "link", "input", "br", "line", "circle", "rect", "path"}
_INLINE = {"a", "bdi", "time", "span", "code", "strong", "del", "ins", "q"}
_CLOSED_BY_THEMSELVES = {"line", "circle", "rect"}


class HtmlPage(HTMLParser):
    """What a browser finds in a page. Objects to inline scripts and styles, to event handlers, and to what is loaded from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.headings: list[str] = []
        self.fields: dict[str, str] = {}
        self.actions: list[str] = []
        self.ids: list[str] = []
        self.times: list[str] = []
        self._words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], self._open
        assert len(self.ids) == len(set(self.ids))

    @property
    def words(self) -> str:
        """All that it says, in one line."""
        return " ".join("".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._words.append("" if tag in _INLINE else " ")
        assert not any(name.startswith("on") or name in ("style", "hx-on", "hx-vals", "hx-vars", "srcdoc") for name in given), (tag, given)
        assert tag not in ("style", "iframe", "object", "embed", "base", "img"), tag
        for name in ("src", "action", "formaction"):
            assert given.get(name, "/").startswith("/"), (tag, given)
        if tag == "script":
            assert "src" in given
        if tag == "link":
            assert given["href"].startswith("/static/")
        if tag == "a":
            self.links.append(given["href"])
        if tag == "form":
            self.actions.append(given["action"])
        if tag == "input" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")
        if tag == "time":
            self.times.append(given["datetime"])
        if "id" in given:
            self.ids.append(given["id"])
        if tag in ("h1", "h2", "h3"):
            self.headings.append("")
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._words.append("" if tag in _INLINE else " ")
        if tag not in _CLOSED_BY_THEMSELVES:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "script" in self._open:
            assert not data.strip()
        self._words.append(data)
        if self._open and any(tag in ("h1", "h2", "h3") for tag in self._open):
            self.headings[-1] += data


@dataclass
class PageReader:
    """A person with a browser without a script."""

    asker: Asker
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, status: int = 200, **headers: str) -> HtmlPage:
        """A page, which has that status."""
        answer = await self.ask(path, headers=headers)
        assert answer.status == status, (answer.status, answer.body[-400:])
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return HtmlPage(answer.body.decode())

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        """The answer to a form."""
        given = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return await self.ask(path, "POST", given, urlencode(fields).encode())

    async def ask(self, path: str, method: str = "GET", headers: dict[str, str] | None = None, body: bytes | None = None) -> Answer:
        """An answer, whose cookie is kept."""
        sent = {"Accept": "text/html,*/*;q=0.8", **({} if headers is None else headers)}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await self.asker.ask(path, method, sent, body)
        if (given := answer.headers.get("set-cookie")) is not None:
            pair, *_ = given.split(";")
            name, _, value = pair.partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in given:
                del self.cookies[name]
        return answer

    async def sign_in(self, token: str) -> None:
        """Sign in with a token."""
        answer = await self.post("/login", {"token": token, "next": "/"})
        assert (answer.status, answer.headers["location"]) == (303, "/")

    @property
    def origin(self) -> str:
        parts = urlsplit(self.asker.url)
        return f"{parts.scheme}://{parts.netloc}"
