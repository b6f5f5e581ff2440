"""The first row of the table, for appointments, contacts and tasks."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of
from probe.model.estate import Service
from probe.model.rules import By, Case, Direction, Needs, Otherwise, Rule
from probe.rules import MAILBOXES, TABLE, is_each_product, is_server_side, of_delivery, page, speaks

_LISTED = ("Exchange Online", "Exchange Server 2010", "Exchange Server 2013", "Exchange Server 2016", "Exchange Server 2019")


def _applies(case: Case) -> Answer:
    return all_of(is_server_side(case, Direction.APPOINTMENTS), speaks(case.incoming, Service.EWS))


def _holds(case: Case) -> Answer:
    return is_each_product(case.incoming, *_LISTED)


RULE = Rule(
    id="exchange-version-not-listed-for-appointments",
    title="Exchange not listed for appointments",
    statement=(
        "Over Exchange Web Services, appointments, contacts and tasks are synchronized with Exchange Online "
        "and with Exchange Server 2010, 2013, 2016 and 2019."
    ),
    references=(page(TABLE),),
    needs=of_delivery(Direction.APPOINTMENTS) | Needs(incoming=(v.ENDPOINT_SERVICE, v.SERVER_PRODUCT, v.SERVER_PRODUCTS)),
    by=By.MICROSOFT,
    lists=True,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_LISTED,
    remedy=(
        "Ask Microsoft support for a written statement on this Exchange (SE is newer than the page), or set Appointments, Contacts, and Tasks of the mailbox to None "
        f"({MAILBOXES}) until you have it."
    ),
)
