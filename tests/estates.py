"""Parts of an estate for tests to put together: a deployment that allows nothing, an Exchange profile, a mailbox that is served."""

from __future__ import annotations

from dataclasses import replace

from probe.model.estate import Endpoint, ServerProfile
from tests.runs import a_mailbox, an_estate

DEPLOYMENT = replace(an_estate().deployment, allow=frozenset())
CORP = an_estate().profiles[0]
SERVED = replace(a_mailbox("a@contoso.test", "corp"), username=None, password=None)


def ends(profile: ServerProfile) -> tuple[Endpoint, Endpoint]:
    """The endpoints of a profile that has both."""
    assert profile.incoming is not None
    assert profile.outgoing is not None
    return profile.incoming, profile.outgoing
