"""POP3 servers that behave as Gmail, Yahoo, Exchange Online, Dovecot and a server of no known make do.

Greetings, capabilities and refusals are what such servers were seen to say in public logs and, of Dovecot, in a laboratory
(2026-11). Where no log shows the words for a situation, the server says what its kind says to any misplaced command.
"""

from __future__ import annotations

import base64

from probe.model.values import dataclass
from probe.simulation.listening import Conversation
from probe.simulation.mail import MailServer, SaslConversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Pop3Personality:
    """The replies of one POP3 product."""

    greeting: str
    capabilities: tuple[str, ...]
    """Its CAPA lines before TLS, with STLS where it is offered; empty where it does not support CAPA."""
    capabilities_secure: tuple[str, ...]
    """Its CAPA lines under TLS."""
    capabilities_heading: str
    unknown: str
    """The reply to an unknown command."""
    misplaced: str
    """The reply to a command that needs a login first."""
    login_in_clear: str
    """The reply to a login before TLS."""
    user_taken: str
    refused: str
    """The reply to a wrong password, and to any password where `takes_passwords` is false."""
    welcome: str
    bye: str
    tls_ready: str = "+OK Begin TLS negotiation now."
    tls_is_up: str = "-ERR Command not permitted when TLS active"
    lists_mechanisms: bool = False
    """Whether AUTH without arguments lists the mechanisms, as before RFC 5034."""
    takes_initial_response: bool = True
    """Whether AUTH takes the client's first message on its own line (Exchange Online does not)."""
    token_challenge: str = ""
    """The challenge to a bad token before the refusal; empty where the refusal comes at once."""
    takes_passwords: bool = True


class Pop3Server(MailServer[Pop3Personality]):
    """A POP3 server."""

    def converse(self) -> Conversation:
        return _Pop3Conversation(self)


class _Pop3Conversation(SaslConversation[Pop3Personality]):
    challenge = "+ "

    def __init__(self, server: Pop3Server) -> None:
        super().__init__(server)
        self._user = ""

    def opened(self) -> None:
        self.say(self.personality.greeting)

    @property
    def _capabilities(self) -> tuple[str, ...]:
        return self.personality.capabilities_secure if self.secure else self.personality.capabilities

    @property
    def _mechanisms(self) -> tuple[str, ...]:
        return next((tuple(line.split()[1:]) for line in self._capabilities if line.startswith("SASL")), ())

    def command(self, line: str) -> None:
        word, _, argument = line.partition(" ")
        match word.upper():
            case "CAPA" if self._capabilities:
                self._list(self.personality.capabilities_heading, self._capabilities)
            case "STLS" if self.secure:
                self.say(self.personality.tls_is_up)
            case "STLS" if "STLS" in self._capabilities:
                self.start_tls(self.personality.tls_ready)
            case "QUIT":
                self.say(self.personality.bye)
                self.close()
            case "STAT" | "LIST" | "UIDL" | "RETR" | "TOP" | "DELE" | "NOOP" | "RSET":
                self._transact(word.upper(), argument)
            case "USER" | "PASS" | "AUTH" if not self.signed_in:
                self._log_in(word.upper(), argument)
            case _:
                self.say(self.personality.unknown)

    def _transact(self, word: str, argument: str) -> None:
        """An empty mailbox answers."""
        if not self.signed_in:
            self.say(self.personality.misplaced)
        elif word == "STAT":
            self.say("+OK 0 0")
        elif word in ("LIST", "UIDL") and not argument:
            self._list("+OK", ())
        elif word in ("NOOP", "RSET"):
            self.say("+OK")
        else:
            self.say("-ERR There's no message 1.")

    def _log_in(self, word: str, argument: str) -> None:
        if word == "AUTH" and not argument and self.personality.lists_mechanisms:
            self._list("+OK", self._mechanisms)
        elif word == "AUTH" and not argument:
            self.say(self.personality.unknown)
        elif not self.secure and "USER" not in self._capabilities:
            self.say(self.personality.login_in_clear)
        elif word == "AUTH":
            mechanism, _, first = argument.partition(" ")
            self._authenticate(mechanism.upper(), first)
        elif word == "USER":
            self._user = argument
            self.say(self.personality.user_taken)
        elif self._user:
            self.judge(self._user, argument)
        else:
            self.say(self.personality.misplaced)

    def _authenticate(self, mechanism: str, first: str) -> None:
        if mechanism not in self._mechanisms or (first and not self.personality.takes_initial_response):
            self.say(self.personality.unknown)
        else:
            self.authenticate(mechanism, first)

    def judged(self, *, is_token: bool) -> None:
        if self.signed_in:
            self.say(self.personality.welcome)
        else:
            self._user = ""
            self.say(self.personality.refused)

    def _list(self, heading: str, lines: tuple[str, ...]) -> None:
        self.say("\n".join((heading, *lines, ".")))


