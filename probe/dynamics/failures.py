"""How a conversation with the Web API can fail. The message of each is one sentence, with the next step where one is known."""

from __future__ import annotations

from probe.net.failures import Denied, OffProtocol


class SignInFailed(Denied):
    """Nobody is signed in: the account was refused, or there is no way to sign in that both sides have."""


class SignInPage(SignInFailed):
    """The server leads to a page where people sign in."""


class MissingPrivilege(Denied):
    """The account is signed in and may not do it; `privilege` is Dynamics' name of what it lacks, such as `prvReadMailbox`."""

    def __init__(self, sentence: str, privilege: str | None) -> None:
        super().__init__(sentence)
        self.privilege = privilege


class OtherOrganization(Denied):
    """The server's organization is not the one that the estate is bound to; nothing of it was read."""


class RequestFailed(OffProtocol):
    """The server answered a request with an error; `code` is Dynamics' own, as it gave it, empty where it gave none."""

    def __init__(self, sentence: str, status: int, code: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


class NoWebApi(RequestFailed):
    """There is no Web API, or nothing of that name in it."""


class NotWhole(OffProtocol):
    """A listing, or a page of it, that cannot be told to be whole; so none of its rows counts."""


class BadRecord(OffProtocol):
    """A record that is not of the form that Dynamics gives records."""
