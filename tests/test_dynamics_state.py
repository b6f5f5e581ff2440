"""What Dynamics' own records say, read by a check of the simulated organization."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from probe.app import Options, Probing, check, plan_check, probers
from probe.cli.listings import write_plan
from probe.cli.output import Output
from probe.model import vocabulary as v
from probe.model.estate import (
    Authentication,
    BoundOrganization,
    Delivery,
    DynamicsAccess,
    Endpoint,
    Estate,
    Mailbox,
    OrganizationUrl,
    SecretReference,
)
from probe.model.facts import Fact, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.rules import Readiness, Result
from probe.model.runs import Run
from probe.simulation.dynamics.faults import fails
from probe.simulation.dynamics.metadata import MAILBOX
from probe.simulation.dynamics.organization import Organization, now, written
from probe.simulation.dynamics.web_api import DynamicsServer
from tests.looking import authority, server_context
from tests.reports.rendering import render
from tests.runs import an_estate
from tests.simulation.dynamics.world import PASSWORD, READER, server

ADDRESS, OTHER = "sales@contoso.test", "info@contoso.test"
SERVED = {
    "incomingemaildeliverymethod": 2,
    "outgoingemaildeliverymethod": 2,
    "actdeliverymethod": 1,
    "emailrouteraccessapproval": 1,
    "enabledforincomingemail": True,
}
CLOSED = Endpoint.parse("https://localhost:9/EWS/Exchange.asmx")
"""Where nobody listens."""


def organization() -> Organization:
    """Two mailboxes under one profile, neither of them enabled."""
    made = Organization()
    profile = made.add_profile("corp", incomingserverlocation=CLOSED.url, servertype=0, incomingpassword="x", statecode=0)
    for address in (ADDRESS, OTHER):
        made.add_mailbox(address, profile, processinglastattemptedon=written(now()), **SERVED)
    return made


def estate_of(site: DynamicsServer, secret: Path, **access: Any) -> Estate:
    """An estate of these mailboxes that reads this organization."""
    everything = Delivery.SERVER_SIDE
    whole = an_estate(
        *(Mailbox(address=a, profile="corp", incoming=everything, outgoing=everything, appointments=everything) for a in (ADDRESS, OTHER))
    )
    corp = replace(whole.profiles[0], incoming=CLOSED, outgoing=CLOSED, username=None, password=None)
    dynamics = DynamicsAccess(
        url=OrganizationUrl.parse(f"https://localhost:{site.port}/Contoso"),
        authentication=Authentication.NTLM,
        username=READER.name,
        password=SecretReference("file", str(secret)),
    )
    return replace(whole, profiles=(corp,), dynamics=replace(dynamics, **access))


@asynccontextmanager
async def reading(tmp_path: Path, written_down: str = PASSWORD, **access: Any) -> AsyncIterator[tuple[DynamicsServer, Estate, Options]]:
    """The organization, an estate of it, and how it is checked."""
    secret = tmp_path / "password"
    secret.write_text(written_down, encoding="utf-8")
    async with server(organization(), server_context()) as site:
        yield (
            site,
            estate_of(site, secret, **access),
            Options(ca_file=authority().ca_file, state=tmp_path / "state", tls="none", report_bug=print),
        )


def read(run: Run, subject: str, key: FactKey[Any]) -> Reading | None:
    """The reading of a key; None where there is none."""
    return next((r for r in run.readings if (r.subject, r.key) == (subject, key)), None)


def value(run: Run, subject: str, key: FactKey[Any]) -> Any:
    """The value of a key, or why there is none."""
    found = read(run, subject, key)
    return found.value if isinstance(found, Fact) else found and found.why


async def test_a_check_reads_dynamics_own_state(tmp_path: Path) -> None:
    """One listing tells of every mailbox, of the profile and of the deployment; nothing is written, and rules go by it."""
    async with reading(tmp_path) as (site, estate, options):
        made = site.organization
        run = await check(estate, estate.mailboxes, options)
    assert value(run, "deployment", v.DYNAMICS_ORGANIZATION_ID) == made.id
    assert value(run, "deployment", v.DYNAMICS_IDLE_MINUTES) == 0
    assert value(run, "profile:corp", v.DYNAMICS_ACTIVE) is True
    assert {value(run, address, v.DYNAMICS_APPROVED) for address in (ADDRESS, OTHER)} == {True}
    assert value(run, ADDRESS, v.DYNAMICS_PROFILE) == "corp"
    assert value(run, ADDRESS, v.DYNAMICS_PENDING_SEND) == 0
    assert not made.writes
    assert {method for method, _ in site.asked} == {"GET"}
    assert sum("/mailboxes" in path for _, path in site.asked) == 1
    found = {finding.rule.id: finding.result for finding in run.assessments[0].findings}
    assert (found["address-not-approved"], found["dynamics-records-not-read"]) == (Result.HOLDS, Result.HOLDS)


async def test_of_some_mailboxes_those_alone_are_read(tmp_path: Path) -> None:
    """Asked for one mailbox, the others are not read, and nothing is said of the service."""
    async with reading(tmp_path) as (_, estate, options):
        run = await check(estate, estate.mailboxes[:1], options)
    assert value(run, ADDRESS, v.DYNAMICS_APPROVED) is True
    assert read(run, OTHER, v.DYNAMICS_APPROVED) is None
    assert read(run, "deployment", v.DYNAMICS_IDLE_MINUTES) is None


async def test_rows_that_differ_and_mailboxes_without_one_are_told_as_advice(tmp_path: Path) -> None:
    """Both are findings that decide nothing: readiness is what it is where all agree; a report tells them."""
    async with reading(tmp_path) as (site, estate, options):
        agreed = await check(estate, estate.mailboxes, options)
        made = site.organization
        ids = {row["emailaddress"]: identifier for identifier, row in made.mailboxes.items()}
        made.update(MAILBOX, ids[ADDRESS], {"actdeliverymethod": 0, "emailrouteraccessapproval": 2})
        del made.mailboxes[ids[OTHER]]
        run = await check(estate, estate.mailboxes, options)
    # An approval that is missing has a rule of its own, and is not told twice.
    told = value(run, ADDRESS, v.DYNAMICS_DIFFERS)
    assert "appointments delivery: the estate has server-side, Dynamics has outlook" in told
    assert not any("approval" in sentence for sentence in told)
    assert value(run, OTHER, v.DYNAMICS_FOUND) is False
    first, second = ({f.rule.id: f for f in one.findings} for one in run.assessments)
    assert first["rows-differ-from-the-estate"].result is Result.FAILS
    assert first["mailbox-without-row"].result is Result.NOT_APPLICABLE
    assert second["mailbox-without-row"].result is Result.FAILS
    assert second["rows-differ-from-the-estate"].result is Result.NOT_APPLICABLE
    assert run.assessments[1].directions == agreed.assessments[1].directions
    text = " ".join(render(run, signed_in="not-tried").split())
    assert "ADVICE: No mailbox of Dynamics (mailbox-without-row)" in text
    assert "ADVICE: Dynamics has it otherwise than the estate (rows-differ-from-the-estate)" in text
    assert "Seen appointments delivery: the estate has server-side, Dynamics has outlook" in text
    assert "records were not read" not in text


async def test_a_wrong_password_is_tried_once(tmp_path: Path) -> None:
    """The ledger remembers a refusal from run to run; the reason is told, and no readiness hangs on it."""
    async with reading(tmp_path, written_down="wrong") as (site, estate, options):
        runs = [await check(estate, estate.mailboxes, options) for _ in range(3)]
        assert [taken for _, taken in site.logons] == [False]
    for run in runs:
        assert value(run, "deployment", v.DYNAMICS_ORGANIZATION_ID) is Why.DENIED
        found = {finding.rule.id: finding.result for finding in run.assessments[0].findings}
        assert found["dynamics-records-not-read"] is Result.UNKNOWN
        assert found["address-not-approved"] is Result.NOT_APPLICABLE
        assert "wrong" not in repr(run.readings).replace("wrong-", "")


@pytest.mark.parametrize(
    ("access", "why"),
    [
        ({"organization": BoundOrganization("5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11", "Other")}, Why.DENIED),
        ({"url": OrganizationUrl.parse("https://localhost:9/Contoso")}, Why.REFUSED),
        ({"password": SecretReference("env", "THERE_IS_NO_SUCH_VARIABLE")}, Why.NO_CREDENTIALS),
        ({"ca": "/there/is/no/such/file.pem"}, Why.UNTRUSTED_PEER),
    ],
    ids=["another organization", "nobody listens", "no password", "no anchors"],
)
async def test_what_cannot_be_read_is_one_gap_of_the_deployment(tmp_path: Path, access: dict[str, Any], why: Why) -> None:
    """Whatever keeps it from being read, the mail servers are judged as without it."""
    async with reading(tmp_path, **access) as (_, estate, options):
        run = await check(estate, estate.mailboxes, options)
        without = await check(replace(estate, dynamics=None), estate.mailboxes, options)
    assert value(run, "deployment", v.DYNAMICS_ORGANIZATION_ID) is why
    assert [r for r in run.readings if r.key in v.DYNAMICS_KEYS] == [read(run, "deployment", v.DYNAMICS_ORGANIZATION_ID)]
    assert [a.readiness for a in run.assessments] == [a.readiness for a in without.assessments] == [Readiness.NOT_READY] * 2


@pytest.mark.parametrize(
    ("minutes", "approved", "result", "words"),
    [
        (59, False, Result.FAILS, "is 59 minutes old, and counts"),
        (61, Why.STALE, Result.UNKNOWN, "is 61 minutes old, and no longer tells"),
        (60 * 24 * 40, None, Result.NOT_APPLICABLE, ""),
        (-5, Why.STALE, Result.UNKNOWN, "is of a later time than now, and no longer tells"),
    ],
    ids=["within the hour", "later", "long after", "a clock that was set back"],
)
async def test_what_dynamics_said_last_tells_for_an_hour(
    tmp_path: Path, minutes: int, approved: object, result: Result, words: str
) -> None:
    """Where it cannot be read it counts with its age; then rules on it are unknown as advice, and one finding of the deployment says so."""
    async with reading(tmp_path) as (site, estate, options):
        made = site.organization
        mailbox = next(identifier for identifier, row in made.mailboxes.items() if row["emailaddress"] == ADDRESS)
        made.update(MAILBOX, mailbox, {"emailrouteraccessapproval": 2})
        before = await check(estate, estate.mailboxes, options)
        then = next(r.at for r in before.readings if r.key == v.DYNAMICS_APPROVED)
        assert then is not None
        site.faults.append(fails("mailboxes"))
        late = replace(options, clock=lambda: then + timedelta(minutes=minutes))
        run = await check(estate, estate.mailboxes, late)
        async with Probing(late) as probing:
            asked = len(site.requests)
            kept = await probing.last_of_dynamics(estate)
            assert len(site.requests) == asked
        without = await check(replace(estate, dynamics=None), estate.mailboxes, late)
        site.faults.append(fails("mailboxes"))
        forgetful = await check(estate, estate.mailboxes, replace(late, state=None))
    assert (value(before, ADDRESS, v.DYNAMICS_APPROVED), value(run, ADDRESS, v.DYNAMICS_APPROVED)) == (False, approved)
    told = read(run, ADDRESS, v.DYNAMICS_APPROVED)
    assert told is None or told.at == then.replace(microsecond=0)
    # Whoever begins anew knows the same, and has not asked anybody.
    assert next((one for one in kept if (one.subject, one.key) == (ADDRESS, v.DYNAMICS_APPROVED)), None) == told
    assert not [one for one in kept if one.key == v.DYNAMICS_ORGANIZATION_ID]
    gap = read(run, "deployment", v.DYNAMICS_ORGANIZATION_ID)
    assert isinstance(gap, Missing)
    assert words in gap.detail
    findings = {finding.rule.id: finding for finding in run.assessments[0].findings}
    assert findings["address-not-approved"].result is result
    assert findings["dynamics-records-not-read"].result is Result.UNKNOWN
    if result is Result.UNKNOWN:
        assert findings["address-not-approved"].directions == {}
        assert [a.directions for a in run.assessments] == [a.directions for a in without.assessments]
    text = " ".join(render(run, signed_in="not-tried").split())
    assert f"Dynamics' own records were not read: {gap.detail}." in text
    # What was compared with the estate is not kept: the estate may be another by then.
    assert read(run, ADDRESS, v.DYNAMICS_DIFFERS) is None
    assert [r for r in forgetful.readings if r.key in v.DYNAMICS_KEYS] == [read(forgetful, "deployment", v.DYNAMICS_ORGANIZATION_ID)]


async def test_what_another_organization_said_is_not_known_of_this_one(tmp_path: Path) -> None:
    """An estate that is bound to another organization since then has nothing of the first."""
    async with reading(tmp_path) as (_, estate, options):
        await check(estate, estate.mailboxes, options)
        assert estate.dynamics is not None
        bound = replace(estate.dynamics, organization=BoundOrganization("5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11", "Other"))
        run = await check(replace(estate, dynamics=bound), estate.mailboxes, options)
    assert [r for r in run.readings if r.key in v.DYNAMICS_KEYS] == [read(run, "deployment", v.DYNAMICS_ORGANIZATION_ID)]


async def test_no_secret_is_kept_of_what_dynamics_said(tmp_path: Path) -> None:
    """A word of Dynamics' that is a password is struck out of what is kept, as of what is told; a folder that cannot be used costs no run."""
    async with reading(tmp_path) as (site, estate, options):
        made = site.organization
        for identifier in made.mailboxes:
            made.update(MAILBOX, identifier, {"lastsyncerror": f"The server says {PASSWORD}."})
        run = await check(estate, estate.mailboxes, options)
        (tmp_path / "state" / "dynamics.sqlite").write_bytes(b"x" * 5000)
        told: list[str] = []
        again = await check(estate, estate.mailboxes, replace(options, warn=told.append))
    assert "The server says" in str(value(run, ADDRESS, v.DYNAMICS_LAST_ERROR))
    assert all(PASSWORD.encode() not in file.read_bytes() for file in (tmp_path / "state").iterdir())
    assert value(again, ADDRESS, v.DYNAMICS_APPROVED) is True
    assert [sentence for sentence in told if "not remembered" in sentence]


