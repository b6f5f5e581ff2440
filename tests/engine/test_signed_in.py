"""What came of signing in for a mailbox."""

from __future__ import annotations

import pytest

from probe.engine.signed_in import signed_in
from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.keys import FactKey
from tests.cases import Known, exchange_case, gmail_case

ALLOWED: Known = {v.DEPLOYMENT_ALLOWS: ("logs-in",)}
LET_IN: Known = {v.AUTH_ACCEPTED: True, v.AUTH_REFUSAL: ()}
REFUSED: Known = {v.AUTH_ACCEPTED: False, v.AUTH_REFUSAL: ("bad-credentials",)}
UNTRIED: Known = {v.AUTH_ACCEPTED: Why.TIMED_OUT, v.AUTH_REFUSAL: Why.TIMED_OUT}


@pytest.mark.parametrize(
    ("incoming", "outgoing", "said"),
    [
        (LET_IN, LET_IN, "yes"),
        (LET_IN, UNTRIED, "not-tried"),
        (UNTRIED, LET_IN, "not-tried"),
        (LET_IN, REFUSED, "refused"),
        (REFUSED, UNTRIED, "refused"),
        (LET_IN, {v.AUTH_REFUSAL: ("temporary-failure",)}, "refused"),
        ({}, {}, "not-tried"),
    ],
)
def test_the_worst_of_the_endpoints_counts(incoming: Known, outgoing: Known, said: str) -> None:
    """A refusal anywhere outweighs a login that was not tried, and that one that was accepted."""
    assert signed_in(gmail_case(deployment=ALLOWED, incoming=incoming, outgoing=outgoing)) == said


@pytest.mark.parametrize(("used", "said"), [(v.MAILBOX_INCOMING, "yes"), (v.MAILBOX_OUTGOING, "refused")])
def test_an_endpoint_that_is_not_used_does_not_count(used: FactKey[str], said: str) -> None:
    """Of a mailbox that is only collected or only sends, one endpoint counts."""
    unused: Known = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    case = gmail_case(deployment=ALLOWED, mailbox={**unused, used: "server-side"}, incoming=LET_IN, outgoing=REFUSED)
    assert signed_in(case) == said


def test_appointments_come_by_the_incoming_endpoint() -> None:
    """A mailbox whose appointments alone are synchronized is signed in to there."""
    alone: Known = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none"}
    assert signed_in(exchange_case(deployment=ALLOWED, mailbox=alone, incoming=LET_IN, outgoing=REFUSED)) == "yes"


def test_where_nobody_allowed_it_it_was_not_allowed() -> None:
    """With credentials that others may have, it is the permission that is missing."""
    assert signed_in(exchange_case()) == "not-allowed"
    assert signed_in(gmail_case(deployment={v.DEPLOYMENT_ALLOWS: ("provokes",)})) == "not-allowed"


@pytest.mark.parametrize("credentials", ["server-to-server", "windows-integrated"])
@pytest.mark.parametrize("deployment", [{}, ALLOWED], ids=["not allowed", "allowed"])
def test_credentials_of_the_dynamics_server_make_it_impossible(credentials: str, deployment: Known) -> None:
    """Whatever is allowed, since no permission would help; an application of one's own does."""
    profile: Known = {v.PROFILE_CREDENTIALS: credentials}
    assert signed_in(exchange_case(deployment=deployment, profile=profile)) == "impossible"
    with_application: Known = {**profile, v.PROFILE_APPLICATION: True}
    assert signed_in(exchange_case(deployment=deployment, profile=with_application)) == ("not-tried" if deployment else "not-allowed")
    assert signed_in(exchange_case(deployment=deployment, profile=with_application, endpoint=LET_IN)) == "yes"


@pytest.mark.parametrize(
    ("named", "authentication", "endpoint", "said"),
    [
        (True, "negotiate", {v.AUTH_AS_SERVICE: False}, "impossible"),
        (True, "negotiate", {v.AUTH_AS_SERVICE: True, **LET_IN}, "yes"),
        (True, "auto", {v.AUTH_AS_SERVICE: True, v.AUTH_ACCEPTED: False}, "refused"),
        (True, "auto", {v.AUTH_AS_SERVICE: True}, "not-tried"),
        (True, "ntlm", {}, "impossible"),
        (False, "negotiate", {}, "impossible"),
    ],
)
def test_the_service_s_own_sign_in_counts_where_this_program_ran_as_it(
    named: bool, authentication: str, endpoint: Known, said: str
) -> None:
    """As another account, or where the estate does not say as whom, nobody but the Dynamics server could."""
    deployment: Known = {**ALLOWED, v.DEPLOYMENT_NAMES_SERVICE_ACCOUNT: named}
    profile: Known = {v.PROFILE_CREDENTIALS: "windows-integrated", v.PROFILE_AUTHENTICATION: authentication}
    assert signed_in(exchange_case(deployment=deployment, profile=profile, endpoint=endpoint)) == said


@pytest.mark.parametrize(
    ("incoming", "outgoing", "said"), [(True, False, "impossible"), (False, True, "not-tried"), (True, True, "not-tried")]
)
def test_the_service_s_sign_in_counts_at_the_endpoint_whose_settings_say_so(incoming: bool, outgoing: bool, said: str) -> None:
    """What this program ran as counts where the profile sends as the service, and says nothing of the endpoint with a password."""
    deployment: Known = {**ALLOWED, v.DEPLOYMENT_NAMES_SERVICE_ACCOUNT: True}
    profile: Known = {v.PROFILE_OUTGOING_CREDENTIALS: "windows-integrated", v.PROFILE_OUTGOING_AUTHENTICATION: "negotiate"}
    as_service: tuple[Known, Known] = ({v.AUTH_AS_SERVICE: incoming, **LET_IN}, {v.AUTH_AS_SERVICE: outgoing})
    case = exchange_case(deployment=deployment, profile=profile, incoming=as_service[0], outgoing=as_service[1])
    assert signed_in(case) == said
