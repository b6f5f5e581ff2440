"""An estate out of Dynamics' own records: what to write of them, as which tables, and what differs from an estate that is there.

The rows are read through `probe.dynamics`; all else here is pure. Dynamics gives back no password, so that a secret is only ever a reference, named after
the record. A credential is written only where every host that would be sent it has a credential in this estate already, or was agreed to.
"""

from probe.importing.access import ImportAccess, access_to
from probe.importing.choosing import ImportedRecords, MailboxSelection, MailboxSummary, choose, read_records, read_unlisted
from probe.importing.differing import EstateMerge, ExistingEstate, KeyDifference, NotUpdated, compared, read_existing
from probe.importing.tables import QUESTIONS, EstateDraft, EstateLine, ImportedTable, WrittenAccess, drafted, wanted
from probe.importing.trust import Disclosure, known_hosts, sent_where
from probe.importing.writing import estate_text

__all__ = [
    "QUESTIONS",
    "Disclosure",
    "EstateDraft",
    "EstateLine",
    "EstateMerge",
    "ExistingEstate",
    "ImportAccess",
    "ImportedRecords",
    "ImportedTable",
    "KeyDifference",
    "MailboxSelection",
    "MailboxSummary",
    "NotUpdated",
    "WrittenAccess",
    "access_to",
    "choose",
    "compared",
    "drafted",
    "estate_text",
    "known_hosts",
    "read_existing",
    "read_records",
    "read_unlisted",
    "sent_where",
    "wanted",
]
