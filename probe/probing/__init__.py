"""What a prober is, and what it gets.

A prober holds one kind of conversation with one endpoint. It returns nothing: what it learns it writes into its
notebook at once, so that a conversation which dies half-way keeps what came before. It opens no socket itself;
it is handed a `Dial`. What it raises for a peer that misbehaves is of the kinds that `probe.net.failures` lists;
anything else is our bug, caught in one place by the engine.
"""

from __future__ import annotations

from probe.model.estate import Effect
from probe.net.dial import Dial
from probe.net.stream import Stream
from probe.probing.connection import CONNECTION_KEYS, PATIENCE_AT_LEAVE_SECONDS, converse, note_connection, note_no_tls, take_leave
from probe.probing.notebook import Notebook, refuse_overlong
from probe.probing.prober import (
    SUBJECTS,
    Account,
    Application,
    EndpointSubject,
    LoginSubject,
    MailboxSubject,
    Prober,
    RoundTripSubject,
    Scope,
    TlsQuestion,
    TlsSubject,
)
from probe.probing.proofs import Ending, NotClaimed, Proof, Unrecorded
from probe.probing.signing_in import LOGIN_KEYS, STRUCK, NoMechanism, choose_mechanism, converse_signed_in, note_login, note_no_login

__all__ = [
    "CONNECTION_KEYS",
    "LOGIN_KEYS",
    "PATIENCE_AT_LEAVE_SECONDS",
    "STRUCK",
    "SUBJECTS",
    "Account",
    "Application",
    "Dial",
    "Effect",
    "Ending",
    "EndpointSubject",
    "LoginSubject",
    "MailboxSubject",
    "NoMechanism",
    "NotClaimed",
    "Notebook",
    "Prober",
    "Proof",
    "RoundTripSubject",
    "Scope",
    "Stream",
    "TlsQuestion",
    "TlsSubject",
    "Unrecorded",
    "choose_mechanism",
    "converse",
    "converse_signed_in",
    "note_connection",
    "note_login",
    "note_no_login",
    "note_no_tls",
    "refuse_overlong",
    "take_leave",
]
