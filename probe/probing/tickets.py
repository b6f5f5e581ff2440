"""What a KDC's answer means to whoever asked for a ticket, wherever it was to be shown."""

from __future__ import annotations

from probe.net.kerberos import TicketResult
from probe.probing.proofs import Ending, Proof

NO_KERBEROS = frozenset({"no-library", "no-kdc", "no-service"})
"""Troubles after which NTLM may follow, as it does for a Windows client; a KDC that refuses ends the sign-in."""


async def end_at_kdc(proof: Proof, result: TicketResult) -> None:
    """Tell the ledger what the KDC made of the password. Where no KDC was asked, the proof has not left."""
    if result.trouble in ("no-library", "no-kdc"):
        await proof.release()
    elif result.trouble in ("", "no-service"):
        await proof.end(Ending.ACCEPTED)
    else:
        await proof.end(Ending.REFUSED if result.trouble == "refused" else Ending.UNSEEN)
