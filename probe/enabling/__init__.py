"""Test & Enable, asked of Dynamics for the mailboxes that the gate lets go: in batches, on the record, and compared with what was predicted.

For whom (`choosing`), how far each is (`course`) and what came of it (`outcomes`) follow purely from rows, audit and clock; `asking` alone talks to Dynamics.
`audit.jsonl` is the one record of what was asked for and what came of it; `gate.sqlite` has which mailboxes a batch is of, and every comparison.
"""

from probe.enabling.asking import Enabler, Job, Patience, Pressed
from probe.enabling.audit import AlreadyEnabling, Audit
from probe.enabling.batches import OpenBatch, close_told, open_batch
from probe.enabling.books import Books, ComparedDirection, Score, scores
from probe.enabling.choosing import ALREADY_ENABLED, DECLINED, NOBODY_TO_ASK, TAKES_OVER, Choice, Followed, Wish, choose
from probe.enabling.requests import PAGE_BATCH, EnablingPast, RecordedRequest, page_requests, past_of_mailbox, requests_of

__all__ = [
    "ALREADY_ENABLED",
    "DECLINED",
    "NOBODY_TO_ASK",
    "PAGE_BATCH",
    "TAKES_OVER",
    "AlreadyEnabling",
    "Audit",
    "Books",
    "Choice",
    "ComparedDirection",
    "Enabler",
    "EnablingPast",
    "Followed",
    "Job",
    "OpenBatch",
    "Patience",
    "Pressed",
    "RecordedRequest",
    "Score",
    "Wish",
    "choose",
    "close_told",
    "open_batch",
    "page_requests",
    "past_of_mailbox",
    "requests_of",
    "scores",
]
