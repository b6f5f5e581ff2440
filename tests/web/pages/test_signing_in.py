"""Signing in on the page, and what a session may do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from probe.web.listener import ListenSettings
from probe.web.tokens import TokenScope
from tests.looking import authority
from tests.web.pages.reading import HtmlPage, PageReader
from tests.web.world import World, world

BOX = "/m/info@contoso.test"


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[World]:
    """A listener on which readers want a token too."""
    async with world(tmp_path, settings=ListenSettings(port=0, require_token=True)) as made:
        yield made


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[World]:
    """A listener on loopback."""
    async with world(tmp_path) as made:
        yield made


def _token(made: World, scope: TokenScope) -> str:
    return made.tokens.create(f"person-{scope}", scope, made.time.now)


async def test_a_person_is_led_to_the_form_and_back(strict: World) -> None:
    """Whoever has no session signs in first, and then sees what was asked for; a program is told as before."""
    reader = PageReader(strict.asker)
    answer = await reader.ask("/changes?after=0-3")
    assert (answer.status, answer.headers["location"]) == (303, "/login?next=/changes%3Fafter%3D0-3")
    form = await reader.get(answer.headers["location"])
    assert form.fields["next"] == "/changes?after=0-3"
    assert "contoso" not in form.words
    signed_in = await reader.post("/login", {**form.fields, "token": _token(strict, TokenScope.READ)})
    assert (signed_in.status, signed_in.headers["location"]) == (303, "/changes?after=0-3")
    page = await reader.get("/changes?after=0-3")
    assert "Signed in as person-read" in page.words
    assert (await strict.asker.ask("/changes")).problem == "a token is wanted: Authorization: Bearer TOKEN"


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "/a\nb", "/\t/evil"]
)
async def test_the_form_leads_nowhere_else(strict: World, place: str) -> None:
    """Where to go next is a path of the service, whatever a link says."""
    reader = PageReader(strict.asker)
    answer = await reader.post("/login", {"next": place, "token": _token(strict, TokenScope.READ)})
    assert (answer.status, answer.headers["location"]) == (303, "/")


async def test_nobody_is_led_in_circles(local: World) -> None:
    """Under a name that is not the service's there is no form; a page says why."""
    answer = await local.asker.ask("/login?next=/", headers={"Accept": "text/html"}, host="evil.example")
    assert answer.status == 401
    assert "a token is wanted" in HtmlPage(answer.body.decode()).words


async def test_a_wrong_token_gives_no_session(strict: World) -> None:
    """The form comes again, and repeats nothing of what was typed."""
    reader = PageReader(strict.asker)
    for token in ("probe_guessed", "", "x" * 5000):
        answer = await reader.post("/login", {"token": token})
        assert answer.status == 401
        assert "guessed" not in answer.body.decode()
        assert "This is no valid token." in HtmlPage(answer.body.decode()).words
    assert reader.cookies == {}


async def test_guessing_on_the_form_is_slowed_down(strict: World) -> None:
    """As it is everywhere else."""
    reader = PageReader(strict.asker)
    statuses = [(await reader.post("/login", {"token": f"probe_{n}"})).status for n in range(101)]
    assert statuses == [401] * 100 + [429]


async def test_no_page_of_another_site_signs_anybody_in(strict: World) -> None:
    """A browser says which site a form was on."""
    fields = {"token": _token(strict, TokenScope.READ)}
    reader = PageReader(strict.asker)
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert (await reader.post("/login", fields, **headers)).status == 403
    assert (await reader.post("/login", fields, Origin=reader.origin, **{"Sec-Fetch-Site": "same-origin"})).status == 303


async def test_a_link_from_elsewhere_leads_on_once(strict: World) -> None:
    """A browser sends the cookie along once a page of the service itself leads on; without a session the form stays."""
    reader = PageReader(strict.asker)
    answer = await reader.ask("/login?next=/e/1", headers={"Sec-Fetch-Site": "cross-site"})
    assert b'<meta http-equiv="refresh" content="0;url=/e/1">' in answer.body
    answer = await reader.ask("/login?next=/e/1", headers={"Sec-Fetch-Site": "same-origin"})
    assert b'http-equiv="refresh"' not in answer.body


async def test_a_revoked_token_ends_its_sessions(strict: World) -> None:
    """At once; nor does another token of the same name take them up."""
    reader = PageReader(strict.asker)
    await reader.sign_in(_token(strict, TokenScope.READ))
    await reader.get("/")
    strict.tokens.revoke("person-read")
    assert (await reader.ask("/")).status == 303
    strict.time.drive(60)
    _token(strict, TokenScope.READ)
    assert (await reader.ask("/")).status == 303


