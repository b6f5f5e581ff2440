"""Why a test failed, and the alert that the service writes about it: a localized text, and codes that are the same in every language.

The codes are those of Microsoft's support articles on server-side synchronization (read 2026-11); a .NET exception's name stands where
an article shows its like. The numbers of `tracecode` are not public: those here are made up, and mean nothing elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any
from xml.sax.saxutils import escape

from probe.model.values import dataclass
from probe.simulation.dynamics.metadata import ENGLISH, GERMAN


class Workload(Enum):
    """The workload that a mailbox is tested for."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"
    APPOINTMENTS = "act"

    @property
    def status(self) -> str:
        """The attribute with its result."""
        return "actstatus" if self is Workload.APPOINTMENTS else f"{self.value}emailstatus"

    @property
    def enabled(self) -> str:
        """The attribute that enables its processing."""
        return "enabledforact" if self is Workload.APPOINTMENTS else f"enabledfor{self.value}email"


class Words(Enum):
    """The sentences of alerts; each has several possible causes, as the real ones do."""

    CREDENTIALS = "credentials"
    SECURE_CONNECTION = "secure-connection"
    LOCATION = "location"
    ACCESS = "access"
    UNKNOWN = "unknown"
    NO_PROFILE = "no-profile"
    NOT_APPROVED = "not-approved"
    NEEDS_ADMINISTRATOR = "needs-administrator"
    NOT_DISCOVERED = "not-discovered"
    OTHER_ORGANIZATION = "other-organization"
    NO_PERMISSIONS = "no-permissions"
    NOT_SUPPORTED = "not-supported"


class Failure(Exception):
    """A test of one workload failed."""

    def __init__(self, words: Words, code: str = "", details: str = "", *, permanent: bool = True) -> None:
        super().__init__(code or words.value)
        self.words = words
        self.code = code
        """The "Email Server Error Code"; empty where the articles show only a text, because an invented code could be mistaken for a real one."""
        self.details = details
        """The text under Details: the exception."""
        self.permanent = permanent
        """Whether it disables the mailbox at once, rather than after the last try."""


_ENGLISH: Mapping[Words, str] = {
    Words.CREDENTIALS: "{what} for the mailbox {mailbox}. Make sure that the credentials are correct and have sufficient permissions.",
    Words.SECURE_CONNECTION: "{what} for the mailbox {mailbox} because an error occurred while establishing a secure connection to the "
    "email server. The owner of the email server profile {profile} has been notified.",
    Words.LOCATION: "{what} for the mailbox {mailbox} because the email server location or the port in the email server profile {profile} is incorrect.",
    Words.ACCESS: "{what}: a general mailbox access error occurred. Mailbox {mailbox} didn't synchronize. The owner of the email server "
    "profile {profile} has been notified.",
    Words.UNKNOWN: "{what}: an unknown error occurred for the mailbox {mailbox}. The owner of the email server profile {profile} has been notified.",
    Words.NO_PROFILE: "{what} because the mailbox {mailbox} does not have an email server profile associated with it or the email server profile is inactive.",
    Words.NOT_APPROVED: "{what} because the email address of the mailbox {mailbox} is not approved.",
    Words.NEEDS_ADMINISTRATOR: "{what} because the email address of the mailbox {mailbox} requires an approval by an Office 365 administrator.",
    Words.NOT_DISCOVERED: "{what}: the mailbox location could not be determined. Mailbox {mailbox} didn't synchronize.",
    Words.OTHER_ORGANIZATION: "{what} because the email address of the mailbox {mailbox} is configured with another organization.",
    Words.NO_PERMISSIONS: "{what} for the mailbox {mailbox} because the mailbox user doesn't have sufficient permissions on this mailbox.",
    Words.NOT_SUPPORTED: "{what} for the mailbox {mailbox}: the email server profile {profile} does not support it.",
}
_GERMAN: Mapping[Words, str] = {
    Words.CREDENTIALS: "{what} (Postfach {mailbox}). Stellen Sie sicher, dass die Anmeldeinformationen richtig sind und die Berechtigungen ausreichen.",
    Words.SECURE_CONNECTION: "{what} (Postfach {mailbox}), weil beim Herstellen einer sicheren Verbindung mit dem E-Mail-Server ein Fehler aufgetreten ist.",
    Words.LOCATION: "{what} (Postfach {mailbox}), weil der Standort oder der Port im E-Mail-Serverprofil {profile} falsch ist.",
    Words.ACCESS: "{what}: allgemeiner Fehler beim Zugriff auf das Postfach {mailbox}.",
    Words.UNKNOWN: "{what}: unbekannter Fehler im Postfach {mailbox}.",
    Words.NO_PROFILE: "{what}, weil dem Postfach {mailbox} kein aktives E-Mail-Serverprofil zugeordnet ist.",
    Words.NOT_APPROVED: "{what}, weil die E-Mail-Adresse des Postfachs {mailbox} nicht genehmigt ist.",
    Words.NEEDS_ADMINISTRATOR: "{what}, weil ein Office 365-Administrator die E-Mail-Adresse des Postfachs {mailbox} genehmigen muss.",
    Words.NOT_DISCOVERED: "{what}: der Standort des Postfachs {mailbox} konnte nicht ermittelt werden.",
    Words.OTHER_ORGANIZATION: "{what}, weil die E-Mail-Adresse des Postfachs {mailbox} mit einer anderen Organisation konfiguriert ist.",
    Words.NO_PERMISSIONS: "{what}, weil der Benutzer des Postfachs {mailbox} nicht genug Rechte hat.",
    Words.NOT_SUPPORTED: "{what}: das E-Mail-Serverprofil {profile} unterstützt es nicht (Postfach {mailbox}).",
}
_ENGLISH_WHAT = {
    Workload.INCOMING: "Email cannot be received",
    Workload.OUTGOING: "Email cannot be sent",
    Workload.APPOINTMENTS: "Appointments, contacts, and tasks can't be synchronized",
}
_GERMAN_WHAT = {
    Workload.INCOMING: "E-Mails können nicht empfangen werden",
    Workload.OUTGOING: "E-Mails können nicht gesendet werden",
    Workload.APPOINTMENTS: "Termine, Kontakte und Aufgaben können nicht synchronisiert werden",
}
_SUCCEEDED = "The mailbox {mailbox} has been tested, and is enabled: {what}."
_SUCCEEDED_GERMAN = "Das Postfach {mailbox} wurde getestet und aktiviert: {what}."

