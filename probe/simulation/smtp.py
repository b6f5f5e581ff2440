"""SMTP submission servers that behave as Gmail, Yahoo, Outlook.com, Postfix and a server of no known make do.

Banners, extensions and refusals are what such servers were seen to say in public logs and, of Postfix, in a laboratory
(2026-11). They let nobody send, unless they are told where to deliver: a simulated server that took mail would have to lose it.
"""

from __future__ import annotations

from collections.abc import Callable

from probe.model.values import dataclass
from probe.simulation.listening import Conversation
from probe.simulation.mail import MailServer, SaslConversation


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpPersonality:
    """The replies of one SMTP product. `{name}` stands for the name in the client's EHLO."""

    greeting: str
    hello: str
    """The first line of its reply to EHLO, without the code."""
    extensions: tuple[str, ...]
    """Its EHLO lines before TLS, with STARTTLS where it is offered."""
    extensions_secure: tuple[str, ...]
    unknown: str
    hello_first: str
    """The reply to a command that needs EHLO first."""
    tls_first: str
    """The reply to a command that needs TLS first."""
    login_first: str
    """The reply to MAIL from a client that has not signed in."""
    unknown_mechanism: str
    refused: str
    """The reply to a wrong password, and to any password where `takes_passwords` is false."""
    refused_token: str
    accepted: str
    okay: str
    bye: str
    tls_ready: str
    tls_is_up: str
    token_challenge: str = ""
    """The challenge to a bad token before the refusal; empty where the refusal comes at once."""
    takes_passwords: bool = True


Deliver = Callable[[str, str], None]
"""Is given a recipient and the lines of a message to it."""


class SmtpServer(MailServer[SmtpPersonality]):
    """An SMTP server. It passes accepted messages to `deliver`, if given."""

    deliver: Deliver | None = None

    def converse(self) -> Conversation:
        return _SmtpConversation(self)


class _SmtpConversation(SaslConversation[SmtpPersonality]):
    challenge = "334 "

    def __init__(self, server: SmtpServer) -> None:
        super().__init__(server)
        self._smtp = server
        self._greeted = False
        self._recipients: list[str] = []
        self._takes_utf8 = False
        """Whether MAIL asked for UTF-8 in addresses and header (RFC 6531)."""
        self._lines: list[str] = []

    def opened(self) -> None:
        self.say(self.personality.greeting)

    @property
    def _extensions(self) -> tuple[str, ...]:
        return self.personality.extensions_secure if self.secure else self.personality.extensions

    @property
    def _mechanisms(self) -> tuple[str, ...]:
        return next((tuple(line.split()[1:]) for line in self._extensions if line.startswith("AUTH ")), ())

    def command(self, line: str) -> None:
        says = self.personality
        word, _, argument = line.partition(" ")
        match word.upper():
            case "EHLO" | "HELO" if not argument:
                self.say(f"501 Syntax: {word.upper()} hostname")
            case "EHLO":
                self._greeted = True
                self._reply_in_lines(says.hello.replace("{name}", argument), *self._extensions)
            case "HELO":
                self._greeted = True
                self.say("250 " + says.hello.replace("{name}", argument))
            case "QUIT":
                self.say(says.bye)
                self.close()
            case "NOOP" | "RSET":
                self.say(says.okay)
            case "STARTTLS" if self.secure:
                self.say(says.tls_is_up)
            case "STARTTLS" if "STARTTLS" in self._extensions and self._greeted:
                self._greeted = False
                self.start_tls(says.tls_ready)
            case "STARTTLS" if "STARTTLS" in self._extensions:
                self.say(says.hello_first)
            case "AUTH" | "MAIL" | "RCPT" | "DATA" if not self._greeted:
                self.say(says.hello_first)
            case "AUTH" | "MAIL" | "RCPT" | "DATA" if not self.secure and "STARTTLS" in self._extensions:
                self.say(says.tls_first)
            case "AUTH" if not self.signed_in:
                mechanism, _, first = argument.partition(" ")
                self._authenticate(mechanism.upper(), first)
            case "MAIL" if not self.signed_in:
                self.say(says.login_first)
            case "MAIL" if self._smtp.deliver is not None:
                self._mail(argument)
            case "RCPT" if not self._takes_utf8 and not argument.isascii():
                self.say("553 5.6.7 The recipient's address needs SMTPUTF8")
            case "RCPT" if self._smtp.deliver is not None:
                self._recipients.append(argument.partition("<")[2].partition(">")[0])
                self.say("250 2.1.5 Ok")
            case "DATA" if self._recipients:
                self._lines.clear()
                self.say("354 End data with <CR><LF>.<CR><LF>")
                self.await_line(self._line_of_message)
            case "MAIL":
                self.say("452 4.3.1 Insufficient system storage")
            case "RCPT" | "DATA" | "AUTH":
                self.say("503 5.5.1 Bad sequence of commands")
            case _:
                self.say(says.unknown)

    def _mail(self, argument: str) -> None:
        self._takes_utf8 = argument.upper().endswith("> SMTPUTF8")
        if self._takes_utf8 and "SMTPUTF8" not in self._extensions:
            self.say("555 5.5.4 Unsupported option: SMTPUTF8")
        elif not self._takes_utf8 and not argument.isascii():
            self.say("550 5.6.7 The sender's address needs SMTPUTF8")
        else:
            self._recipients.clear()
            self.say("250 2.1.0 Ok")

    def _line_of_message(self, line: str) -> None:
        if line != ".":
            self._lines.append(line.removeprefix("."))
            self.await_line(self._line_of_message)
            return
        for recipient in self._recipients:
            if self._smtp.deliver is not None:
                self._smtp.deliver(recipient, "\n".join(self._lines))
        self._recipients.clear()
        self.say("250 2.0.0 Ok: queued as 4F1")

    def _authenticate(self, mechanism: str, first: str) -> None:
        if mechanism not in self._mechanisms:
            self.say(self.personality.unknown_mechanism)
        else:
            self.authenticate(mechanism, first)

    def judged(self, *, is_token: bool) -> None:
        if self.signed_in:
            self.say(self.personality.accepted)
        else:
            self.say(self.personality.refused_token if is_token else self.personality.refused)

    def _reply_in_lines(self, *lines: str) -> None:
        *before, last = lines
        self.say("\n".join((*(f"250-{line}" for line in before), f"250 {last}")))


