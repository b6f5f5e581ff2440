"""Exchange Online says that EWS is closed to this user, tenant or application.

Only an answer of 403 may carry such a word, so any other status is a no to the question; a 403 without the word leaves
it open. A block may also show only once somebody has signed in; so where logins are allowed, the no waits for an
answer of EWS itself.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask, negate
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.model.rules import By, Case, Otherwise, Reference, Rule
from probe.rules import LOGGING_IN, READ_ON, SERVED, SPEAKING, SettingsKeys, article, every_endpoint, logs_in, of_endpoints, uses


def _holds(case: Case) -> Answer:
    return every_endpoint(case, lambda endpoint, keys: negate(_is_blocked(case, endpoint, keys)), Service.EWS)


def _is_blocked(case: Case, endpoint: Facts, keys: SettingsKeys) -> Answer:
    is_said = ask(endpoint, v.EWS_POLICY_BLOCK, lambda block: block in ("disabled", "blocked-by-policy"))
    is_forbidden = ask(endpoint, v.HTTP_STATUS, lambda status: status == 403)
    is_unanswered = ask(endpoint, v.EWS_INBOX, lambda _: False)
    return any_of(all_of(is_forbidden, is_said), all_of(logs_in(case, keys), is_unanswered, is_said))


RULE = Rule(
    id="ews-blocked-by-policy",
    title="EWS closed by policy",
    statement="Exchange does not close EWS to this tenant, user or application (header X-EWS-Policy-Reason of a 403 answer).",
    references=(
        Reference(
            "Control access to EWS in Exchange",
            "https://github.com/MicrosoftDocs/office-developer-exchange-docs/blob/main/docs/exchange-web-services/how-to-control-access-to-ews-in-exchange.md",
            READ_ON,
        ),
        article("Http server returned Forbidden exception", "http-server-returned-forbidden-exception"),
    ),
    needs=SERVED | SPEAKING | LOGGING_IN | of_endpoints(v.HTTP_STATUS, v.EWS_POLICY_BLOCK, v.EWS_INBOX),
    by=By.READINESS,
    lists=False,
    applies=uses(Service.EWS),
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Open EWS for the organization and for the mailbox. These show the current settings: "
        "`Get-OrganizationConfig | Format-List EwsEnabled,EwsApplicationAccessPolicy,EwsAllowList,EwsBlockList,EwsAllowedAppIDs` "
        "`Get-CASMailbox -Identity ADDRESS | Format-List EwsEnabled,EwsApplicationAccessPolicy,EwsAllowList,EwsBlockList` "
        "For `disabled`: `Set-OrganizationConfig -EwsEnabled $true` `Set-CASMailbox -Identity ADDRESS -EwsEnabled $true` "
        "For `blocked-by-policy`, where EwsApplicationAccessPolicy is EnforceAllowList: `Set-OrganizationConfig -EwsAllowList @{Add='CRM/*'}` "
        "In Exchange Online, EwsAllowedAppIDs must also name the application of Dynamics. A change may take up to 24 hours."
    ),
)
