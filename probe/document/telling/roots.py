"""Which failure follows from which: correcting the root also corrects what follows from it."""

from __future__ import annotations

from collections.abc import Sequence

from probe.document.index import JsonObject
from probe.document.telling.words import endpoints_of
from probe.model.rules import Result

_NOT_ASKED_IN = ("password-login-ended-by-provider", "app-password-wanted", "token-wanted", "protocol-switched-off")
_NOT_OPENED = ("login-refused", "mailbox-not-found", "impersonation-denied", "mailbox-access-denied", "exchange-server-fault")

ROOTS: dict[str, tuple[str, ...]] = {
    "appointment-folders-not-opened": _NOT_OPENED,
    "certificate-untrusted": ("certificate-expired",),
    "endpoint-unreachable": ("name-does-not-resolve",),
    "exchange-version-not-listed": ("exchange-2003-or-2007",),
    "exchange-version-not-listed-for-appointments": ("exchange-2003-or-2007", "exchange-version-not-listed"),
    "login-refused": _NOT_ASKED_IN,
    "mailbox-access-denied": ("impersonation-denied",),
    "mailbox-not-found": ("mailbox-lives-elsewhere",),
    "plaintext-login-only": ("no-tls-offered",),
    "protocol-switched-off": ("password-login-ended-by-provider",),
    "tls-handshake-fails": ("no-tls-with-the-deployments-windows", "no-tls-offered", "silent-or-foreign-service"),
    "token-wanted": ("password-login-ended-by-provider",),
}
"""For each rule, the rules whose failure at the same place explains its own; the most informative first."""


def root_of(finding: JsonObject, findings: Sequence[JsonObject]) -> JsonObject | None:
    """The failed finding that this failed one follows from; None where there is none.

    It must have failed wherever this one did: a login that is refused at one server is not explained by what another ended.
    """
    if finding["result"] != Result.FAILS:
        return None
    failed = {other["rule"]: other for other in findings if other["result"] == Result.FAILS}
    for name in ROOTS.get(finding["rule"], ()):
        root = failed.get(name)
        if root is not None and set(endpoints_of(finding)) <= set(endpoints_of(root)):
            return root
    return None
