"""The gate and Test & Enable on the page, over a simulated organization, and all that must not have Dynamics asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from probe import app
from probe.enabling import Audit, Books
from probe.memory import Folder
from probe.simulation.dynamics.organization import Oddity
from probe.web.tokens import TokenScope
from tests.enabling.world import FLAG, address
from tests.web.pages.organized import BOX, EnablingPages, enabling_pages, listening_to, once, organization
from tests.web.pages.reading import HtmlPage


@pytest.fixture
async def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EnablingPages]:
    """Two mailboxes that are ready, and a page that may enable them."""
    async with enabling_pages(tmp_path, monkeypatch) as made:
        yield made


async def test_somebody_asks_the_gate_enables_and_sees_the_outcome(pages: EnablingPages) -> None:
    """The answer, then Dynamics' outcome beside the prediction; the audit names the token, and neither reload nor back nor a second press asks again."""
    anna = await pages.person()
    gate = await pages.asked(anna)
    page = await anna.get(gate)
    assert "GO" in page.words
    assert "SUCCESS incoming, outgoing" in page.words
    assert "Sends a test mail from the mailbox to itself." in page.words
    assert f"{BOX}/enable" in page.actions
    fields = {**page.fields, "address": address(0).upper()}
    answer = await anna.post(f"{BOX}/enable", fields)
    assert answer.status == 303, answer.body
    place = answer.headers["location"]
    done = await pages.over(anna, place)
    assert "ENABLED incoming success, outgoing success, as predicted" in done.words
    assert "incoming success success" in done.words
    assert pages.dynamics.sent == [pages.dynamics.id_of(0)]
    assert [write.changes for write in pages.dynamics.organization.writes] == [FLAG]
    assert {line["who"] for line in pages.audit} == {"token anna"}
    assert [sorted(line.keys() & {"predicted", "answered", "outcome"}) for line in pages.audit] == [
        ["predicted"],
        ["answered"],
        ["outcome"],
    ]
    again = await anna.post(f"{BOX}/enable", fields)
    assert (again.status, again.headers["location"]) == (303, place)
    back = await anna.get(gate)
    assert place in back.links
    assert f"{BOX}/enable" not in back.actions
    assert place in (await anna.get(BOX)).links
    assert len(pages.dynamics.sent) == 1
    later = await pages.asked(anna)
    assert "NOT OFFERED it is enabled already in every direction that is used." in (await anna.get(later)).words


async def test_two_presses_at_once_ask_once(pages: EnablingPages) -> None:
    """Of one answer there is one request, however often its form is sent."""
    anna = await pages.person()
    page = await anna.get(await pages.asked(anna))
    fields = {**page.fields, "address": address(0)}
    answers = await asyncio.gather(*(anna.post(f"{BOX}/enable", fields) for _ in range(5)))
    assert {answer.status for answer in answers} == {303}
    (place,) = {answer.headers["location"] for answer in answers}
    await pages.over(anna, place)
    assert len(pages.dynamics.sent) == 1


async def test_of_two_people_one_asks(pages: EnablingPages) -> None:
    """Who comes second while Dynamics works is told so, and nothing is sent for them."""
    pages.dynamics.organization.oddities[address(0)] = Oddity.HELD_BY_A_STOPPED_SERVER
    people = [await pages.person("anna"), await pages.person("boris")]
    first, second = [(await one.get(await pages.asked(one))).fields for one in people]
    place = (await people[0].post(f"{BOX}/enable", {**first, "address": address(0)})).headers["location"]
    await once(lambda: bool(pages.dynamics.sent))
    answer = await people[1].post(f"{BOX}/enable", {**second, "address": address(0)})
    told = (await pages.over(people[1], answer.headers["location"])).words
    assert "NOT ASKED another `probe gate --enable` is under way on this machine, or Test & Enable from the page" in told
    assert "Dynamics is being asked, or at work" in (await people[1].get(place)).words
    assert len(pages.dynamics.sent) == 1


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"csrf": ""}, 403, "this form is not of your session"),
        ({"csrf": "guessed"}, 403, "this form is not of your session"),
        ({"address": ""}, 422, "This is not the address of the mailbox"),
        ({"address": "yes"}, 422, "This is not the address of the mailbox"),
        ({"address": address(1)}, 422, "This is not the address of the mailbox"),
        ({"gate": ""}, 409, "there is no such answer of the gate"),
        ({"gate": "0" * 32}, 409, "there is no such answer of the gate"),
    ],
)
async def test_a_form_that_is_not_whole_asks_for_nothing(pages: EnablingPages, change: dict[str, str], status: int, words: str) -> None:
    """The mark, the answer and the typed address have to be right; what was typed is not repeated."""
    anna = await pages.person()
    fields = (await anna.get(await pages.asked(anna))).fields
    answer = await anna.post(f"{BOX}/enable", {**fields, "address": address(0), **change})
    assert answer.status == status
    assert words in HtmlPage(answer.body.decode()).words
    assert not pages.dynamics.organization.writes
    assert pages.audit == []


