"""Conditions of signing in: with what a profile does, and whether this program may. Beside each stands what it needs."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask, negate
from probe.model.estate import Authentication, Credentials, Effect, Service
from probe.model.rules import Case, Needs
from probe.rules.conditions import SERVED, SPEAKING, any_served, is_one_of, of_endpoints, served, uses

SIGNING_IN_AS_USER = Needs(profile=(v.PROFILE_CREDENTIALS,))
"""What `signs_in_as_user` looks at."""


def signs_in_as_user(case: Case) -> Answer:
    return is_one_of(case.profile, v.PROFILE_CREDENTIALS, Credentials.MAILBOX, Credentials.PROFILE)


SIGNING_IN_WITH_PASSWORD = SIGNING_IN_AS_USER | Needs(profile=(v.PROFILE_AUTHENTICATION,))
"""What `signs_in_with_password` looks at."""


def signs_in_with_password(case: Case) -> Answer:
    return all_of(signs_in_as_user(case), negate(is_one_of(case.profile, v.PROFILE_AUTHENTICATION, Authentication.OAUTH)))


ALLOWING = Needs(deployment=(v.DEPLOYMENT_ALLOWS,))
"""What `allows` looks at."""


def allows(case: Case, *effects: Effect) -> Answer:
    """Whether all of these effects are allowed."""
    return ask(case.deployment, v.DEPLOYMENT_ALLOWS, lambda allowed: set(effects) <= set(allowed))


SIGNING_IN_AS_SERVICE = (
    SIGNING_IN_WITH_PASSWORD | SERVED | SPEAKING | Needs(deployment=(v.DEPLOYMENT_NAMES_SERVICE_ACCOUNT,)) | of_endpoints(v.AUTH_AS_SERVICE)
)
"""What `signs_in_as_service` looks at."""


def signs_in_as_service(case: Case) -> Answer:
    """Whether the profile signs in as the asynchronous service does, and this program ran as its account."""
    return all_of(
        is_one_of(case.profile, v.PROFILE_CREDENTIALS, Credentials.WINDOWS_INTEGRATED),
        is_one_of(case.profile, v.PROFILE_AUTHENTICATION, Authentication.AUTO, Authentication.NEGOTIATE),
        ask(case.deployment, v.DEPLOYMENT_NAMES_SERVICE_ACCOUNT, bool),
        any_served(served(case, Service.EWS), lambda endpoint: ask(endpoint, v.AUTH_AS_SERVICE, bool)),
    )


LOGGING_IN = ALLOWING | SIGNING_IN_AS_SERVICE | Needs(profile=(v.PROFILE_APPLICATION,))
"""What `logs_in` looks at."""


def logs_in(case: Case) -> Answer:
    """Whether this program may try a login, and has something to try: only then can it be asked what came of one."""
    return all_of(allows_logins(case), can_sign_in(case))


def allows_logins(case: Case) -> Answer:
    return allows(case, Effect.LOGS_IN)


def can_sign_in(case: Case) -> Answer:
    """Whether the profile signs in with what others than the Dynamics server may have, an application stands in for it, or this program ran as it."""
    return any_of(signs_in_as_user(case), ask(case.profile, v.PROFILE_APPLICATION, bool), signs_in_as_service(case))


TRYING_A_LOGIN = LOGGING_IN | SERVED
"""What `tries_a_login` looks at."""


def tries_a_login(case: Case) -> Answer:
    """Whether a login may be tried at a server that is used."""
    return all_of(logs_in(case), uses()(case))


OPENING_AN_INBOX = TRYING_A_LOGIN | SPEAKING
"""What `opens_an_inbox` looks at."""


def opens_an_inbox(case: Case) -> Answer:
    """Whether a login may be tried at an EWS endpoint that is used, so that it can be asked what came of the inbox."""
    return all_of(logs_in(case), uses(Service.EWS)(case))