async def test_a_session_reads_the_api_and_has_nothing_done_there(strict: World) -> None:
    """What a browser sends by itself proves no intent."""
    reader = PageReader(strict.asker)
    await reader.sign_in(_token(strict, TokenScope.CHECK))
    assert (await reader.ask("/v1/summary")).status == 200
    body = b'{"mailbox": "info@contoso.test"}'
    assert (await reader.ask("/v1/checks", "POST", {"Content-Type": "application/json"}, body)).status == 401
    assert strict.watch.held == {}


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_session_does_not_count_for_scripts_of_another_site(strict: World, site: str) -> None:
    """Services on other ports of one machine are of the same site, and browsers send them cookies along."""
    reader = PageReader(strict.asker)
    await reader.sign_in(_token(strict, TokenScope.READ))
    assert (await reader.ask("/v1/summary", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"})).status == 401
    assert (await reader.ask("/v1/summary", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"})).status == 200


async def test_a_form_without_the_sessions_own_mark_does_nothing(local: World) -> None:
    """A page of another site can have a form sent, and cannot know the mark."""
    reader, other = PageReader(local.asker), PageReader(local.asker)
    await reader.sign_in(_token(local, TokenScope.CHECK))
    await other.sign_in(local.tokens.create("other", TokenScope.CHECK, local.time.now))
    foreign = (await other.get(BOX)).fields["csrf"]
    for fields in ({}, {"csrf": ""}, {"csrf": "guessed"}, {"csrf": foreign}):
        for path in (f"{BOX}/check", "/logout"):
            assert (await reader.post(path, fields)).status == 403
    answer = await reader.ask(f"{BOX}/check", "POST", {"Content-Type": "text/plain"}, b"csrf=x")
    assert answer.status == 415
    assert local.watch.held == {}
    await reader.get(BOX)


async def test_without_a_session_nothing_is_done(local: World) -> None:
    """On loopback too, where everybody reads."""
    reader = PageReader(local.asker)
    page = await reader.get(BOX)
    assert f"{BOX}/check" not in page.actions
    assert "Sign in to have it checked now" in page.words
    assert (await reader.post(f"{BOX}/check", {})).status == 401


async def test_a_token_that_only_reads_has_nothing_checked(local: World) -> None:
    """The page offers it no button, and a form of its own is refused."""
    reader = PageReader(local.asker)
    await reader.sign_in(_token(local, TokenScope.READ))
    page = await reader.get(BOX)
    assert f"{BOX}/check" not in page.actions
    answer = await reader.post(f"{BOX}/check", {"csrf": page.fields["csrf"]})
    assert answer.status == 403
    assert "a token of scope check is wanted" in answer.body.decode()


async def test_whoever_signs_out_is_out(local: World) -> None:
    """The cookie counts no more, where somebody kept it."""
    reader = PageReader(local.asker)
    await reader.sign_in(_token(local, TokenScope.CHECK))
    kept, mark = dict(reader.cookies), (await reader.get("/")).fields["csrf"]
    answer = await reader.post("/logout", {"csrf": mark})
    assert (answer.status, answer.headers["location"]) == (303, "/login")
    assert reader.cookies == {}
    reader.cookies = kept
    assert (await reader.post(f"{BOX}/check", {"csrf": mark})).status == 401


async def test_over_tls_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    """And is never sent in clear."""
    file = authority().issue("localhost", "127.0.0.1").file
    settings = ListenSettings(port=0, certificate=file, key=file, require_token=True)
    async with world(tmp_path, settings=settings) as made:
        reader = PageReader(made.asker)
        answer = await reader.post("/login", {"token": _token(made, TokenScope.READ)}, Origin=reader.origin)
        assert answer.headers["set-cookie"].startswith("__Host-probe-")
        assert "Secure" in answer.headers["set-cookie"].split("; ")
        assert "Signed in as person-read" in (await reader.get("/")).words


async def test_neither_token_nor_cookie_is_logged(local: World, caplog: pytest.LogCaptureFixture) -> None:
    """At no level."""
    reader, token = PageReader(local.asker), _token(local, TokenScope.CHECK)
    with caplog.at_level("DEBUG"):
        await reader.sign_in(token)
        mark = (await reader.get(BOX)).fields["csrf"]
        await reader.post("/logout", {"csrf": mark})
    told = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "/login" in told
    assert token not in told
    assert mark not in told


async def test_a_body_that_is_no_form_is_refused(local: World) -> None:
    """Whatever stands in it."""
    reader = PageReader(local.asker)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await reader.ask("/login", "POST", kind, b"token=\xff")).status == 400
    assert (await reader.ask("/login", "POST", kind, b"&".join(b"a=1" for _ in range(100)))).status == 400
    assert (await reader.ask("/login", "POST", {"Content-Type": "application/json"}, b"{}")).status == 415