async def test_only_the_scope_admin_enables(pages: EnablingPages) -> None:
    """Whoever may ask the gate alone is told what is wanted; a token without a session has no form of its own."""
    carla = await pages.person("carla", TokenScope.CHECK)
    gate = await pages.asked(carla)
    page = await carla.get(gate)
    assert f"{BOX}/enable" not in page.actions
    assert "sign in with a token of scope admin" in page.words
    fields = {"csrf": page.fields["csrf"], "gate": gate.rpartition("/")[2], "address": address(0)}
    refused = await carla.post(f"{BOX}/enable", fields)
    assert refused.status == 403
    assert "a token of scope admin is wanted" in refused.body.decode()
    token = pages.made.tokens.create("script", TokenScope.ADMIN, pages.made.time.now)
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Bearer {token}"}
    assert (await pages.made.asker.ask(f"{BOX}/enable", "POST", kind, b"address=m000%40contoso.test")).status == 403
    assert (await pages.made.asker.ask(f"{BOX}/enable", "POST", {"Content-Type": kind["Content-Type"]}, b"a=b")).status == 401
    assert not pages.dynamics.organization.writes


async def test_an_answer_counts_for_whoever_asked_for_its_mailbox(pages: EnablingPages) -> None:
    """Neither somebody else's answer nor one about another mailbox has anything enabled."""
    anna, boris = await pages.person("anna"), await pages.person("boris")
    gate = (await pages.asked(anna)).rpartition("/")[2]
    page = await boris.get(f"/gate/{gate}")
    assert "NOT OFFERED somebody else asked the gate; ask it yourself." in page.words
    mark = (await boris.get(BOX)).fields["csrf"]
    foreign = await boris.post(f"{BOX}/enable", {"csrf": mark, "gate": gate, "address": address(0)})
    assert foreign.status == 409
    own = (await anna.get(BOX)).fields["csrf"]
    other = await anna.post(f"/m/{address(1)}/enable", {"csrf": own, "gate": gate, "address": address(1)})
    assert other.status == 409
    stolen = await anna.post(f"{BOX}/enable", {"csrf": mark, "gate": gate, "address": address(0)})
    assert stolen.status == 403
    assert not pages.dynamics.organization.writes


async def test_an_answer_counts_for_15_minutes(pages: EnablingPages) -> None:
    """Later the page offers nothing, and its old form is refused."""
    anna = await pages.person()
    gate = await pages.asked(anna)
    fields = {**(await anna.get(gate)).fields, "address": address(0)}
    pages.made.time.drive(901)
    assert "NOT OFFERED the answer is older than 15 minutes; ask the gate again." in (await anna.get(gate)).words
    refused = await anna.post(f"{BOX}/enable", fields)
    assert refused.status == 409
    assert "older than 15 minutes" in refused.body.decode()
    assert not pages.dynamics.organization.writes


async def test_an_estate_that_was_changed_wants_another_answer(pages: EnablingPages) -> None:
    """What the gate has judged is not what would be asked for now."""
    anna = await pages.person()
    fields = {**(await anna.get(await pages.asked(anna))).fields, "address": address(0)}
    run = pages.made.watch.run()
    assert run.estate is not None
    await pages.made.watch.show(replace(run, estate=replace(run.estate, deployment=replace(run.estate.deployment, fips=True))))
    refused = await anna.post(f"{BOX}/enable", fields)
    assert refused.status == 409
    assert "the estate was changed" in refused.body.decode()
    assert not pages.dynamics.organization.writes


