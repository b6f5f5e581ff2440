"""A listener over an organization of Dynamics, with pages on which somebody asks the gate and has Test & Enable run; all on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from probe import app
from probe.config import load_estate
from probe.web.tokens import TokenScope
from tests.enabling.world import PASSWORD, address, organized
from tests.enabling.world import World as Organized
from tests.web.pages.reading import HtmlPage, PageReader
from tests.web.world import World, world

BOX = f"/m/{address(0)}"
_EACH, _TRIES = 0.05, 1000
"""Seconds between two looks at what a test waits for, and how many there are."""


async def once(is_so: Callable[[], bool]) -> None:
    """Return once something is so."""
    for _ in range(_TRIES):
        if is_so():
            return
        await asyncio.sleep(_EACH)
    raise AssertionError("it did not come about")


@dataclass
class EnablingPages:
    """The listener, what stands behind it, and people."""

    made: World
    dynamics: Organized
    people: dict[str, PageReader] = field(default_factory=dict)

    async def person(self, name: str = "anna", scope: TokenScope = TokenScope.ADMIN) -> PageReader:
        """Somebody who is signed in, each once."""
        if name not in self.people:
            reader = PageReader(self.made.asker)
            await reader.sign_in(self.made.tokens.create(name, scope, self.made.time.now))
            self.people[name] = reader
        return self.people[name]

    @property
    def audit(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.dynamics.audit.splitlines()]

    async def asked(self, reader: PageReader, box: str = BOX) -> str:
        """Have the gate asked; the place of its answer, once it is there."""
        mark = (await reader.get(box)).fields["csrf"]
        answer = await reader.post(f"{box}/gate", {"csrf": mark})
        assert answer.status == 303, answer.body
        place = answer.headers["location"]
        await self.over(reader, place)
        return place

    async def over(self, reader: PageReader, place: str) -> HtmlPage:
        """A page, once what it tells of goes on no more."""
        for _ in range(_TRIES):
            answer = await reader.ask(place)
            assert answer.status == 200, answer.body
            if b'hx-trigger="every 2s"' not in answer.body:
                return HtmlPage(answer.body.decode())
            await asyncio.sleep(_EACH)
        raise AssertionError(HtmlPage(answer.body.decode()).words)


@asynccontextmanager
async def organization(folder: Path, monkeypatch: pytest.MonkeyPatch, mailboxes: int = 2, **how: Any) -> AsyncIterator[Organized]:
    """An organization whose page may enable, and the secrets of its estate."""
    monkeypatch.setenv("CRM_PASSWORD", PASSWORD)
    monkeypatch.setenv("EWS_PASSWORD", "Correct-Horse-7")
    async with organized(folder, mailboxes, **{"signs_in": True, "from_page": True, **how}) as dynamics:
        yield dynamics


@asynccontextmanager
async def listening_to(dynamics: Organized) -> AsyncIterator[EnablingPages]:
    """A listener whose state folder is that of the organization's command line."""
    estate = load_estate(dynamics.folder / "estate.toml")
    options = app.Options(timeout=10.0, ca_file=dynamics.folder / "ca.pem", tls="none")
    run = await app.check(estate, estate.mailboxes, options)
    async with world(dynamics.folder, run, options=options) as made:
        made.time.now = app.now()
        yield EnablingPages(made, dynamics)


@asynccontextmanager
async def enabling_pages(folder: Path, monkeypatch: pytest.MonkeyPatch, mailboxes: int = 2, **how: Any) -> AsyncIterator[EnablingPages]:
    """Both together."""
    async with organization(folder, monkeypatch, mailboxes, **how) as dynamics, listening_to(dynamics) as pages:
        yield pages
