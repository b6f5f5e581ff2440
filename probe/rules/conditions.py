"""The conditions that several rules are made of: what is served and used, who answers there, where the mailbox lives.

Beside each stands what it needs, in capitals, so that a rule which uses it names no key of its.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from datetime import date
from typing import Any, TypeVar

from probe.model import vocabulary as v
from probe.model.answers import NO, YES, Answer, Truth, all_of, any_of, ask, negate
from probe.model.estate import Delivery, Location, Security, ServerType, Service
from probe.model.facts import Fact, Facts, Why
from probe.model.keys import FactKey
from probe.model.rules import DELIVERY, Case, Direction, Needs
from probe.tables.exchange import EXCHANGE_ONLINE, UNTOLD_EXCHANGE
from probe.tables.hosts import is_exchange_online_host, told_by_host
from probe.tables.providers import provider_of_domain

T = TypeVar("T")
Condition = Callable[[Case], Answer]
Served = tuple[tuple[Answer, Facts], ...]  # endpoints, each with whether it is meant

MAIL_SERVICES = (Service.POP3, Service.SMTP, Service.IMAP)
MICROSOFT_CONSUMERS = ("outlook.com", "msn", "windows-live")
EXCHANGE_ONLINE_SHUTTING = date(2026, 10, 1)
"""From when EWS in Exchange Online is switched off, tenant by tenant."""
EXCHANGE_ONLINE_END = date(2027, 4, 1)
"""When EWS in Exchange Online ends, and Microsoft's support for Dynamics on-premises with it."""


def of_endpoints(*keys: FactKey[Any]) -> Needs:
    """These keys of both endpoints."""
    return Needs(incoming=keys, outgoing=keys)


def of_delivery(*directions: Direction) -> Needs:
    """How these directions are delivered: what `is_server_side` looks at."""
    return Needs(mailbox=tuple(DELIVERY[direction] for direction in directions))


def told(facts: Facts, key: FactKey[T], verdict: Callable[[T], Truth]) -> Answer:
    """What a value says, where some values leave the question open; unknown where there is none."""
    reading = facts.read(key)
    return Answer(verdict(reading.value) if isinstance(reading, Fact) else Truth.UNKNOWN, (reading,))


def opened_unless(*codes: str) -> Callable[[str], Truth]:
    """The verdict on what came of opening a folder: opened, or not for one of these response codes of EWS; any other code leaves it open."""

    def verdict(outcome: str) -> Truth:
        if outcome == "found":
            return Truth.YES
        return Truth.NO if outcome in codes else Truth.UNKNOWN

    return verdict


def is_one_of(facts: Facts, key: FactKey[str], *values: str) -> Answer:
    return ask(facts, key, lambda value: value in values)


def is_product(endpoint: Facts, *products: str) -> Answer:
    """Whether one of these products answers; unknown where it is some Exchange, and one of them may be the one."""

    def verdict(seen: str) -> Truth:
        if seen in UNTOLD_EXCHANGE and any(product.startswith(f"{seen} ") for product in products):
            return Truth.UNKNOWN
        return Truth.YES if seen in products else Truth.NO

    return told(endpoint, v.SERVER_PRODUCT, verdict)


EACH_PRODUCT = of_endpoints(v.SERVER_PRODUCT, v.SERVER_PRODUCTS)
"""What `is_each_product` and `is_no_product` look at."""


def is_each_product(endpoint: Facts, *products: str) -> Answer:
    """Whether one of these products answers; where servers of several answer under one name, whether each is one of these."""
    return any_of(is_product(endpoint, *products), _each_shown(endpoint, lambda shown: shown <= set(products)))


def is_no_product(endpoint: Facts, *products: str) -> Answer:
    """Whether none of these products answers, under a name of several servers neither."""
    return any_of(negate(is_product(endpoint, *products)), _each_shown(endpoint, lambda shown: not shown & set(products)))