async def test_a_row_that_came_to_differ_is_not_asked_for(pages: EnablingPages) -> None:
    """It is read again over the connection that would ask, and the page says why nothing was asked."""
    anna = await pages.person()
    fields = {**(await anna.get(await pages.asked(anna))).fields, "address": address(0)}
    pages.dynamics.organization.mailboxes[pages.dynamics.id_of(0)]["emailrouteraccessapproval"] = 0
    answer = await anna.post(f"{BOX}/enable", fields)
    told = (await pages.over(anna, answer.headers["location"])).words
    assert "NOT ASKED its rows in Dynamics are not what the estate says" in told
    assert not pages.dynamics.organization.writes
    assert pages.audit == []


async def test_a_no_go_is_told_with_its_reasons_and_offers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule, what was seen, the remedy; a form of one's own is refused."""
    async with enabling_pages(tmp_path, monkeypatch) as pages:
        monkeypatch.setenv("EWS_PASSWORD", "not the password")
        anna = await pages.person()
        gate = await pages.asked(anna)
        page = await anna.get(gate)
        assert "NO-GO" in page.words
        assert "FAILURE incoming, outgoing" in page.words
        assert "/rules/login-refused" in page.links
        assert "NOT OFFERED only after a go." in page.words
        fields = {"csrf": page.fields["csrf"], "gate": gate.rpartition("/")[2], "address": address(0)}
        assert (await anna.post(f"{BOX}/enable", fields)).status == 409
        assert not pages.dynamics.organization.writes


async def test_what_differs_stands_with_both_values_and_what_mends_it(pages: EnablingPages) -> None:
    """And nothing is enabled meanwhile."""
    (profile,) = pages.dynamics.organization.profiles.values()
    profile["incomingusername"] = "other@contoso.test"
    anna = await pages.person()
    page = await anna.get(await pages.asked(anna))
    assert "incoming username svc@contoso.test other@contoso.test" in page.words
    assert "CANNOT TELL" in page.words
    assert "What differs from Dynamics" in page.headings
    assert "What mends it" in page.headings
    assert f"{BOX}/enable" not in page.actions


