"""What the operator declared, as facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT, Deployment, Effect, Endpoint, Estate, Mailbox, ServerProfile, profile_subject
from probe.model.facts import Fact, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.provenance import Declared

T = TypeVar("T")

_BY_OPERATOR = Declared("operator")


def declared_by(estate: Estate, at: datetime, allowed: frozenset[Effect] = frozenset()) -> tuple[Reading, ...]:
    """Everything that an estate says, as facts of its deployment, profiles, mailboxes and endpoints.

    `allowed` are effects that the call allowed beyond those of the estate.
    """
    readings = [*_of_deployment(estate.deployment, allowed, at)]
    for profile in estate.profiles:
        readings += _of_profile(profile, at)
    for mailbox in estate.mailboxes:
        readings += _of_mailbox(mailbox, estate.profile_of(mailbox), at)
    return (*readings, *declared_of_endpoints(estate.endpoints, at), *_products(estate, at))


def declared_of_endpoints(endpoints: Iterable[Endpoint], at: datetime) -> tuple[Reading, ...]:
    """What the URLs of endpoints say."""
    readings: list[Reading] = []
    for endpoint in endpoints:
        readings.append(_fact(endpoint.url, v.ENDPOINT_SERVICE, str(endpoint.service), at))
        readings.append(_fact(endpoint.url, v.ENDPOINT_SECURITY, str(endpoint.security), at))
        readings.append(_fact(endpoint.url, v.ENDPOINT_HOST, endpoint.host, at))
    return tuple(readings)


def _products(estate: Estate, at: datetime) -> Iterator[Reading]:
    """What answers at endpoints, by the operator's word, where a profile gives one."""
    found: dict[str, list[Endpoint]] = {}
    for mailbox in estate.mailboxes:
        if mailbox.ews_url is not None and estate.profile_of(mailbox).autodiscover:
            found.setdefault(mailbox.profile, []).append(mailbox.ews_url)
    for profile in estate.profiles:
        incoming, outgoing = profile.incoming, profile.outgoing
        words = {} if outgoing is None else {outgoing.url: profile.outgoing_product or profile.product}
        words |= {} if incoming is None else {incoming.url: profile.product}
        words |= {endpoint.url: profile.product for endpoint in dict.fromkeys(found.get(profile.name, ()))}
        yield from (_fact(url, v.SERVER_BY_WORD, word, at) for url, word in words.items() if word is not None)


def _fact(subject: str, key: FactKey[T], value: T, at: datetime) -> Fact[T]:
    return Fact(subject=subject, key=key, value=value, provenance=_BY_OPERATOR, at=at)


def _of_deployment(deployment: Deployment, allowed: frozenset[Effect], at: datetime) -> Iterator[Reading]:
    subject = DEPLOYMENT_SUBJECT
    yield _fact(subject, v.DEPLOYMENT_RUNS_ON, deployment.runs_on, at)
    yield _fact(subject, v.DEPLOYMENT_FIPS, deployment.fips, at)
    yield _fact(subject, v.DEPLOYMENT_MASS_EMAIL, deployment.mass_email, at)
    yield _fact(subject, v.DEPLOYMENT_CUSTOM_PROVIDERS, deployment.custom_email_providers, at)
    yield _fact(subject, v.DEPLOYMENT_OWA_TRACKING, deployment.outlook_on_the_web_tracking, at)
    yield _fact(subject, v.DEPLOYMENT_MANUAL_TRACKING, deployment.outlook_manual_tracking, at)
    yield _fact(subject, v.DEPLOYMENT_NAMES_SERVICE_ACCOUNT, deployment.service_account is not None, at)
    yield _fact(subject, v.DEPLOYMENT_ALLOWS, tuple(sorted(map(str, deployment.allow | allowed))), at)


def _of_profile(profile: ServerProfile, at: datetime) -> Iterator[Reading]:
    subject = profile_subject(profile.name)
    yield _fact(subject, v.PROFILE_SERVER_TYPE, str(profile.server_type), at)
    yield _fact(subject, v.PROFILE_AUTODISCOVER, profile.autodiscover, at)
    incoming, outgoing = profile.incoming_settings, profile.outgoing_settings
    yield _fact(subject, v.PROFILE_AUTHENTICATION, str(incoming.authentication), at)
    yield _fact(subject, v.PROFILE_APPLICATION, incoming.has_application, at)
    yield _fact(subject, v.PROFILE_CREDENTIALS, str(incoming.credentials), at)
    yield _fact(subject, v.PROFILE_IMPERSONATION, incoming.impersonation, at)
    yield _fact(subject, v.PROFILE_OUTGOING_AUTHENTICATION, str(outgoing.authentication), at)
    yield _fact(subject, v.PROFILE_OUTGOING_APPLICATION, outgoing.has_application, at)
    yield _fact(subject, v.PROFILE_OUTGOING_CREDENTIALS, str(outgoing.credentials), at)
    yield _fact(subject, v.PROFILE_OUTGOING_IMPERSONATION, outgoing.impersonation, at)
    yield _by_word(subject, v.PROFILE_FIPS_VALIDATED, profile.fips_validated, at)
    yield _by_word(subject, v.PROFILE_OUTGOING_FIPS_VALIDATED, profile.outgoing_fips_validated or profile.fips_validated, at)
    yield _by_word(subject, v.PROFILE_PASSWORD_ENDS, profile.password_ends, at)


def _by_word(subject: str, key: FactKey[T], word: T | None, at: datetime) -> Reading:
    """What only the operator can say, where the estate says it."""
    if word is not None:
        return _fact(subject, key, word, at)
    return Missing(subject=subject, key=key, why=Why.NOT_ATTEMPTED, detail="the estate does not say; no connection can show it")


def _of_mailbox(mailbox: Mailbox, profile: ServerProfile, at: datetime) -> Iterator[Reading]:
    subject = mailbox.address
    yield _fact(subject, v.MAILBOX_DOMAIN, mailbox.address.rpartition("@")[2].lower(), at)
    yield _fact(subject, v.MAILBOX_INCOMING, str(mailbox.incoming), at)
    yield _fact(subject, v.MAILBOX_OUTGOING, str(mailbox.outgoing), at)
    yield _fact(subject, v.MAILBOX_APPOINTMENTS, str(mailbox.appointments), at)
    yield _fact(subject, v.MAILBOX_OWN_ACCOUNT, profile.signs_in_alike and profile.opens_as_its_own(mailbox), at)
    if mailbox.location is not None:
        yield _fact(subject, v.MAILBOX_LOCATION, str(mailbox.location), at)
    if mailbox.mfa is not None:
        yield _fact(subject, v.MFA_REQUIRED, mailbox.mfa, at)