def _each_shown(endpoint: Facts, test: Callable[[set[str]], bool]) -> Answer:
    """Whether it is some Exchange, and the products whose builds it shows pass a test."""
    is_some = ask(endpoint, v.SERVER_PRODUCT, lambda product: product in UNTOLD_EXCHANGE)
    each = ask(endpoint, v.SERVER_PRODUCTS, lambda shown: test(set(shown)))
    # A product that shows decides by itself, and is all that is cited.
    return is_some if is_some.truth is Truth.NO else all_of(is_some, each)


def is_server_side(case: Case, direction: Direction) -> Answer:
    """Whether server-side synchronization serves a direction, and it is asked about: one that is not answers as if it were not served."""
    if case.direction not in (None, direction):
        return NO
    return is_one_of(case.mailbox, DELIVERY[direction], Delivery.SERVER_SIDE)


SPEAKING = of_endpoints(v.ENDPOINT_SERVICE)
"""What `speaks` looks at, and with it every condition that is given services."""


def speaks(endpoint: Facts, *services: Service) -> Answer:
    return is_one_of(endpoint, v.ENDPOINT_SERVICE, *services)


SERVED = of_delivery(*Direction)
"""What `served`, `uses` and `each` look at."""
SERVED_FOR_MAIL = of_delivery(Direction.INCOMING, Direction.OUTGOING)
"""What they look at where they are asked for mail."""


def served(case: Case, *services: Service, for_mail: bool = False) -> Served:
    """The endpoints that server-side synchronization uses for the mailbox; with services, those that speak one of them.

    For mail: appointments, contacts and tasks, which come through the incoming endpoint too, are left aside.
    """
    ways = (Direction.INCOMING,) if for_mail else (Direction.INCOMING, Direction.APPOINTMENTS)
    receives = any_of(*(is_server_side(case, way) for way in ways))
    used = ((receives, case.incoming), (is_server_side(case, Direction.OUTGOING), case.outgoing))
    return tuple((all_of(meant, speaks(e, *services)), e) if services else (meant, e) for meant, e in used)


BEGINNING_IN_CLEAR = SERVED | of_endpoints(v.ENDPOINT_SECURITY)
"""What `in_clear_first`, `uses_in_clear` and `each_in_clear` look at."""


def in_clear_first(case: Case, *services: Service) -> Served:
    """The endpoints that are used and begin in clear, to be upgraded; with services, those that speak one of them."""
    return tuple((all_of(used, is_one_of(e, v.ENDPOINT_SECURITY, Security.UPGRADE)), e) for used, e in served(case, *services))


def every_served(endpoints: Served, test: Callable[[Facts], Answer]) -> Answer:
    """Whether each endpoint that is meant passes; those that are not meant are not cited."""
    tested = [(meant, test(endpoint)) for meant, endpoint in endpoints if meant.truth is not Truth.NO]
    return all_of(*(answer if meant.truth is Truth.YES else any_of(negate(meant), answer) for meant, answer in tested))


def any_served(endpoints: Served, test: Callable[[Facts], Answer] | None = None) -> Answer:
    """Whether an endpoint is meant at all, or one that is meant passes."""
    return any_of(*(meant if test is None else all_of(meant, test(endpoint)) for meant, endpoint in endpoints))


def uses(*services: Service, for_mail: bool = False) -> Condition:
    """The condition that an endpoint is used at all; with services, one that speaks one of them."""
    return lambda case: any_served(served(case, *services, for_mail=for_mail))


def each(test: Callable[[Facts], Answer], *services: Service, for_mail: bool = False) -> Condition:
    """The condition that each endpoint that is used passes; with services, each that speaks one of them."""
    return lambda case: every_served(served(case, *services, for_mail=for_mail), test)


def uses_in_clear(*services: Service) -> Condition:
    """The condition that an endpoint is used that begins in clear; with services, one that speaks one of them."""
    return lambda case: any_served(in_clear_first(case, *services))


