"""A mailbox that does not live where its profile leads."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.keys import FactKey
from probe.model.rules import Case, Result
from probe.rules.on_premises.mailbox_lives_elsewhere import RULE
from tests.cases import Known, exchange_case, gmail_case, online_case, result_of


def case_of(server_type: str, location: str | Why, source: str = "said", **more: Known) -> Case:
    mailbox: Known = {v.MAILBOX_LOCATION: location, v.MAILBOX_LOCATION_SOURCE: source, **more.pop("mailbox", {})}
    made = online_case if server_type == "exchange-online" else exchange_case
    return made(profile={v.PROFILE_SERVER_TYPE: server_type}, mailbox=mailbox, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("server_type", "location", "result"),
    [
        ("exchange-server", "on-premises", Result.HOLDS),
        ("exchange-server", "exchange-online", Result.FAILS),
        ("exchange-server", "elsewhere", Result.FAILS),
        ("exchange-server-hybrid", "on-premises", Result.HOLDS),
        ("exchange-server-hybrid", "exchange-online", Result.FAILS),
        ("exchange-server-hybrid", "elsewhere", Result.FAILS),
        ("exchange-online", "exchange-online", Result.HOLDS),
        ("exchange-online", "on-premises", Result.FAILS),
        ("exchange-online", "elsewhere", Result.FAILS),
    ],
)
def test_each_kind_of_profile_reaches_one_place(server_type: str, location: str, result: Result) -> None:
    """Exchange Server and Exchange Server (Hybrid) reach an Exchange on premises, Exchange Online reaches Exchange Online, and none reaches further."""
    assert result_of(RULE, case_of(server_type, location)) is result


@pytest.mark.parametrize("server_type", ["exchange-server", "exchange-server-hybrid", "exchange-online"])
@pytest.mark.parametrize("location", ["on-premises", "exchange-online", "elsewhere", Why.NOT_DISCLOSED, Why.CONFLICTING])
def test_it_holds_where_a_sign_in_opened_the_mailbox(server_type: str, location: str | Why) -> None:
    """What was opened by way of the profile is reached by it, whatever is said."""
    assert result_of(RULE, case_of(server_type, location, "opened")) is Result.HOLDS


@pytest.mark.parametrize("server_type", ["exchange-server", "exchange-server-hybrid", "exchange-online"])
def test_it_holds_where_nobody_tells(server_type: str) -> None:
    """A location that nobody tells speaks against no profile; one that is told in two ways leaves it open."""
    assert result_of(RULE, case_of(server_type, Why.NOT_DISCLOSED, "nobody")) is Result.HOLDS
    assert result_of(RULE, case_of(server_type, Why.TIMED_OUT, "nobody")) is Result.HOLDS
    assert result_of(RULE, case_of(server_type, Why.CONFLICTING, "said")) is Result.UNKNOWN


UNUSED: Known = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}


@pytest.mark.parametrize("way", [v.MAILBOX_INCOMING, v.MAILBOX_OUTGOING, v.MAILBOX_APPOINTMENTS], ids=lambda key: key.name)
def test_it_fails_for_each_use_alone(way: FactKey[str]) -> None:
    """A mailbox that is only collected, only sends, or only synchronizes appointments is not reached either."""
    assert result_of(RULE, case_of("exchange-server", "exchange-online", mailbox={**UNUSED, way: "server-side"})) is Result.FAILS


CLOUD: Known = {v.SERVER_PRODUCT: "Exchange Online", v.AUTH_SCHEMES: ("Bearer",)}


@pytest.mark.parametrize(("location", "source"), [("exchange-online", "said"), ("on-premises", "said"), (Why.NOT_DISCLOSED, "nobody")])
def test_an_exchange_server_profile_does_not_lead_to_exchange_online(location: str | Why, source: str) -> None:
    """Wherever the mailbox is said to live, unless it was opened there."""
    assert result_of(RULE, case_of("exchange-server", location, source, endpoint=CLOUD)) is Result.FAILS
    assert result_of(RULE, case_of("exchange-server", location, "opened", endpoint=CLOUD)) is Result.HOLDS


def test_a_hybrid_profile_may_lead_to_exchange_online() -> None:
    """Where nobody tells where the mailbox lives, that alone speaks against nothing."""
    assert result_of(RULE, case_of("exchange-server-hybrid", Why.NOT_DISCLOSED, "nobody", endpoint=CLOUD)) is Result.HOLDS


@pytest.mark.parametrize("product", ["Exchange", Why.NOT_DISCLOSED])
def test_an_exchange_that_hides_and_offers_ntlm_is_no_exchange_online(product: str | Why) -> None:
    """What hides its number is a server of somebody's where it offers one of Windows' schemes; else it may be Exchange Online."""
    hidden: Known = {v.SERVER_PRODUCT: product, v.AUTH_SCHEMES: ("Negotiate", "NTLM")}
    assert result_of(RULE, case_of("exchange-server", "on-premises", endpoint=hidden)) is Result.HOLDS
    assert result_of(RULE, case_of("exchange-server", "on-premises", endpoint={**hidden, v.AUTH_SCHEMES: ("Basic",)})) is Result.UNKNOWN


def test_it_does_not_apply_to_other_profiles_or_to_nobody() -> None:
    """A POP3/SMTP profile reaches whatever speaks POP3, and who is not served is not meant."""
    assert result_of(RULE, gmail_case(mailbox={v.MAILBOX_LOCATION: "exchange-online"})) is Result.NOT_APPLICABLE
    assert result_of(RULE, case_of("exchange-server", "exchange-online", mailbox=UNUSED)) is Result.NOT_APPLICABLE
