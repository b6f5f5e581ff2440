"""Exchange Server 2003 and 2007, whichever protocol they are spoken to in."""

from __future__ import annotations

from probe.model.rules import By, Otherwise, Rule
from probe.rules import (
    EACH_PRODUCT,
    EMAIL_ROUTER,
    EMAIL_ROUTER_END,
    EXCHANGE_ONLINE_END,
    SERVED,
    UNSUPPORTED,
    each,
    is_no_product,
    page,
    uses,
)
from probe.tables.exchange import end_of_support

RULE = Rule(
    id="exchange-2003-or-2007",
    title="Exchange Server 2003 or 2007",
    statement="Exchange Server 2003 and Exchange Server 2007 are not supported.",
    references=(page(UNSUPPORTED), EMAIL_ROUTER_END),
    needs=SERVED | EACH_PRODUCT,
    by=By.MICROSOFT,
    lists=False,
    applies=uses(),
    holds=each(lambda endpoint: is_no_product(endpoint, "Exchange Server 2003", "Exchange Server 2007")),
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(
        "Move the mailbox to another Exchange, give it the profile of that, and test and enable it again. Exchange Server 2019 is the newest that the page lists, and is out of support since "
        f"{end_of_support('Exchange Server 2019')}; Exchange Server SE is supported and not listed: ask Microsoft support first. Exchange Online is listed, and reached only until {EXCHANGE_ONLINE_END}.\n"
        f"{EMAIL_ROUTER}"
    ),
)
