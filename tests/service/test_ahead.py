"""What ends soon is told once for each stage, with the mailboxes that it concerns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from probe.model import vocabulary as v
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
