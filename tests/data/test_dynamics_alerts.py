"""The table of Dynamics' alerts carries its own examples, which are its test."""

from __future__ import annotations

import pytest

from probe import app
from probe.simulation.dynamics.alerts import ERROR, INFORMATION, Failure, Regarding, Words, Workload, failed, succeeded
from probe.simulation.dynamics.metadata import ENGLISH, GERMAN
from probe.tables.alerts import DynamicsAlert, alerts_like, causes_of_alert, dynamics_alerts

WEB, SOCKET, SSL = "System.Net.WebException: ", "System.Net.Sockets.SocketException (0x80004005): ", "System.Security.Authentication."
MAILKIT, SOAP = "MailKit.Security.AuthenticationException: ", "System.Web.Services.Protocols.SoapException: "
PLUG_IN = "A plug-in or a workflow"


def texts(failure: Failure, language: int, workload: Workload = Workload.INCOMING) -> list[str]:
    """What the simulated service writes about a failure, in the attributes that are read."""
    values = failed(workload, failure, Regarding("Sales (404)", "Corp", "CRMASYNC01", language), level=ERROR)
    return [value for name in ("text", "errordetails", "traceparameterxml") if (value := values.get(name))]


@pytest.mark.parametrize("alert", dynamics_alerts(), ids=lambda alert: next(iter(alert.codes + alert.words)))
def test_an_alert_is_known_by_its_example(alert: DynamicsAlert) -> None:
    """The example of each entry leads to all of its rules, and each of these exists; what has no rule says what it means."""
    assert alert in alerts_like(alert.example)
    assert set(alert.rules) <= set(causes_of_alert(alert.example))
    assert set(alert.rules) <= set(app.rules())
    assert bool(alert.rules) != bool(alert.meaning)
    assert all(word == word.lower() for word in alert.codes + alert.words)


@pytest.mark.parametrize("code", [code for alert in dynamics_alerts() for code in alert.codes])
def test_a_code_is_enough(code: str) -> None:
    """Each code is found alone, in any case; no other code that it holds, or that holds it, takes its place."""
    assert any(code in alert.codes for alert in alerts_like(f"Fehler {code.upper()}; mehr"))


@pytest.mark.parametrize(
    ("failure", "closest"),
    [
        (Failure(Words.CREDENTIALS, "Http server returned 401 Unauthorized exception.", f"{WEB}The remote server returned an error: (401) Unauthorized."), "login-refused"),
        (Failure(Words.SECURE_CONNECTION, "Http server returned Forbidden exception.", f"{WEB}The remote server returned an error: (403) Forbidden."), "ews-blocked-by-policy"),
        (Failure(Words.ACCESS, "Http server returned NotFound exception.", f"{WEB}The remote server returned an error: (404) NotFound."), "ews-endpoint-missing"),
        (Failure(Words.ACCESS, "Http server returned Redirect exception.", f"{WEB}The remote server returned an error: (302) Redirect."), "logon-page-in-place-of-ews"),
        (Failure(Words.ACCESS, "Http server returned ServiceUnavailable exception."), "mailbox-unavailable-for-now"),
        (Failure(Words.ACCESS, "Web server returned ProtocolError exception.", "System.InvalidOperationException"), "silent-or-foreign-service"),
        (Failure(Words.ACCESS, "Web server returned NameResolutionFailure exception."), "name-does-not-resolve"),
        (Failure(Words.SECURE_CONNECTION, "Web server returned TrustFailure exception."), "certificate-untrusted"),
        (Failure(Words.SECURE_CONNECTION, "Web server returned SecureChannelFailure exception."), "tls-handshake-fails"),
        (Failure(Words.ACCESS, "Web server returned Timeout exception."), "endpoint-unreachable"),
        (Failure(Words.ACCESS, "Web server returned ConnectFailure exception."), "endpoint-unreachable"),
        (Failure(Words.ACCESS, "Web server returned SendFailure exception."), "endpoint-unreachable"),
        (Failure(Words.LOCATION, "Socket returned exception InvalidIncomingEmailServerProfileConfiguration HostNotFound.", SOCKET), "name-does-not-resolve"),
        (Failure(Words.LOCATION, "InvalidIncomingEmailServerProfileConfiguration", "System.UriFormatException: Invalid URI"), "name-does-not-resolve"),
        (Failure(Words.ACCESS, "Socket returned exception TimedOut.", SOCKET), "endpoint-unreachable"),
        (Failure(Words.ACCESS, "Socket returned exception ConnectionRefused.", SOCKET), "endpoint-unreachable"),
        (Failure(Words.ACCESS, "Socket returned exception ConnectionReset.", SOCKET), "endpoint-unreachable"),
        (Failure(Words.SECURE_CONNECTION, details=f"{SSL}AuthenticationException: The remote certificate is invalid"), "certificate-expired"),
        (Failure(Words.CREDENTIALS, "OutgoingEmailAuthenticationError", f"{SSL}AuthenticationException: …"), "certificate-expired"),
        (Failure(Words.CREDENTIALS, "OutgoingEmailAuthenticationError", f"{MAILKIT}535: 5.7.8 no"), "login-refused"),
        (Failure(Words.CREDENTIALS, "OutgoingEmailAuthenticationError", f"{MAILKIT}534: 5.7.9 no"), "app-password-wanted"),
        (Failure(Words.CREDENTIALS, details="-ERR [AUTH] no"), "login-refused"),
        (Failure(Words.CREDENTIALS, details="[AUTHENTICATIONFAILED] no"), "login-refused"),
        (Failure(Words.CREDENTIALS, "Exchange server returned ErrorNonExistentMailbox exception.", f"{SOAP}ErrorNonExistentMailbox: …"), "mailbox-not-found"),
        (Failure(Words.CREDENTIALS, "Exchange server returned ErrorImpersonateUserDenied exception.", SOAP), "impersonation-denied"),
        (Failure(Words.CREDENTIALS, "Exchange server returned ErrorAccessDenied exception.", SOAP), "mailbox-access-denied"),
        (Failure(Words.ACCESS, "Exchange server returned ErrorMailboxStoreUnavailable exception.", SOAP), "mailbox-unavailable-for-now"),
        (Failure(Words.ACCESS, "Exchange server returned ErrorInternalServerError exception.", SOAP), "exchange-server-fault"),
        (Failure(Words.NOT_DISCOVERED, details="AutodiscoverException: contoso.test: 404"), "ews-endpoint-missing"),
        (Failure(Words.NO_PROFILE, "InvalidOutgoingEmailServerProfile"), "mailbox-without-server-profile"),
        (Failure(Words.NEEDS_ADMINISTRATOR, "IncomingEmailS2SApprovalNeeded"), "address-not-approved"),
    ],
    ids=lambda value: None if isinstance(value, Failure) else value,
)  # fmt: skip
def test_no_language_changes_what_an_alert_comes_from(failure: Failure, closest: str) -> None:
    """What the simulated service writes of a failure leads to the same rules in English and in German, the closest first."""
    english = causes_of_alert(*texts(failure, ENGLISH))
    assert english == causes_of_alert(*texts(failure, GERMAN))
    assert english[0] == closest