_GOOGLE = "6a1803df08f44-8ffd82ea9casm7101606d6.42 - gsmtp"

GMAIL = SmtpPersonality(
    greeting=f"220 smtp.gmail.com ESMTP {_GOOGLE}",
    hello="smtp.gmail.com at your service, [{peer}]",
    extensions=("SIZE 35882577", "8BITMIME", "STARTTLS", "ENHANCEDSTATUSCODES", "PIPELINING", "CHUNKING", "SMTPUTF8"),
    extensions_secure=(
        "SIZE 35882577",
        "8BITMIME",
        "AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH",
        "ENHANCEDSTATUSCODES",
        "PIPELINING",
        "CHUNKING",
        "SMTPUTF8",
    ),
    unknown=f"502 5.5.1 Unrecognized command. {_GOOGLE}",
    hello_first=f"503 5.5.1 EHLO/HELO first. {_GOOGLE}",
    tls_first=f"530 5.7.0 Must issue a STARTTLS command first. {_GOOGLE}",
    login_first=f"530-5.7.0 Authentication Required. For more information, go to\n530 5.7.0  https://support.google.com/mail/?p=WantAuthError {_GOOGLE}",
    unknown_mechanism=f"504 5.7.4 Unrecognized Authentication Type {_GOOGLE}",
    refused="535-5.7.8 Username and Password not accepted. For more information, go to\n"
    f"535 5.7.8  https://support.google.com/mail/?p=BadCredentials {_GOOGLE}",
    refused_token="535-5.7.8 Username and Password not accepted. For more information, go to\n"
    f"535 5.7.8  https://support.google.com/mail/?p=BadCredentials {_GOOGLE}",
    accepted="235 2.7.0 Accepted",
    okay=f"250 2.0.0 OK {_GOOGLE}",
    bye=f"221 2.0.0 closing connection {_GOOGLE}",
    tls_ready="220 2.0.0 Ready to start TLS",
    tls_is_up=f"502 5.5.1 Unrecognized command. {_GOOGLE}",
    token_challenge='{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}',
)

YAHOO = SmtpPersonality(
    greeting="220 smtp.mail.yahoo.com ESMTP ready",
    # The stray bracket at the end is Yahoo's own.
    hello="hermes--production-ir2-6fcf857f6f-abcde.yahoo.com Hello {name} [{peer}])",
    extensions=("PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SIZE 41697280", "STARTTLS"),
    extensions_secure=("PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SIZE 41697280", "AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER"),
    unknown="500 5.5.1 Unrecognized command",
    hello_first="503 5.5.1 EHLO/HELO first",
    tls_first="530 5.7.0 Must issue a STARTTLS command first",
    login_first="530 5.7.1 Authentication required",
    unknown_mechanism="504 5.5.4 Unrecognized authentication type",
    refused="535 5.7.0 (#MBR1212) Incorrect username or password.",
    refused_token="535 5.7.0 (#MBR1212) Incorrect username or password.",
    accepted="235 2.0.0 OK",
    okay="250 2.0.0 OK",
    bye="221 2.0.0 Bye",
    tls_ready="220 2.0.0 Ready to start TLS",
    tls_is_up="503 5.5.1 TLS already active",
)

