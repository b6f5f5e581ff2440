"""Autodiscover towards an Exchange on-premises, where the server's location does not change."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import ask, negate
from probe.model.estate import ServerType
from probe.model.rules import By, Needs, Otherwise, Rule
from probe.rules import PROFILES, UNDER, admin_page, under

RULE = Rule(
    id="autodiscover-on-premises",
    title="Autodiscover towards a server that stays",
    statement="An Exchange Server profile on-premises names its server's location, and does not leave it to Autodiscover.",
    references=(admin_page("Connect to Exchange Server (on-premises)", "connect-on-prem-exchange-server-on-prem"),),
    needs=UNDER | Needs(profile=(v.PROFILE_AUTODISCOVER,)),
    by=By.READINESS,
    lists=False,
    applies=under(ServerType.EXCHANGE_SERVER),
    holds=lambda case: negate(ask(case.profile, v.PROFILE_AUTODISCOVER, bool)),
    otherwise=Otherwise.ADVICE,
    remedy=(
        f"Where the server's location does not change, set Auto Discover Server Location of the profile to No ({PROFILES}), and write the URL of EWS, usually "
        "https://HOST/EWS/Exchange.asmx, as incoming and outgoing server location: Microsoft's page recommends that, since Autodiscover may slow synchronization down."
    ),
)
