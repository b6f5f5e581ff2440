"""What came of signing in for a mailbox: the worst over the endpoints that server-side synchronization uses for it."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Truth
from probe.model.facts import Facts
from probe.model.rules import Case, SignedIn
from probe.rules import TRYING_A_LOGIN, allows_logins, can_sign_in, of_endpoints, served

NEEDS = TRYING_A_LOGIN | of_endpoints(v.AUTH_ACCEPTED, v.AUTH_REFUSAL)
"""What is looked at."""


def signed_in(case: Case) -> SignedIn:
    """For a mailbox that is served. That only the Dynamics server has the credentials comes before a missing permission, which would not help then."""
    case = case.restricted_to(NEEDS)
    outcomes = {_at(case, endpoint) for is_used, endpoint in served(case) if is_used.truth is Truth.YES}
    return next(outcome for outcome in SignedIn if outcome in outcomes)


def _at(case: Case, endpoint: Facts) -> SignedIn:
    accepted, causes = endpoint.value(v.AUTH_ACCEPTED), endpoint.value(v.AUTH_REFUSAL)
    if accepted:
        return SignedIn.YES
    if accepted is False or causes:
        return SignedIn.REFUSED
    if can_sign_in(case).truth is Truth.NO:
        return SignedIn.IMPOSSIBLE
    return SignedIn.NOT_TRIED if allows_logins(case).truth is Truth.YES else SignedIn.NOT_ALLOWED
