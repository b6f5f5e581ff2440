"""What answers at an endpoint speaks another protocol."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import ask
from probe.model.rules import By, Otherwise, Rule
from probe.rules import PROFILES, SERVED, admin_page, each, of_endpoints, uses

RULE = Rule(
    id="silent-or-foreign-service",
    title="Something else, or nothing, answers",
    statement="The service at every endpoint that is used answers in the endpoint's protocol.",
    references=(admin_page("Connect to POP3 or SMTP servers", "connect-to-pop3-or-smtp-servers"),),
    needs=SERVED | of_endpoints(v.PROTOCOL_SPOKEN),
    by=By.READINESS,
    lists=False,
    applies=uses(),
    holds=each(lambda endpoint: ask(endpoint, v.PROTOCOL_SPOKEN, bool)),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Compare host, port and the SSL setting of the profile with what runs on HOST: "
        "995 and 465 have implicit TLS, 110 and 587 begin without TLS, 443 is for EWS. "
        f"The profile stands under {PROFILES}."
    ),
)
