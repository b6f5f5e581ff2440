"""The first row of the table, for mail: which Exchange may stand behind Exchange Web Services."""

from __future__ import annotations

from probe.model.estate import Service
from probe.model.rules import By, Otherwise, Rule
from probe.rules import EACH_PRODUCT, SERVED_FOR_MAIL, SPEAKING, TABLE, each, is_each_product, page, uses

# Not shared with the row's other half: the two columns are two statements, and may come to differ.
_LISTED = ("Exchange Online", "Exchange Server 2010", "Exchange Server 2013", "Exchange Server 2016", "Exchange Server 2019")


RULE = Rule(
    id="exchange-version-not-listed",
    title="Exchange that the page does not list",
    statement="Over Exchange Web Services, mail is synchronized with Exchange Online and with Exchange Server 2010, 2013, 2016 and 2019.",
    references=(page(TABLE),),
    needs=SERVED_FOR_MAIL | SPEAKING | EACH_PRODUCT,
    by=By.MICROSOFT,
    lists=True,
    applies=uses(Service.EWS, for_mail=True),
    holds=each(lambda endpoint: is_each_product(endpoint, *_LISTED), Service.EWS, for_mail=True),
    otherwise=Otherwise.NOT_LISTED,
    remedy=(
        "Ask Microsoft support for a written statement on this Exchange (SE is newer than the page), or move the mailbox to one that is listed. "
        "With the statement in hand, accept it in scripts with `--accept not-listed`."
    ),
)