_FRONT_END = "FR3P281CA0105.outlook.office365.com"

OUTLOOK_COM = SmtpPersonality(
    greeting=f"220 {_FRONT_END} Microsoft ESMTP MAIL Service ready at {{date}}",
    hello=f"{_FRONT_END} Hello [{{peer}}]",
    extensions=(
        "SIZE 157286400",
        "PIPELINING",
        "DSN",
        "ENHANCEDSTATUSCODES",
        "STARTTLS",
        "8BITMIME",
        "BINARYMIME",
        "CHUNKING",
        "SMTPUTF8",
    ),
    extensions_secure=(
        "SIZE 157286400",
        "PIPELINING",
        "DSN",
        "ENHANCEDSTATUSCODES",
        "AUTH LOGIN XOAUTH2",
        "8BITMIME",
        "BINARYMIME",
        "CHUNKING",
        "SMTPUTF8",
    ),
    unknown="500 5.3.3 Unrecognized command",
    hello_first="503 5.5.2 Send hello first",
    tls_first="504 5.7.4 Unrecognized authentication type",
    login_first=f"530 5.7.57 Client not authenticated to send mail. [{_FRONT_END}]",
    unknown_mechanism=f"504 5.7.4 Unrecognized authentication type [{_FRONT_END}]",
    refused=f"535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [{_FRONT_END}]",
    refused_token=f"535 5.7.3 Authentication unsuccessful [{_FRONT_END}]",
    accepted="235 2.7.0 Authentication successful",
    okay="250 2.0.0 OK",
    bye="221 2.0.0 Service closing transmission channel",
    tls_ready="220 2.0.0 SMTP server ready",
    tls_is_up="503 5.5.2 Bad sequence of commands",
    takes_passwords=False,
)

POSTFIX = SmtpPersonality(
    greeting="220 mail.fabrikam.test ESMTP Postfix (Debian/GNU)",
    hello="mail.fabrikam.test",
    extensions=(
        "PIPELINING",
        "SIZE 10240000",
        "VRFY",
        "ETRN",
        "STARTTLS",
        "ENHANCEDSTATUSCODES",
        "8BITMIME",
        "DSN",
        "SMTPUTF8",
        "CHUNKING",
    ),
    extensions_secure=(
        "PIPELINING",
        "SIZE 10240000",
        "VRFY",
        "ETRN",
        "AUTH PLAIN LOGIN",
        "ENHANCEDSTATUSCODES",
        "8BITMIME",
        "DSN",
        "SMTPUTF8",
        "CHUNKING",
    ),
    unknown="500 5.5.2 Error: command not recognized",
    hello_first="503 5.5.1 Error: send HELO/EHLO first",
    tls_first="530 5.7.0 Must issue a STARTTLS command first",
    login_first="530 5.7.0 Authentication required",
    unknown_mechanism="535 5.7.8 Error: authentication failed: Invalid authentication mechanism",
    refused="535 5.7.8 Error: authentication failed: (reason unavailable)",
    refused_token="535 5.7.8 Error: authentication failed: (reason unavailable)",
    accepted="235 2.7.0 Authentication successful",
    okay="250 2.0.0 Ok",
    bye="221 2.0.0 Bye",
    tls_ready="220 2.0.0 Ready to start TLS",
    tls_is_up="554 5.5.1 Error: TLS already active",
)

NAMELESS = SmtpPersonality(
    # Free text that any make may be set to say: nothing tells which it is.
    greeting="220 mail ready",
    hello="welcome",
    extensions=("SIZE", "STARTTLS"),
    extensions_secure=("SIZE", "AUTH PLAIN LOGIN"),
    unknown="500 unknown",
    hello_first="503 not yet",
    tls_first="530 TLS first",
    login_first="530 login first",
    unknown_mechanism="504 unknown",
    refused="535 no",
    refused_token="535 no",
    accepted="235 yes",
    okay="250 ok",
    bye="221 bye",
    tls_ready="220 go",
    tls_is_up="503 no",
)
