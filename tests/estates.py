"""Parts of an estate for tests to put together: a deployment that allows nothing, an Exchange profile, a mailbox that is served."""

from __future__ import annotations

from dataclasses import replace

from tests.runs import a_mailbox, an_estate

DEPLOYMENT = replace(an_estate().deployment, allow=frozenset())
CORP = an_estate().profiles[0]
SERVED = replace(a_mailbox("a@contoso.test", "corp"), username=None, password=None)
