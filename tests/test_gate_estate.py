"""The gate's answers for the simulated estate, beside what Test & Enable of the simulated organization comes to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jsonschema import Draft202012Validator

from probe import app
from probe.cli.exit_codes import gate_exit_code
from probe.document import ReportOptions, gate_schema
from probe.gate import Disabled, DynamicsRecords, GateAnswer, Gated, Predicted, Unread, disabled_since, gate_json, gate_text, published
from probe.model.estate import BoundOrganization, Estate, Mailbox
from probe.simulation.dynamics.alerts import ERROR
from probe.simulation.dynamics.demonstration import USER, Demonstration
from probe.simulation.dynamics.metadata import MAILBOX, PROFILE
from probe.simulation.dynamics.organization import Oddity, written
from probe.simulation.exchange import ExchangeServer
from tests.gate.world import SILENT, demonstrated, identifier
from tests.simulation.dynamics.post import outcome

ANSWERS = {
    "sales@contoso.test": GateAnswer.GO,
    "service@contoso.test": GateAnswer.GO,
    "board@contoso.test": GateAnswer.NO_GO,
    "finance@contoso.test": GateAnswer.GO,
    "pilot@contoso.test": GateAnswer.NO_GO,
    "depot@contoso.test": GateAnswer.NO_GO,
    "warehouse@contoso.test": GateAnswer.CANNOT_TELL,
    "archive@contoso.test": GateAnswer.NO_GO,
    "anna@contoso.test": GateAnswer.CANNOT_TELL,
    "ben@contoso.test": GateAnswer.CANNOT_TELL,
    "branch@contoso.test": GateAnswer.NO_GO,
    "contoso.events@gmail.com": GateAnswer.GO,
    "contoso.jobs@gmail.com": GateAnswer.NO_GO,
    "contoso.parts@yahoo.com": GateAnswer.GO,
    "contoso.fairs@outlook.com": GateAnswer.NO_GO,
    "orders@fabrikam.test": GateAnswer.NO_GO,
}
OUTCOME_OF = {None: 0, Predicted.SUCCESS: 1, Predicted.FAILURE: 2}


async def asked(estate: Estate, options: app.Options, *addresses: str) -> Gated:
    """The gate's answer for these mailboxes."""
    gated = await app.gate(estate, [m for m in estate.mailboxes if m.address in addresses], options)
    assert gated is not None
    return gated


def assert_nothing_written(demonstration: Demonstration) -> None:
    """No change came through the Web API, and no mail left."""
    assert list(demonstration.organization.writes) == []
    assert demonstration.delivered == []


async def test_predictions_agree_with_outcomes_and_nothing_is_written() -> None:
    """Wherever a direction is predicted, Test & Enable, pressed afterwards, comes to the same; the gate itself writes nothing."""
    async with demonstrated() as (demonstration, estate, options):
        organization = demonstration.organization
        gated = await asked(estate, options, *ANSWERS)
        assert_nothing_written(demonstration)
        assert list(demonstration.server.door.logons) == [(USER.name, True)]
        assert sum(path.endswith("/emails") for _, path in demonstration.server.asked) == 1
        ids = {address: identifier(organization, address) for address in ANSWERS}
        for one in ids.values():
            organization.update(MAILBOX, one, {"testemailconfigurationscheduled": True})
        await demonstration.service.settled()
    assert {verdict.mailbox: verdict.answer for verdict in gated.verdicts} == ANSWERS
    assert gate_exit_code(gated) == 1
    for verdict in gated.verdicts:
        found = outcome(organization.mailboxes[ids[verdict.mailbox]])
        for how, status in zip(verdict.predicted.values(), found, strict=True):
            assert how is Predicted.UNKNOWN or OUTCOME_OF[how] == status, (verdict.mailbox, verdict.predicted, found)
        assert verdict.differs == ()
    assert gated.will["sales@contoso.test"].pending_send == 12
    document = json.loads("".join(gate_json(published(gated))))
    Draft202012Validator(gate_schema()).validate(document)
    text = "".join(gate_text(published(gated), ReportOptions()))
    assert text.startswith(f"{len(ANSWERS)} mailboxes: 8 no-go, 3 cannot tell, 5 go.\n")
    assert USER.password not in text + json.dumps(document)


