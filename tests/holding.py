"""Conversations held one by one, without an estate: probers of a test's own, or one of the house's at a server of the test's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from probe.engine.observe import RunContext, observe
from probe.engine.plan import Anonymous, Conversation, Login, NotHeld, Plan, PlannedLogin, PlannedRoundTrip, SignsIn, named
from probe.model import vocabulary as v
from probe.model.attempts import Attempt
from probe.model.estate import Effect, Endpoint, Service
from probe.model.facts import Why
from probe.net.dial import Network
from probe.net.killable import Children
from probe.probers.tls_posture import PROBER as TLS_POSTURE
from probe.probing import EndpointSubject, MailboxSubject, Prober, Scope, TlsQuestion, TlsSubject
from tests.cases import NOON
from tests.looking import Looked, authority
from tests.runs import ASKED, a_run

QUESTION = TlsQuestion(client="sp800-52r2", fips=True, is_full=False)


def prober(probe: Any, *, collects: tuple[Any, ...] = (v.PROTOCOL_GREETING,), signs_in: bool = False) -> Prober:
    """A prober of a test's own, of scope LOGIN or ENDPOINT."""
    return Prober(
        id="a-prober",
        title="tries something",
        services=frozenset({Service.POP3}),
        effect=Effect.LOGS_IN if signs_in else Effect.READS,
        scope=Scope.LOGIN if signs_in else Scope.ENDPOINT,
        collects=collects,
        probe=probe,
    )


@dataclass(frozen=True)
class Talk:
    """A prober at an endpoint, for a mailbox or for all behind it."""

    prober: Prober
    endpoint: Endpoint
    mailbox: str | None = None
    login: Login | None = None
    not_held: str = ""
    incoming: Endpoint | None = None
    question: TlsQuestion = QUESTION

    def subject(self) -> Anonymous | SignsIn:
        """What a prober of that scope is pointed at."""
        match self.prober.scope:
            case Scope.ENDPOINT:
                return EndpointSubject(self.endpoint)
            case Scope.TLS:
                return TlsSubject(self.endpoint, self.question)
            case Scope.MAILBOX:
                assert self.mailbox is not None
                return MailboxSubject(self.endpoint, self.mailbox, finds_server=False)
        assert self.mailbox is not None
        assert self.login is not None
        login = replace(self.login, mailbox=self.mailbox)
        if self.incoming is None:
            return PlannedLogin(self.endpoint, login)
        return PlannedRoundTrip(self.endpoint, self.incoming, login)


def plan_of(talks: Sequence[Talk]) -> tuple[Plan, dict[str, Prober]]:
    """A plan that holds them, and the probers that it names. Those of a test may share an id: the second that does gets one of its own."""
    probers: dict[str, Prober] = {}
    for number, talk in enumerate(talks):
        name = talk.prober.id if talk.prober.id not in probers else f"{talk.prober.id}-{number}"
        probers[name] = replace(talk.prober, id=name)
    conversations = named(
        Conversation(
            prober=prober,
            subject=talk.subject(),
            mailbox=talk.mailbox,
            not_held=NotHeld(Why.NOT_ATTEMPTED, talk.not_held) if talk.not_held else None,
        )
        for prober, talk in zip(probers, talks, strict=True)
    )
    return Plan(estate=None, mailboxes=(), conversations=conversations, tls=None, on=NOON.date(), asked=ASKED), probers


async def held(
    talks: Sequence[Talk], *, timeout: float = 5.0, deadline: float | None = None, **context: object
) -> tuple[Sequence[Attempt], bool]:
    """Their attempts, and whether the run was interrupted."""
    plan, probers = plan_of(talks)
    async with Children() as children:
        network = Network(ca_file=authority().ca_file, children=children)
        made = RunContext(probers=probers, network=network, clock=lambda: NOON, timeout=timeout, deadline=deadline, **context)  # type: ignore[arg-type]
        return await observe(plan, made)


async def asked(url: str, client: str, *, fips: bool, timeout: float = 10.0) -> Looked:
    """The question of TLS as a check puts it, for a deployment with its FIPS policy on or off."""
    place = Endpoint.parse(url)
    attempts, _ = await held([Talk(TLS_POSTURE, place, question=TlsQuestion(client=client, fips=fips, is_full=False))], timeout=timeout)
    return Looked(a_run(attempts=attempts, readings=attempts[0].readings), place.url)