def _bracket(host: str) -> str:
    """A host name as Exchange Online puts it behind its greeting: base64 of UTF-16LE."""
    return "[" + base64.b64encode(host.encode("utf-16-le")).decode("ascii") + "]"


GMAIL = Pop3Personality(
    greeting="+OK Gpop ready for requests from {peer} n67mb28062338lja",
    capabilities=(),
    capabilities_heading="+OK Capability list follows",
    capabilities_secure=(
        "USER",
        "RESP-CODES",
        "EXPIRE 0",
        "LOGIN-DELAY 300",
        "TOP",
        "UIDL",
        "X-GOOGLE-RICO",
        "SASL PLAIN XOAUTH2 OAUTHBEARER",
    ),
    unknown="-ERR bad command n67mb28062338lja",
    misplaced="-ERR bad command n67mb28062338lja",
    login_in_clear="-ERR bad command n67mb28062338lja",
    user_taken="+OK send PASS",
    refused="-ERR [AUTH] Username and password not accepted.",
    welcome="+OK Welcome.",
    bye="+OK Farewell.",
    token_challenge='{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}',
)

YAHOO = Pop3Personality(
    greeting="+OK hello from popgate-0.8.0.504347 pop.mail.yahoo.com",
    capabilities=(),
    capabilities_heading="+OK CAPA list follows",
    capabilities_secure=("TOP", "UIDL", "PIPELINING", "EXPIRE NEVER", "USER", "SASL PLAIN XOAUTH2 OAUTHBEARER"),
    unknown="-ERR unknown command",
    misplaced="-ERR invalid command",
    login_in_clear="-ERR invalid command",
    user_taken="+OK password required.",
    refused="-ERR [AUTH] (#MBR1212) Incorrect username or password.",
    welcome="+OK maildrop ready, 0 messages (0 octets)",
    bye="+OK server signing off.",
)

EXCHANGE_ONLINE = Pop3Personality(
    greeting="+OK The Microsoft Exchange POP3 service is ready. " + _bracket("FR3P281CA0105.DEUP281.PROD.OUTLOOK.COM"),
    # Exchange answers CAPA with a bare +OK, and offers passwords that it then refuses.
    capabilities_heading="+OK",
    capabilities=("TOP", "UIDL", "STLS"),
    capabilities_secure=("TOP", "UIDL", "SASL PLAIN XOAUTH2", "USER"),
    unknown="-ERR Protocol error. Connection is closed. 10",
    misplaced="-ERR Command is not valid in this state.",
    login_in_clear="-ERR Command is not valid in this state.",
    user_taken="+OK",
    refused="-ERR Logon failure: unknown user name or bad password.",
    welcome="+OK User successfully logged on.",
    bye="+OK Microsoft Exchange Server POP3 server signing off.",
    takes_initial_response=False,
    takes_passwords=False,
)

DOVECOT = Pop3Personality(
    greeting="+OK Dovecot (Debian) ready.",
    capabilities_heading="+OK",
    # While passwords are refused in clear, SASL stands there with no mechanism.
    capabilities=("CAPA", "TOP", "UIDL", "RESP-CODES", "PIPELINING", "AUTH-RESP-CODE", "STLS", "SASL"),
    capabilities_secure=("CAPA", "TOP", "UIDL", "RESP-CODES", "PIPELINING", "AUTH-RESP-CODE", "USER", "SASL PLAIN LOGIN"),
    unknown="-ERR Unknown command.",
    misplaced="-ERR Unknown command.",
    login_in_clear="-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.",
    user_taken="+OK",
    refused="-ERR [AUTH] Authentication failed.",
    welcome="+OK Logged in.",
    bye="+OK Logging out",
    lists_mechanisms=True,
)

NAMELESS = Pop3Personality(
    # A greeting that many makes share, and a server older than CAPA: nothing tells which it is.
    greeting="+OK POP3 ready",
    capabilities_heading="",
    capabilities=(),
    capabilities_secure=(),
    unknown="-ERR unknown command",
    misplaced="-ERR not now",
    login_in_clear="-ERR not now",
    user_taken="+OK",
    refused="-ERR login failed",
    welcome="+OK",
    bye="+OK bye",
)