async def test_mail_that_would_be_pulled_is_counted_without_a_further_sign_in() -> None:
    """What was received after the time of the mailbox's row, else of its profile's, where a sign-in is allowed; null where it could not be counted."""
    async with demonstrated() as (demonstration, estate, options):
        organization, exchange = demonstration.organization, demonstration.simulation.servers["exchange-2016"]
        assert isinstance(exchange, ExchangeServer)
        since = datetime(2026, 11, 1, 8, tzinfo=UTC)
        for days in (-3, 1, 2):
            exchange.receive("sales@contoso.test", "Offer", since + timedelta(days=days))
        profile = next(one for one, row in organization.profiles.items() if row["name"] == "exchange-2016")
        organization.update(PROFILE, profile, {"processemailsreceivedafter": written(since)})
        addresses = ("sales@contoso.test", "contoso.events@gmail.com")
        by_profile = await asked(estate, options, *addresses)
        logons = len(exchange.logons)
        own = {"processemailreceivedafter": written(since - timedelta(days=5))}
        organization.update(MAILBOX, identifier(organization, "sales@contoso.test"), own)
        by_mailbox = await asked(estate, options, "sales@contoso.test")
        more_logons = len(exchange.logons) - logons
        without = replace(estate, deployment=replace(estate.deployment, allow=frozenset()))
        anonymous = await asked(without, options, "sales@contoso.test")
        assert_nothing_written(demonstration)
    assert [by_profile.will[address].backlog for address in addresses] == [2, None]
    assert (by_mailbox.will["sales@contoso.test"].backlog, anonymous.will["sales@contoso.test"].backlog) == (3, None)
    assert more_logons == logons
    document = published(by_profile)
    assert "2 messages received since 2026-11-01 are pulled in" in " ".join("".join(gate_text(document, ReportOptions())).split())
    assert [one["will"]["backlog"] for one in document["mailboxes"]] == [2, None]


async def test_rows_that_differ_are_told_and_none_is_a_go() -> None:
    """A profile that was changed in Dynamics, an approval that is missing, a mailbox that is not there: each is named, and none is a go."""
    async with demonstrated() as (demonstration, estate, options):
        organization = demonstration.organization
        profile = next(one for one, row in organization.profiles.items() if row["name"] == "gmail")
        organization.update(PROFILE, profile, {"incomingportnumber": 110})
        organization.update(MAILBOX, identifier(organization, "sales@contoso.test"), {"emailrouteraccessapproval": 2})
        del organization.mailboxes[identifier(organization, "service@contoso.test")]
        gated = await asked(estate, options, "contoso.events@gmail.com", "sales@contoso.test", "service@contoso.test")
        assert_nothing_written(demonstration)
    assert [(v.answer, [d.what for d in v.differs]) for v in gated.verdicts] == [
        (GateAnswer.NO_GO, ["approval"]),
        (GateAnswer.CANNOT_TELL, ["mailbox"]),
        (GateAnswer.CANNOT_TELL, ["incoming port"]),
    ]
    assert gate_exit_code(gated) == 1
    assert "incoming port: the estate has" in "".join(gate_text(published(gated), ReportOptions()))


async def test_another_organization_leaves_it_open() -> None:
    """An estate that is bound to another organization than the server's, as by a restored copy, is compared with nothing."""
    async with demonstrated() as (demonstration, estate, options):
        assert estate.dynamics is not None
        bound = BoundOrganization.parse("5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11 Contoso")
        gated = await asked(replace(estate, dynamics=replace(estate.dynamics, organization=bound)), options, "sales@contoso.test")
        assert_nothing_written(demonstration)
    assert isinstance(gated.records, Unread)
    assert gated.verdicts[0].answer is GateAnswer.CANNOT_TELL
    assert demonstration.organization.id in gated.records.reason


