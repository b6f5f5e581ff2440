"""Whether the account that signs in needs multi-factor authentication.

No mail server and no EWS endpoint announces it; only a refusal may show it. A successful sign-in proves
nothing, because app passwords exist for accounts with the requirement. A token that the authority issued for the password alone proves that
it is not required from here; it may be required from elsewhere, or of another program.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.model.refusals import Refusal

_SHOWING = frozenset({Refusal.MFA_REQUIRED, Refusal.APP_PASSWORD_REQUIRED})


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    (case,) = premises.cases
    refusals = [refusal for endpoint in (case.incoming, case.outgoing) if (refusal := endpoint.value(v.AUTH_REFUSAL))]
    if case.incoming.value(v.AUTHORITY_GRANTED) or case.outgoing.value(v.AUTHORITY_GRANTED):
        yield v.MFA_REQUIRED, False
    elif any(_SHOWING.issuperset(refusal) for refusal in refusals):
        yield v.MFA_REQUIRED, True
    elif any(_SHOWING.intersection(refusal) for refusal in refusals):
        yield Unsettled(
            v.MFA_REQUIRED, "a login was refused, but the refusal does not distinguish multi-factor authentication from other causes"
        )
    else:
        yield Unsettled(v.MFA_REQUIRED, "no mail server announces it, and no refusal showed it; state it in the estate (`mfa`)")


INFERENCE = Inference(
    id="mfa-required",
    title="Whether the account needs multi-factor authentication, by how a login was refused",
    scope=InferenceScope.MAILBOX,
    needs=(v.AUTH_REFUSAL, v.AUTHORITY_GRANTED),
    gives=(v.MFA_REQUIRED,),
    infer=_infer,
)
