"""A mailbox for which Autodiscover found another endpoint than the one that was looked at."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, ask
from probe.model.estate import Endpoint, Service
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import MAILBOXES, PROFILES, SERVED, SPEAKING, admin_page, any_served, served, was_asked


def _applies(case: Case) -> Answer:
    is_found = all_of(ask(case.profile, v.PROFILE_AUTODISCOVER, bool), was_asked(case.mailbox, v.DYNAMICS_EWS_URL))
    return all_of(is_found, any_served(served(case, Service.EWS)))


def _holds(case: Case) -> Answer:
    return ask(case.mailbox, v.DYNAMICS_EWS_URL, lambda url: _is_at(url, case.incoming.subject))


def _is_at(url: str, endpoint: str) -> bool:
    try:
        found, declared = Endpoint.parse(url), Endpoint.parse(endpoint)
    except ValueError:
        return False
    return (found.host, found.port, found.path.lower()) == (declared.host, declared.port, declared.path.lower())


RULE = Rule(
    id="ews-url-of-another-server",
    title="Autodiscover leads elsewhere",
    statement="Where Autodiscover finds the server, what it found for the mailbox is the endpoint that the estate names.",
    references=(admin_page("Connect to Exchange Server (on-premises)", "connect-on-prem-exchange-server-on-prem"),),
    needs=SERVED | SPEAKING | Needs(profile=(v.PROFILE_AUTODISCOVER,), mailbox=(v.DYNAMICS_EWS_URL,)),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.ADVICE,
    remedy=(
        f"This run probed the endpoint of the estate; Dynamics uses `dynamics.ews_url` of the mailbox ADDRESS ({MAILBOXES}). Where that is the right one, give the mailboxes behind it a "
        f"profile of the estate that names it; where it is an old one, correct what Autodiscover answers, or set Auto Discover Server Location of the profile to No ({PROFILES})."
    ),
)
