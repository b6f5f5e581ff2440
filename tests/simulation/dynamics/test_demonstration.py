"""The simulated estate with its organization, from records to outcomes."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace

from probe.model.estate import Authentication, Delivery
from probe.simulation.dynamics.alerts import ERROR, INFORMATION
from probe.simulation.dynamics.demonstration import HOST, USER, Demonstration, organization_of
from probe.simulation.dynamics.mail_sessions import SUBJECT
from probe.simulation.dynamics.metadata import MAILBOX
from probe.simulation.dynamics.service import Pace
from probe.simulation.estate import Simulation
from tests.simulation.dynamics.caller import Caller, query
from tests.simulation.dynamics.post import outcome

OUTCOMES = {
    "sales@contoso.test": (1, 1, 1),
    "service@contoso.test": (1, 1, 1),
    "board@contoso.test": (2, 2, 2),
    "newsletter@contoso.test": (0, 0, 0),
    "finance@contoso.test": (1, 1, 1),
    "pilot@contoso.test": (1, 1, 1),
    "depot@contoso.test": (2, 2, 2),
    "warehouse@contoso.test": (1, 1, 1),
    "archive@contoso.test": (1, 1, 1),
    "anna@contoso.test": (2, 2, 2),
    "ben@contoso.test": (2, 2, 2),
    "branch@contoso.test": (2, 2, 2),
    "contoso.events@gmail.com": (1, 1, 0),
    "contoso.jobs@gmail.com": (1, 1, 2),
    "contoso.parts@yahoo.com": (1, 1, 0),
    "contoso.fairs@outlook.com": (2, 2, 0),
    "orders@fabrikam.test": (1, 1, 0),
    "support@tailspin.test": (2, 2, 0),
    "press@contoso.test": (2, 2, 2),
    "legal@contoso.test": (2, 2, 2),
    "retail@contoso.test": (1, 1, 2),
    "claims@contoso.test": (1, 1, 2),
    None: (2, 2, 2),
}


async def test_records_say_what_the_estate_says() -> None:
    """Every profile and mailbox of the estate has a record, with deliveries and passwords, which nobody can read back."""
    async with Simulation.start() as simulation:
        organization = organization_of(simulation.estate)
    assert [row["name"] for row in organization.profiles.values()] == [profile.name for profile in simulation.estate.profiles]
    assert [row["emailaddress"] for row in organization.mailboxes.values()] == [m.address for m in simulation.estate.mailboxes]
    jobs = next(row for row in organization.mailboxes.values() if row["emailaddress"] == "contoso.jobs@gmail.com")
    assert (jobs["actdeliverymethod"], jobs["ispasswordset"], jobs["password"]) == (1, True, "qrst uvwx yzab cdef")
    served = [m.address for m in simulation.estate.mailboxes if m.incoming is Delivery.SERVER_SIDE]
    assert len(served) == sum(row["incomingemaildeliverymethod"] == 2 for row in organization.mailboxes.values())


async def test_records_have_both_directions() -> None:
    """Where the outgoing endpoint is signed in to otherwise than the incoming one, its own columns say how, and that they count."""
    async with Simulation.start() as simulation:
        estate = simulation.estate
        corp = next(profile for profile in estate.profiles if profile.name == "exchange-2016")
        other = replace(
            corp,
            name="other",
            outgoing_authentication=Authentication.BASIC,
            outgoing_impersonation=False,
            outgoing_username="out@contoso.test",
            outgoing_password=corp.password,
        )
        organization = organization_of(replace(estate, profiles=(corp, other), mailboxes=()))
    same, differing = organization.profiles.values()
    assert (same["usesamesettingsforoutgoingconnections"], same["outgoingusername"]) == (True, corp.username)
    assert (differing["usesamesettingsforoutgoingconnections"], differing["incomingusername"]) == (False, corp.username)
    assert (differing["outgoingauthenticationprotocol"], differing["outgoinguseimpersonation"]) == (3, False)
    assert (differing["outgoingusername"], differing["isoutgoingpasswordset"]) == ("out@contoso.test", True)


async def test_every_outcome() -> None:
    """Test & Enable of all mailboxes at once comes to every kind of outcome, each told in alerts, and sends mails to themselves alone."""
    async with Demonstration.start(pace=Pace(tries=1), timeout=2) as demonstration:
        organization = demonstration.organization
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.load_verify_locations(demonstration.simulation.ca_file)
        assert demonstration.url == f"https://{HOST}:{demonstration.server.port}/Contoso"
        for identifier in organization.mailboxes:
            organization.update(MAILBOX, identifier, {"testemailconfigurationscheduled": True})
        await demonstration.service.settled()

        def read() -> tuple[list[dict[str, object]], list[dict[str, object]]]:
            with Caller(demonstration.server.port, trust) as caller:
                caller.sign_in(USER.name, USER.password)
                alerts = caller.get("tracelogs" + query(select="level,tracecode,text,_regardingobjectid_value", orderby="createdon desc"))
                return caller.get("mailboxes").document["value"], alerts.document["value"]

        rows, alerts = await asyncio.to_thread(read)
    assert {row["emailaddress"]: outcome(row) for row in rows} == OUTCOMES
    assert not any(row["testemailconfigurationscheduled"] for row in rows)
    for row in rows:
        levels = {alert["level"] for alert in alerts if alert["_regardingobjectid_value"] == row["mailboxid"]}
        assert (ERROR in levels, INFORMATION in levels) == (2 in outcome(row), 1 in outcome(row) and 2 not in outcome(row))
    assert sorted(recipient for recipient, _ in demonstration.delivered) == [
        "contoso.events@gmail.com",
        "contoso.jobs@gmail.com",
        "contoso.parts@yahoo.com",
        "orders@fabrikam.test",
    ]
    assert all(f"Subject: {SUBJECT}" in message for _, message in demonstration.delivered)
