"""What ends soon is told once for each stage, with the mailboxes that it concerns."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from probe.alerts.wording import Part
from probe.config import read_estate
from probe.model import vocabulary as v
from probe.model.kinds import ChainEnd
from probe.model.rules import Otherwise
from probe.outlook import Coming
from probe.service.ahead import approaching
from tests.service.driven import START, driven
from tests.service.world import estate_text, telling, url_of


async def test_a_certificate_that_ends_is_told_of_at_each_stage(tmp_path: Path) -> None:
    """A certificate that ends in 16 days is told of at once for the first stage, then 14 days before its end, and each stage once."""
    service = driven(tmp_path, estate_text(2, 2, more='[schedule]\nposture = "off"\nquick = "1h"\n'))
    ends = datetime(2026, 12, 16, 9, tzinfo=UTC)
    service.world.change(url_of(0), telling(v.CERTIFICATE_NOT_AFTER, ends))
    await service.run(START + timedelta(days=4))
    titles = [title for title in service.titles() if "Certificate" in title]
    assert [title.rpartition(": ")[2] for title in titles] == ["in 16 days, on 2026-12-16", "in 14 days, on 2026-12-16"]
    assert all(url_of(0) in title for title in titles)
    lines = {line.label: line.text for line in service.told[0][1].lines}
    assert lines["Mailboxes"].startswith("2: m0@p0.contoso.test")


async def test_the_end_of_an_issuer_is_told_of_at_its_stage(tmp_path: Path) -> None:
    """An issuer's certificate that the chain needs, and that ends before the server's own, is told of as that one would be."""
    service = driven(tmp_path, estate_text(2, 2, more='[schedule]\nposture = "off"\nquick = "1h"\n'))
    ends = datetime(2026, 12, 13, 9, tzinfo=UTC)
    service.world.change(url_of(1), telling(v.CERTIFICATE_CHAIN_ENDS, ChainEnd("CN=Contoso Issuing CA", ends)))
    await service.run(START + timedelta(hours=6))
    (title,) = service.titles()
    assert url_of(1) in title
    assert title.endswith("in 13 days, on 2026-12-13")
    lines = {line.label: line.text for line in service.told[0][1].lines}
    assert "CN=Contoso Issuing CA" in lines["In the server's words"]


async def test_the_end_of_an_issuer_that_came_is_one_failure(tmp_path: Path) -> None:
    """What was told ahead begins on its day under the same name, and that the chain is refused from then on is not told as another failure."""
    service = driven(tmp_path, estate_text(1, 2, more='[schedule]\nposture = "off"\nquick = "1h"\n'))
    ends = datetime(2026, 12, 1, 9, tzinfo=UTC)
    service.world.change(url_of(0), telling(v.CERTIFICATE_CHAIN_ENDS, ChainEnd("CN=Contoso Issuing CA", ends)))
    reason = "certificate has expired: CN=Contoso Issuing CA, on 2026-12-01"
    for change in (telling(v.CERTIFICATE_TRUSTED, False), telling(v.CERTIFICATE_DISTRUSTED_BECAUSE, reason)):
        service.clock.at(ends, partial(service.world.change, url_of(0), change))
    await service.run(ends + timedelta(hours=6))
    assert [title.replace(f"contoso-crm: {url_of(0)}: ", "") for title in service.titles()] == [
        "[WARNING] Certificate expired or not valid yet: tomorrow, on 2026-12-01",
        "[CRITICAL] Certificate expired or not valid yet",
        "[INFORMATION] certificate.trusted, certificate.distrusted_because changed",
    ]


async def test_ends_of_two_profiles_on_one_day_are_two(tmp_path: Path) -> None:
    """What ends and is of no endpoint is told once for each profile that it is of, with its mailboxes, its name and its owners; not of one for both."""
    text = estate_text(2, 2, more='[schedule]\nposture = "off"\nquick = "1h"\n')
    service = driven(tmp_path, text.replace('credentials = "mailbox"', 'credentials = "mailbox"\npassword_ends = 2026-12-10'))
    await service.run(START + timedelta(hours=6))
    assert [title.partition("contoso-crm: ")[2] for title in service.titles()] == [
        f"profile p{number}: Password ended: in 10 days, on 2026-12-10" for number in range(2)
    ]
    told = [{line.label: line.text for line in message.lines} for _, message in service.told]
    assert [(lines["Mailboxes"], lines["Server profiles"]) for lines in told] == [
        (f"2: m0@p{number}.contoso.test, m1@p{number}.contoso.test", f"p{number}") for number in range(2)
    ]


def test_an_end_that_several_endpoints_share_is_told_of_each_once() -> None:
    """One certificate at three endpoints ends on one day: each endpoint has its own notice, whichever of them stand behind one mailbox."""
    estate = read_estate(estate_text(1, 1), "estate.toml")

    def one_of(*endpoints: str) -> Coming:
        return Coming(
            day=date(2026, 12, 16),
            rule="certificate-expired",
            title="Certificate expired or not valid yet",
            otherwise=Otherwise.NOT_READY,
            words="",
            endpoints=endpoints,
            subjects=endpoints,
            remedy="",
            mailboxes=("m0@p0.contoso.test",),
        )

    ends = approaching([one_of("pop3s://a:995", "smtp://b:587"), one_of("pop3s://a:995", "smtp://c:587")], estate)
    keys = {notice.key for end in ends if (notice := end.notice(date(2026, 12, 10), (14,))) is not None}
    assert [end.subject for end in ends] == ["pop3s://a:995", "smtp://b:587", "smtp://c:587"]
    assert len(keys) == 3


async def test_a_remedy_holds_no_words_of_a_server(tmp_path: Path) -> None:
    """What a certificate says of itself is quoted as words of a server or not at all: neither what ends nor what has ended tells it as what to do."""
    service = driven(tmp_path, estate_text(2, 1, more='[schedule]\nposture = "off"\nquick = "1h"\n'))
    for number, ends in enumerate((datetime(2026, 11, 29, 9, tzinfo=UTC), datetime(2026, 12, 5, 9, tzinfo=UTC))):
        service.world.change(url_of(number), telling(v.CERTIFICATE_SUBJECT, "CN=https://evil.test/login"))
        service.world.change(url_of(number), telling(v.CERTIFICATE_NOT_AFTER, ends))
    await service.run(START + timedelta(hours=4))
    assert len(service.told) == 2
    for _, message in service.told:
        lines = {line.label: line for line in message.lines}
        assert "valid until 2026-1" in lines["Remedy"].text
        assert all("evil.test" not in line.text for line in message.lines if line.part is not Part.WORDS)
