"""An alert leads to a page that has the words which it quotes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from probe.alerts.wording import Message, Part
from probe.model import vocabulary as v
from probe.service.drift import notices_of
from probe.web.places import page_of
from tests.service.changes import a_change
from tests.service.driven import START, driven, run_now
from tests.service.records import service_of
from tests.service.world import estate_text, telling, url_of
from tests.web.pages.reading import PageReader
from tests.web.world import world

LINK = "https://probe.contoso.test"
ACCOUNT = "m0@p0.contoso.test"
WORDS = 'WWW-Authenticate: NTLM realm="not-you-2961"'


def link_of(message: Message) -> str:
    """Where an alert says to look."""
    return next(line.text for line in message.lines if line.part is Part.LINK)


async def test_a_refused_sign_in_leads_to_the_mailbox_that_has_the_servers_words(tmp_path: Path) -> None:
    """The page of the endpoint has none of what was said to an account: the alert leads to the mailbox's own page, which quotes it."""
    service = driven(tmp_path, estate_text(1, 2, f'[alerts]\nlink = "{LINK}"\n'))
    for key, value in ((v.AUTH_ACCEPTED, False), (v.AUTH_REFUSAL, ("bad-credentials",))):
        service.world.change(ACCOUNT, telling(key, value, WORDS))
    await service.run(START + timedelta(hours=3))
    (told,) = [message for _, message in service.told if message.title.endswith("Credentials refused")]
    assert any(line.part is Part.WORDS and WORDS in line.text for line in told.lines)
    assert link_of(told) == f"{LINK}{page_of(ACCOUNT)}"
    async with world(tmp_path / "web", run_now(service.watcher)) as made:
        assert WORDS in (await PageReader(made.asker).get(page_of(ACCOUNT))).words


async def test_what_dynamics_said_leads_to_a_mailbox_of_which_it_said_it(tmp_path: Path) -> None:
    """The error that an alert of disabled mailboxes quotes stands on the page of a mailbox."""
    service, records = service_of(tmp_path)
    at = START + timedelta(hours=2)
    service.clock.at(at, lambda: records.disable([one.address for one in service.estate.mailboxes], at))
    await service.run(START + timedelta(hours=4))
    wrong = [one for of_part in service.watcher.concluded.wrong.values() for one in of_part.conditions]
    assert [(one.title, one.path) for one in wrong] == [("Disabled by an error", page_of(ACCOUNT))]
    async with world(tmp_path / "web", run_now(service.watcher)) as made:
        assert "401 Unauthorized" in (await PageReader(made.asker).get(page_of(ACCOUNT))).words


def test_drift_leads_to_the_page_of_what_it_was_found_of() -> None:
    """What was found with an account leads to its mailbox, everything else of an endpoint to that of the endpoint."""
    of_endpoint, of_account = (
        a_change(number, url_of(0), v.AUTH_SCHEMES, ["NTLM"], ["Negotiate"], mailbox=mailbox)
        for number, mailbox in enumerate((None, ACCOUNT))
    )
    notices = notices_of([of_endpoint, of_account], {url_of(0): [(ACCOUNT, "p0")]})
    assert [one.path for one in notices] == [page_of(url_of(0)), page_of(ACCOUNT)]
