"""Calendar, contacts and tasks of a mailbox whose appointments are synchronized through EWS.

The inbox may open while another folder does not: a delegate's rights go folder by folder, and a folder may be missing.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of
from probe.model.estate import Service
from probe.model.rules import By, Case, Direction, Needs, Otherwise, Rule
from probe.rules import ALLOWING, AT_INCOMING, RESPONSE_CODES, is_server_side, logs_in, of_delivery, opened_unless, speaks, told

# EWS ResponseCode: rights and folders that are missing until somebody mends it. Those of moves and load are left open.
_DENIED = ("ErrorAccessDenied", "ErrorFolderNotFound", "ErrorItemNotFound", "ErrorNonExistentMailbox", "ErrorImpersonateUserDenied")
_FOLDERS = (v.EWS_CALENDAR, v.EWS_CONTACTS, v.EWS_TASKS)


def _applies(case: Case) -> Answer:
    return all_of(logs_in(case, AT_INCOMING), is_server_side(case, Direction.APPOINTMENTS), speaks(case.incoming, Service.EWS))


def _holds(case: Case) -> Answer:
    return all_of(*(told(case.incoming, key, opened_unless(*_DENIED)) for key in _FOLDERS))


RULE = Rule(
    id="appointment-folders-not-opened",
    title="Calendar or other folder not opened",
    statement="Where appointments, contacts and tasks are synchronized, the account opens the mailbox's calendar, contacts and tasks.",
    references=(RESPONSE_CODES,),
    needs=of_delivery(Direction.APPOINTMENTS)
    | ALLOWING
    | Needs(
        deployment=(v.DEPLOYMENT_NAMES_SERVICE_ACCOUNT,),
        profile=(v.PROFILE_CREDENTIALS, v.PROFILE_AUTHENTICATION, v.PROFILE_APPLICATION),
        incoming=(v.ENDPOINT_SERVICE, v.AUTH_AS_SERVICE, *_FOLDERS),
    ),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Let ACCOUNT open the whole mailbox, or switch appointments off for it. Full Access is granted on Exchange by "
        "`Add-MailboxPermission -Identity ADDRESS -User ACCOUNT -AccessRights FullAccess` "
        "Where the profile impersonates, the role does the same. A missing folder is created again when the owner signs in to Outlook, or by "
        "`outlook.exe /resetfolders`. To switch appointments off, set Appointments, Contacts, and Tasks of the Dynamics mailbox to None."
    ),
)