def each_in_clear(test: Callable[[Facts], Answer], *services: Service) -> Condition:
    """The condition that each endpoint that is used and begins in clear passes; with services, each that speaks one of them."""
    return lambda case: every_served(in_clear_first(case, *services), test)


USING_EXCHANGE_ONLINE = SERVED | SPEAKING | of_endpoints(v.ENDPOINT_HOST, v.SERVER_PRODUCT, v.AUTH_SCHEMES)
"""What `uses_exchange_online` looks at."""


def uses_exchange_online(case: Case) -> Answer:
    """Whether Exchange Online answers at an EWS endpoint that is used."""
    return any_served(served(case, Service.EWS), is_exchange_online)


def in_exchange_online(first: date = date.min, end: date = date.max) -> Condition:
    """The condition that Exchange Online is used, on a day of judgement from the first and before the end."""
    return lambda case: all_of(YES if first <= case.date < end else NO, uses_exchange_online(case))


def never(condition: Condition) -> Condition:
    """The opposite of a condition: of a rule that holds wherever it does not apply."""
    return lambda case: negate(condition(case))


def is_exchange_online(endpoint: Facts) -> Answer:
    """Under a name that is not Exchange Online's own, what offers one of Windows' schemes is a server of somebody's, whether it tells which or not."""
    is_its_host = ask(endpoint, v.ENDPOINT_HOST, is_exchange_online_host)
    offers_windows = ask(endpoint, v.AUTH_SCHEMES, lambda schemes: bool(v.WINDOWS_SCHEMES & {s.lower() for s in schemes}))
    return all_of(is_product(endpoint, EXCHANGE_ONLINE), any_of(is_its_host, negate(offers_windows)))


ALIKE: Mapping[FactKey[Any], Callable[[Any], Hashable]] = {v.ENDPOINT_HOST: told_by_host}
"""What rules go by of a value, where that is less than the whole: each host has a name of its own."""


UNDER = SERVED | Needs(profile=(v.PROFILE_SERVER_TYPE,))
"""What `under` looks at."""


def under(*types: ServerType) -> Condition:
    """The condition that something of the mailbox is served, under a profile of one of these server types."""
    return lambda case: all_of(uses()(case), is_one_of(case.profile, v.PROFILE_SERVER_TYPE, *types))


LIVING = Needs(mailbox=(v.MAILBOX_LOCATION,))
"""What `lives` looks at."""


def lives(location: Location) -> Condition:
    """The condition that the mailbox lives there."""
    return lambda case: is_one_of(case.mailbox, v.MAILBOX_LOCATION, location)


def was_asked(endpoint: Facts, key: FactKey[Any]) -> Answer:
    """Whether a question was put at all, where a run may leave it out (`--tls none`).

    That nobody put it, or that it does not arise, is known of the run itself. A question without an answer was put.
    """
    reading = endpoint.read(key)
    is_put = isinstance(reading, Fact) or reading.why not in (Why.NOT_ATTEMPTED, Why.NOT_APPLICABLE)
    return Answer(Truth.YES if is_put else Truth.NO, (reading,))


WORKING_IN_FIPS_MODE = of_endpoints(v.FIPS_REASONS)
"""What `works_in_fips_mode` looks at."""


def works_in_fips_mode(endpoint: Facts) -> Answer:
    """Whether the deployment's Windows, in FIPS mode, comes to a TLS session there; what keeps it from one is what is cited."""
    return told(endpoint, v.FIPS_REASONS, lambda reasons: Truth.NO if reasons else Truth.YES)


OF_DOMAIN = Needs(mailbox=(v.MAILBOX_DOMAIN,))
"""What `has_domain_of` looks at."""


def has_domain_of(case: Case, *providers: str) -> Answer:
    """Whether the domain of the address is such a provider's own."""
    return ask(case.mailbox, v.MAILBOX_DOMAIN, lambda domain: provider_of_domain(domain) in providers)