INFORMATION, WARNING, ERROR = 1, 2, 3

_FIRST_CODE = 7001
TEXT_LIMIT, DETAILS_LIMIT = 2000, 2048


@dataclass(frozen=True, slots=True)
class Regarding:
    """The mailbox and workload of an alert, and its language."""

    mailbox: str
    profile: str
    machine: str
    language: int = ENGLISH


def failed(workload: Workload, failure: Failure, told: Regarding, *, level: int) -> dict[str, Any]:
    """The values of the alert about a failure."""
    german = told.language == GERMAN
    sentences, what = (_GERMAN, _GERMAN_WHAT) if german else (_ENGLISH, _ENGLISH_WHAT)
    words = sentences[failure.words].format(what=what[workload], mailbox=told.mailbox, profile=told.profile)
    label = "E-Mail-Serverfehlercode" if german else "Email Server Error Code"
    values = {
        "text": (f"{words} {label}: {failure.code}" if failure.code else words)[:TEXT_LIMIT],
        "errordetails": f"Error : {failure.details}"[:DETAILS_LIMIT] if failure.details else None,
        "errortypedisplay": ("Fehler" if german else "Error") if level == ERROR else ("Warnung" if german else "Warning"),
    }
    return {**values, **_common(workload, told, level, 0, failure.code, _FIRST_CODE + list(Words).index(failure.words))}


def succeeded(workloads: list[Workload], told: Regarding) -> dict[str, Any]:
    """The values of the alert about a successful test."""
    what = ", ".join(workload.value for workload in workloads)
    text = (_SUCCEEDED_GERMAN if told.language == GERMAN else _SUCCEEDED).format(mailbox=told.mailbox, what=what)
    return {"text": text, "errortypedisplay": None, **_common(workloads[0], told, INFORMATION, 1, "", _FIRST_CODE - 1)}


def _common(workload: Workload, told: Regarding, level: int, status: int, code: str, number: int) -> dict[str, Any]:
    parameters = {"MailboxName": told.mailbox, "EmailServerProfileName": told.profile, "EmailServerErrorCode": code}
    xml = "".join(f'<parameter name="{name}">{escape(value)}</parameter>' for name, value in parameters.items() if value)
    return {
        "level": level,
        "tracestatus": status,
        "tracecode": number + 100 * list(Workload).index(workload),
        "traceparameterxml": f"<traceparameters>{xml}</traceparameters>",
        "machinename": told.machine,
    }