async def test_a_silent_server_ends_with_the_run(tmp_path: Path) -> None:
    """The run's deadline is that of Dynamics too."""
    async with reading(tmp_path) as (_, estate, options):
        run = await check(estate, estate.mailboxes, replace(options, deadline=0.0))
    assert value(run, "deployment", v.DYNAMICS_ORGANIZATION_ID) is Why.TIMED_OUT


@pytest.mark.parametrize("form", ["json", "text"])
async def test_a_dry_run_names_dynamics(tmp_path: Path, form: str) -> None:
    """Whoever asks what would be done reads where Dynamics is asked, and as whom; nobody is asked meanwhile."""
    async with reading(tmp_path) as (site, estate, options):
        file = tmp_path / "plan"
        output = Output(format=form, file=file, quiet=False, verbose=False, transcripts=False, colour=False, log_format="text")
        write_plan(output, plan_check(estate, estate.mailboxes, options), probers())
        assert not site.requests
    text = file.read_text(encoding="utf-8")
    assert str(estate.dynamics and estate.dynamics.url) in text
    assert "svc-probe" in text


async def test_a_failed_mailbox_has_its_alerts_read_and_waiting_mail_is_optional(tmp_path: Path) -> None:
    """An open alert of a mailbox whose appointments failed tells of another organization; an account that may not read mail reads the rest."""
    async with reading(tmp_path) as (site, estate, options):
        made = site.organization
        mailbox = next(identifier for identifier, row in made.mailboxes.items() if row["emailaddress"] == ADDRESS)
        made.update(MAILBOX, mailbox, {"actstatus": 2})
        words = "The mailbox sales@contoso.test is configured with another organization."
        made.add_trace_log(mailbox, level=3, tracestatus=0, text=words)
        run = await check(estate, estate.mailboxes, options)
        site.faults.append(fails("/emails?"))
        limited = await check(estate, estate.mailboxes, options)
    assert (value(run, ADDRESS, v.DYNAMICS_ORGANIZATION), value(run, OTHER, v.DYNAMICS_ORGANIZATION)) == ("other", Why.NOT_APPLICABLE)
    assert read(limited, ADDRESS, v.DYNAMICS_PENDING_SEND) is None
    assert value(limited, ADDRESS, v.DYNAMICS_ORGANIZATION) == "other"