async def test_a_wrong_password_of_dynamics_is_tried_once(tmp_path: Path) -> None:
    """Nothing is compared, and a second asking does not try it again."""
    async with demonstrated(password="Wrong-Lantern-6") as (_, estate, options):
        remembering = replace(options, state=tmp_path)
        first, second = [await asked(estate, remembering, "sales@contoso.test") for _ in range(2)]
    for gated in (first, second):
        assert isinstance(gated.records, Unread)
        assert gated.verdicts[0].answer is GateAnswer.CANNOT_TELL
        assert "Wrong-Lantern-6" not in "".join(gate_json(published(gated)))
    assert isinstance(second.records, Unread)
    assert "not tried again" in second.records.reason


async def test_without_dynamics_it_says_that_it_could_not_compare() -> None:
    """The answer rests on the run alone; so does it for a server that answers nobody."""
    async with demonstrated() as (demonstration, estate, options):
        gated = await asked(replace(estate, dynamics=None), replace(options, timeout=1), "sales@contoso.test", SILENT)
        assert_nothing_written(demonstration)
    assert [verdict.answer for verdict in gated.verdicts] == [GateAnswer.GO, GateAnswer.CANNOT_TELL]
    text = " ".join("".join(gate_text(published(gated), ReportOptions())).split())
    assert "Not compared with Dynamics: the estate has no [dynamics]" in text
    assert "which organization synchronizes appointments is not known" in text


async def test_the_machines_of_the_asynchronous_service_are_told() -> None:
    """Where rows or alerts name one, and it is another than this, the first screen says so."""
    async with demonstrated() as (demonstration, estate, options):
        organization = demonstration.organization
        one = identifier(organization, "sales@contoso.test")
        organization.oddities["sales@contoso.test"] = Oddity.OWNER_LACKS_PRIVILEGES
        organization.update(MAILBOX, one, {"testemailconfigurationscheduled": True})
        await demonstration.service.settled()
        assert any(alert["level"] == ERROR for alert in organization.alerts(one))
        gated = await asked(estate, options, "sales@contoso.test")
    assert gated.standing.servers
    assert gated.standing.is_there is False
    screen = "".join(gate_text(published(gated), ReportOptions())).splitlines()[:6]
    assert any("which is none of" in line for line in screen)


async def test_those_that_an_outage_disabled_are_found_by_their_rows() -> None:
    """What fits wholly is asked about, what fits in part is not, and nothing is probed where nobody was disabled."""
    async with demonstrated() as (demonstration, estate, options):
        organization, now = demonstration.organization, datetime.now(UTC).replace(microsecond=0)
        when = now - timedelta(hours=2)
        every = dict.fromkeys(("enabledforincomingemail", "enabledforoutgoingemail", "enabledforact"), True)
        disabled = {**every, "enabledforincomingemail": False, "lastsyncerroroccurredon": written(now - timedelta(hours=1))}
        fits = {**disabled, "lastsuccessfulsynccompletedon": written(when - timedelta(hours=1))}
        in_part = {**disabled, "lastsuccessfulsynccompletedon": written(when - timedelta(days=3))}
        organization.update(MAILBOX, identifier(organization, "sales@contoso.test"), fits)
        organization.update(MAILBOX, identifier(organization, "service@contoso.test"), in_part)
        organization.update(MAILBOX, identifier(organization, "board@contoso.test"), fits | every)
        found: list[Disabled] = []

        def narrow(mailboxes: Sequence[Mailbox], records: DynamicsRecords | Unread) -> list[Mailbox]:
            assert isinstance(records, DynamicsRecords)
            found.extend(disabled_since(mailboxes, records, when))
            return [one.mailbox for one in found if not one.lacks]

        gated = await app.gate(estate, estate.mailboxes, options, narrow=narrow)
        nothing = await app.gate(estate, estate.mailboxes, options, narrow=lambda *_: [])
        assert_nothing_written(demonstration)
    assert [(one.mailbox.address, one.directions, bool(one.lacks)) for one in found] == [
        ("sales@contoso.test", ("incoming",), False),
        ("service@contoso.test", ("incoming",), True),
    ]
    assert gated is not None
    assert [verdict.mailbox for verdict in gated.verdicts] == ["sales@contoso.test"]
    assert nothing is None
