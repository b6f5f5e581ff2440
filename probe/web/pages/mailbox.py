"""A mailbox as its page shows it: the verdict as a tree of reasons, and Dynamics' own state beside ours. Pure in the state."""

from __future__ import annotations

from probe.document.telling.blocks import blocks_of
from probe.document.telling.branches import branches_of
from probe.document.telling.dynamics import states_in_dynamics
from probe.document.telling.known import Known
from probe.model.estate import Mailbox
from probe.model.rules import Assessment
from probe.web.documents import mailbox_document, signed_in_at, urls_of
from probe.web.state import EstateState


class MailboxView:
    """What the page shows of one mailbox."""

    def __init__(self, state: EstateState, mailbox: Mailbox, assessment: Assessment) -> None:
        estate = state.names.estate
        self.mailbox, self.assessment = mailbox, assessment
        self.profile = estate.profile_of(mailbox)
        self.urls = urls_of(estate, mailbox)
        self.on = state.judged_at(mailbox)
        document = mailbox_document(state, mailbox, assessment)
        self.known = Known(document)
        (self.block,) = blocks_of(document["assessments"], self.known)
        self.attempts = [one for one in document["attempts"] if one["mailbox"] == mailbox.address and one["outcome"] != "not-scheduled"]
        self.signed_in_at = signed_in_at(document)
        self.branches = list(branches_of(self.block, self.known))
        self.in_dynamics = states_in_dynamics(self.block, self.known)
