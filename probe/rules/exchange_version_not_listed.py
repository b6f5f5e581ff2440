"""The first row of the table, for mail: which Exchange may stand behind Exchange Web Services."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer
from probe.model.estate import Service
from probe.model.rules import By, Case, Otherwise, Rule
from probe.rules import TABLE, any_served, every_served, is_each_product, needs_of_served, page, served

# Not shared with the row's other half: the two columns are two statements, and may come to differ.
_LISTED = ("Exchange Online", "Exchange Server 2010", "Exchange Server 2013", "Exchange Server 2016", "Exchange Server 2019")


def _applies(case: Case) -> Answer:
    return any_served(served(case, Service.EWS, for_mail=True))


def _holds(case: Case) -> Answer:
    return every_served(served(case, Service.EWS, for_mail=True), lambda endpoint: is_each_product(endpoint, *_LISTED))


RULE = Rule(
    id="exchange-version-not-listed",
    title="Exchange that the page does not list",
    statement="Over Exchange Web Services, mail is synchronized with Exchange Online and with Exchange Server 2010, 2013, 2016 and 2019.",
    references=(page(TABLE),),
    needs=needs_of_served(v.ENDPOINT_SERVICE, v.SERVER_PRODUCT, v.SERVER_PRODUCTS, for_mail=True),
    by=By.MICROSOFT,
    lists=True,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_LISTED,
    remedy=(
        "Ask Microsoft support for a written statement on this Exchange (SE is newer than the page), or move the mailbox to one that is listed. "
        "With the statement in hand, accept it in scripts with `--accept not-listed`."
    ),
)