async def test_where_the_key_is_off_there_is_no_such_route(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for it is answered as for any name below a mailbox, and no page draws anything of it."""
    async with enabling_pages(tmp_path, monkeypatch, from_page=False) as pages:
        anna = await pages.person()
        gate = await pages.asked(anna)
        page = await anna.get(gate)
        assert "GO" in page.words
        assert f"{BOX}/enable" not in page.actions
        assert "Test & Enable" not in page.headings
        fields = {**page.fields, "gate": gate.rpartition("/")[2], "address": address(0)}
        off, nothing = [await anna.post(f"{BOX}/{name}", fields) for name in ("enable", "nothing")]
        assert (off.status, off.body, off.headers["allow"]) == (
            nothing.status,
            nothing.body.replace(b"nothing", b"enable"),
            nothing.headers["allow"],
        )
        assert not pages.dynamics.organization.writes


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, 401),
    ],
)
async def test_no_page_of_another_site_enables(pages: EnablingPages, headers: dict[str, str], status: int) -> None:
    """Though it knew the mark, and though the browser sent the cookie along."""
    anna = await pages.person()
    fields = {**(await anna.get(await pages.asked(anna))).fields, "address": address(0)}
    assert (await anna.post(f"{BOX}/enable", fields, **headers)).status == status
    assert not pages.dynamics.organization.writes


async def test_under_another_name_nobody_enables(pages: EnablingPages) -> None:
    """A name that somebody has lead to this machine is not the service's, and a session does not count there."""
    anna = await pages.person()
    fields = {**(await anna.get(await pages.asked(anna))).fields, "address": address(0)}
    cookie = "; ".join(f"{name}={value}" for name, value in anna.cookies.items())
    body = "&".join(f"{name}={value.replace('@', '%40')}" for name, value in fields.items()).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    answer = await pages.made.asker.ask(f"{BOX}/enable", "POST", kind, body, host="rebound.example")
    assert answer.status == 401
    assert not pages.dynamics.organization.writes


async def test_while_the_command_line_asks_the_page_does_not(pages: EnablingPages) -> None:
    """The lock of the audit is one for both; once it is free, the same answer may still be used."""
    anna = await pages.person()
    fields = {**(await anna.get(await pages.asked(anna))).fields, "address": address(0)}
    with Audit(Folder(pages.dynamics.state), app.now):
        answer = await anna.post(f"{BOX}/enable", fields)
        told = (await pages.over(anna, answer.headers["location"])).words
        assert "NOT ASKED another `probe gate --enable` is under way on this machine" in told
        assert not pages.dynamics.organization.writes
    answer = await anna.post(f"{BOX}/enable", fields)
    assert "ENABLED" in (await pages.over(anna, answer.headers["location"])).words
    assert len(pages.dynamics.sent) == 1


async def test_an_open_batch_of_the_command_line_is_left_to_it(pages: EnablingPages) -> None:
    """The page says which it is, and what takes it up; it neither joins nor closes it."""
    bound = pages.dynamics.organization.id
    books = Books(Folder(pages.dynamics.state))
    books.add("b1", bound, {pages.dynamics.id_of(1): address(1)}, app.now())
    anna = await pages.person()
    fields = {**(await anna.get(await pages.asked(anna))).fields, "address": address(0)}
    answer = await anna.post(f"{BOX}/enable", fields)
    assert "NOT ASKED batch b1 of the command line is open" in (await pages.over(anna, answer.headers["location"])).words
    assert not pages.dynamics.organization.writes
    left = books.latest(bound, app.now())
    assert left is not None
    assert left.id == "b1"


async def test_an_answer_is_not_used_after_somebody_else_asked(pages: EnablingPages) -> None:
    """The audit has it: another answer is wanted first."""
    anna = await pages.person()
    fields = {**(await anna.get(await pages.asked(anna))).fields, "address": address(0)}
    pages.dynamics.failing.add(address(0))
    assert (await pages.dynamics.gate(address(0), "--tls", "none", "--enable", "--yes")).code == 1
    answer = await anna.post(f"{BOX}/enable", fields)
    told = (await pages.over(anna, answer.headers["location"])).words
    assert "NOT ASKED Dynamics was asked for it after the gate had answered; ask the gate again" in told
    assert len(pages.dynamics.sent) == 1


async def test_a_failure_stands_beside_its_prediction_with_what_dynamics_says(pages: EnablingPages) -> None:
    """The alert is quoted, and its causes are led to."""
    pages.dynamics.failing.add(address(0))
    anna = await pages.person()
    fields = {**(await anna.get(await pages.asked(anna))).fields, "address": address(0)}
    answer = await anna.post(f"{BOX}/enable", fields)
    page = await pages.over(anna, answer.headers["location"])
    assert "FAILED incoming success, outgoing failure, which is not what was predicted" in page.words
    assert "outgoing success failure" in page.words
    assert "What Dynamics says" in page.headings
    assert any(link.startswith("/rules/") for link in page.links)


async def test_whom_it_would_take_over_wants_a_tick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the flag would make this organization the primary one, the page says so; the audit has that somebody agreed."""
    async with enabling_pages(tmp_path, monkeypatch, appointments=[0]) as pages:
        anna = await pages.person()
        page = await anna.get(await pages.asked(anna))
        assert "This organization becomes the one that synchronizes its appointments" in page.words
        fields = {name: value for name, value in page.fields.items() if name != "take_over"} | {"address": address(0)}
        refused = await anna.post(f"{BOX}/enable", fields)
        assert refused.status == 422
        assert "The box has to be ticked" in HtmlPage(refused.body.decode()).words
        assert not pages.dynamics.organization.writes
        answer = await anna.post(f"{BOX}/enable", {**fields, "take_over": "yes"})
        assert "ENABLED" in (await pages.over(anna, answer.headers["location"])).words
        assert [line["take_over"] for line in pages.audit if "take_over" in line] == [True]


async def test_a_service_that_ends_meanwhile_finds_the_outcome_at_its_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page tells what the audit has, then the outcome; nothing is sent for a second time."""
    async with organization(tmp_path, monkeypatch, pace=5e-2) as dynamics:
        async with listening_to(dynamics) as pages:
            anna = await pages.person()
            fields = {**(await anna.get(await pages.asked(anna))).fields, "address": address(0)}
            place = (await anna.post(f"{BOX}/enable", fields)).headers["location"]
            await once(lambda: bool(dynamics.sent))
        async with listening_to(dynamics) as pages:
            reader = await pages.person("boris")
            page = await reader.get(place)
            assert "There is no outcome yet; it is looked for once a minute." in page.words
            assert "Asked for by token anna" in page.words
            assert place in (await reader.get("/runs")).links
            answer = await reader.post(f"{BOX}/enable", {**fields, "csrf": (await reader.get(BOX)).fields["csrf"]})
            assert answer.status == 409, "an answer does not outlive the service"
            while "outcome" not in dynamics.audit:
                await pages.made.watch.follow_up()
            assert "ENABLED incoming success, outgoing success, as predicted" in (await pages.over(reader, place)).words
        assert len(dynamics.sent) == 1
        assert {line["batch"] for line in pages.audit} == {f"page-{place.rpartition('/')[2]}"}
        told = await dynamics.gate(address(0), "--tls", "none", "--enable", "--yes")
        assert "is open" not in told.err, "the batch of the page is closed"


async def test_what_has_no_outcome_yet_is_not_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a service that was started meanwhile, whatever the gate says: what its predecessor asked for is followed up, for as long as it takes."""
    async with organization(tmp_path, monkeypatch) as dynamics:
        dynamics.organization.oddities[address(0)] = Oddity.HELD_BY_A_STOPPED_SERVER
        async with listening_to(dynamics) as pages:
            anna = await pages.person()
            fields = {**(await anna.get(await pages.asked(anna))).fields, "address": address(0)}
            place = (await anna.post(f"{BOX}/enable", fields)).headers["location"]
            await once(lambda: bool(dynamics.sent))
        async with listening_to(dynamics) as pages:
            boris = await pages.person("boris")
            fields = {**(await boris.get(await pages.asked(boris))).fields, "address": address(0)}
            answer = await boris.post(f"{BOX}/enable", fields)
            told = (await pages.over(boris, answer.headers["location"])).words
            assert "NOT ASKED Dynamics was asked for it already, and has no outcome yet." in told
            await pages.made.watch.follow_up()
            assert "PENDING Dynamics has no outcome yet" in (await boris.get(place)).words
        assert len(dynamics.sent) == 1


async def test_what_failed_to_be_read_is_said(pages: EnablingPages) -> None:
    """An audit that somebody spoilt hides nothing else."""
    (pages.dynamics.state / "audit.jsonl").write_text("no JSON\n")
    (pages.dynamics.state / "audit.jsonl").chmod(0o600)
    reader = await pages.person()
    assert "line 1 of" in (await reader.get("/runs")).words
    answer = await reader.ask(f"/enabling/{'0' * 32}")
    assert answer.status == 503


async def test_a_second_press_leads_to_the_answer_that_comes(pages: EnablingPages) -> None:
    """Of the gate too: whoever presses twice asks once."""
    anna = await pages.person()
    pages.made.watch.go.clear()
    mark = (await anna.get(BOX)).fields["csrf"]
    places = {(await anna.post(f"{BOX}/gate", {"csrf": mark})).headers["location"] for _ in range(3)}
    (place,) = places
    page = await anna.get(place)
    assert "The gate is being asked: 1 of 2 conversations have ended." in page.words
    runs = await anna.get("/runs")
    assert "GOES ON 1 of 2 conversations have ended Gate m000@contoso.test token anna" in runs.words
    assert place in runs.links
    pages.made.watch.go.set()
    assert "GO" in (await pages.over(anna, place)).words
    assert "ENDED Gate m000@contoso.test token anna" in (await anna.get("/runs")).words
    assert pages.made.watch.held == {address(0): 1}


@pytest.mark.parametrize("path", ["/gate/0", f"/gate/{'0' * 32}", f"/enabling/{'0' * 32}", "/enabling/../x"])
async def test_what_is_not_kept_is_said_so(pages: EnablingPages, path: str) -> None:
    """No name but one of ours leads anywhere."""
    assert (await (await pages.person()).ask(path)).status in (404, 422)
