"""Conditions of signing in: with what a profile does at each endpoint, and whether this program may. Beside each stands what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask, negate
from probe.model.estate import Authentication, Credentials, Effect, Service
from probe.model.facts import Facts
from probe.model.keys import FactKey
from probe.model.rules import Case, Needs
from probe.model.values import dataclass
from probe.rules.conditions import SERVED, SPEAKING, Condition, any_served, every_served, is_one_of, of_endpoints, served, speaks


@dataclass(frozen=True, slots=True)
class SettingsKeys:
    """The keys of how a profile signs in at one of its endpoints."""

    authentication: FactKey[str]
    credentials: FactKey[str]
    application: FactKey[bool]
    impersonation: FactKey[bool]
    fips_validated: FactKey[str]


AT_INCOMING = SettingsKeys(
    v.PROFILE_AUTHENTICATION, v.PROFILE_CREDENTIALS, v.PROFILE_APPLICATION, v.PROFILE_IMPERSONATION, v.PROFILE_FIPS_VALIDATED
)
AT_OUTGOING = SettingsKeys(
    v.PROFILE_OUTGOING_AUTHENTICATION,
    v.PROFILE_OUTGOING_CREDENTIALS,
    v.PROFILE_OUTGOING_APPLICATION,
    v.PROFILE_OUTGOING_IMPERSONATION,
    v.PROFILE_OUTGOING_FIPS_VALIDATED,
)


class EndpointTest(Protocol):
    """A test of an endpoint by how the profile signs in there."""

    def __call__(self, endpoint: Facts, /, keys: SettingsKeys) -> Answer: ...


def of_settings(*names: str) -> Needs:
    """These settings of both endpoints, by their names in SettingsKeys."""
    return Needs(profile=tuple(getattr(keys, name) for keys in (AT_INCOMING, AT_OUTGOING) for name in names))


def every_endpoint(case: Case, test: EndpointTest, *services: Service) -> Answer:
    """Whether each endpoint that is used passes; with services, each that speaks one of them."""
    return all_of(*(every_served((one,), tested) for one, tested in _tested(case, test, *services)))


def any_endpoint(case: Case, test: EndpointTest, *services: Service) -> Answer:
    """Whether an endpoint that is used passes; with services, one that speaks one of them."""
    return any_of(*(any_served((one,), tested) for one, tested in _tested(case, test, *services)))


def _tested(case: Case, test: EndpointTest, *services: Service) -> Iterator[tuple[tuple[Answer, Facts], Callable[[Facts], Answer]]]:
    for one, keys in zip(served(case, *services), (AT_INCOMING, AT_OUTGOING), strict=True):
        yield one, partial(test, keys=keys)


SIGNING_IN_AS_USER = of_settings("credentials")
"""What `signs_in_as_user` looks at."""


def signs_in_as_user(case: Case, keys: SettingsKeys) -> Answer:
    return is_one_of(case.profile, keys.credentials, Credentials.MAILBOX, Credentials.PROFILE)


SIGNING_IN_WITH_PASSWORD = SIGNING_IN_AS_USER | of_settings("authentication")
"""What `signs_in_with_password` looks at."""


def signs_in_with_password(case: Case, keys: SettingsKeys) -> Answer:
    return all_of(signs_in_as_user(case, keys), negate(is_one_of(case.profile, keys.authentication, Authentication.OAUTH)))


ALLOWING = Needs(deployment=(v.DEPLOYMENT_ALLOWS,))
"""What `allows` looks at."""


def allows(case: Case, *effects: Effect) -> Answer:
    """Whether all of these effects are allowed."""
    return ask(case.deployment, v.DEPLOYMENT_ALLOWS, lambda allowed: set(effects) <= set(allowed))


SIGNING_IN_AS_SERVICE = (
    SIGNING_IN_WITH_PASSWORD | SPEAKING | Needs(deployment=(v.DEPLOYMENT_NAMES_SERVICE_ACCOUNT,)) | of_endpoints(v.AUTH_AS_SERVICE)
)
"""What `signs_in_as_service` looks at."""


def signs_in_as_service(case: Case, keys: SettingsKeys) -> Answer:
    """Whether the profile signs in at the endpoint of these keys as the asynchronous service does, and this program ran as its account."""
    endpoint = case.incoming if keys is AT_INCOMING else case.outgoing
    return all_of(
        is_one_of(case.profile, keys.credentials, Credentials.WINDOWS_INTEGRATED),
        is_one_of(case.profile, keys.authentication, Authentication.AUTO, Authentication.NEGOTIATE),
        ask(case.deployment, v.DEPLOYMENT_NAMES_SERVICE_ACCOUNT, bool),
        speaks(endpoint, Service.EWS),
        ask(endpoint, v.AUTH_AS_SERVICE, bool),
    )


LOGGING_IN = ALLOWING | SIGNING_IN_AS_SERVICE | of_settings("application")
"""What `logs_in` looks at."""


def logs_in(case: Case, keys: SettingsKeys) -> Answer:
    """Whether this program may try a login, and has something to try: only then can it be asked what came of one."""
    return all_of(allows_logins(case), can_sign_in(case, keys))


def allows_logins(case: Case) -> Answer:
    return allows(case, Effect.LOGS_IN)


def can_sign_in(case: Case, keys: SettingsKeys) -> Answer:
    """Whether the profile signs in with what others than the Dynamics server may have, an application stands in for it, or this program ran as it."""
    return any_of(signs_in_as_user(case, keys), ask(case.profile, keys.application, bool), signs_in_as_service(case, keys))


TRYING_A_LOGIN = LOGGING_IN | SERVED
"""What `tries_a_login` and `each_login` look at."""


def tries_a_login(case: Case) -> Answer:
    """Whether a login may be tried at a server that is used."""
    return any_endpoint(case, lambda _, keys: logs_in(case, keys))


def each_login(test: Callable[[Facts], Answer], *services: Service) -> Condition:
    """The condition that each endpoint passes that is used and at which a login may be tried; with services, each that speaks one of them."""
    return lambda case: every_endpoint(case, lambda endpoint, keys: any_of(negate(logs_in(case, keys)), test(endpoint)), *services)


OPENING_AN_INBOX = TRYING_A_LOGIN | SPEAKING
"""What `opens_an_inbox` looks at."""


def opens_an_inbox(case: Case) -> Answer:
    """Whether a login may be tried at an EWS endpoint that is used, so that it can be asked what came of the inbox."""
    return any_endpoint(case, lambda _, keys: logs_in(case, keys), Service.EWS)