@pytest.mark.parametrize(
    ("failure", "meaning"),
    [
        (Failure(Words.UNKNOWN, "Exchange server returned UnknownIncomingEmailIntegrationError -2147220891 exception."), PLUG_IN),
        (Failure(Words.UNKNOWN, details="Crm.80040265.ISV code aborted the operation."), PLUG_IN),
        (Failure(Words.UNKNOWN, details="-2147220891"), PLUG_IN),
        (Failure(Words.NO_PERMISSIONS, "Crm.80048306.Not enough privilege"), "The user of the mailbox lacks privileges"),
        (Failure(Words.SECURE_CONNECTION, details="AllowNonSSLEmail is false."), "The profile does not use TLS"),
        (Failure(Words.UNKNOWN, details="MailKit.Net.Smtp.SmtpCommandException: 552: 5.3.4 no"), "The SMTP server let the account in"),
        (Failure(Words.CREDENTIALS, details="-ERR [IN-USE] no"), "The mail server lets the mailbox in again later"),
    ],
)
def test_what_no_rule_sees_is_said_in_words(failure: Failure, meaning: str) -> None:
    """An alert about what is hidden from outside names no rule, and says what it means, whatever its language."""
    for language in (ENGLISH, GERMAN):
        (alert,) = alerts_like(*texts(failure, language))
        assert alert.meaning.startswith(meaning)
        assert causes_of_alert(*texts(failure, language)) == ()


# What stands for everything, and a sentence that is the simulation's own, are no words to know an alert by.
@pytest.mark.parametrize("words", [word for word in Words if word not in (Words.UNKNOWN, Words.ACCESS, Words.NOT_SUPPORTED)])
def test_an_alert_without_a_code_is_known_by_its_words(words: Words) -> None:
    """Each sentence of the simulated service that stands for some causes is known in English alone."""
    assert alerts_like(*texts(Failure(words), ENGLISH))
    assert not alerts_like(*texts(Failure(words), GERMAN))


def test_words_are_not_looked_at_beside_a_code() -> None:
    """The sentence about credentials stands for many causes; the code beside it is about one, and the number of a name is no status."""
    alert = texts(Failure(Words.CREDENTIALS, "Exchange server returned ErrorImpersonateUserDenied exception."), ENGLISH, Workload.OUTGOING)
    assert causes_of_alert(*alert) == ("impersonation-denied",)


def test_what_most_codes_point_to_is_closest() -> None:
    """One code of SMTP stands for a bad password and a bad certificate; the exception beside it tells them apart, and hides neither."""
    causes = causes_of_alert("OutgoingEmailAuthenticationError", f"{SSL}AuthenticationException")
    assert causes[:3] == ("certificate-expired", "certificate-untrusted", "certificate-for-another-name")
    assert "login-refused" in causes[3:]


def test_an_alert_of_success_has_no_cause() -> None:
    """What went well is explained by nothing."""
    values = succeeded([Workload.INCOMING], Regarding("Sales", "Corp", "CRMASYNC01"))
    assert values["level"] == INFORMATION
    assert alerts_like(values["text"], values["traceparameterxml"]) == ()


def test_case_and_spaces_of_an_alert_do_not_matter() -> None:
    """An alert is known as it was copied, whatever its case and however it was broken into lines."""
    assert causes_of_alert("HTTP server returned\n  401   Unauthorized exception.")[0] == "login-refused"


def test_an_alert_without_known_words_leads_nowhere() -> None:
    """Of words that no entry has, nothing is guessed; a longer name that begins like a code is another name."""
    assert causes_of_alert("Something went wrong.", "ErrorAccessDeniedByMagic", "7001") == ()
