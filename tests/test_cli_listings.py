"""Tests of how results are written, and of how plans, rules and facts are listed."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from probe import app
from probe.cli.listings import write_facts, write_plan, write_rules
from probe.cli.output import Output
from probe.model.estate import Endpoint
from probe.model.vocabulary import all_keys


def output(form: str, file: Path) -> Output:
    return Output(format=form, file=file, quiet=False, verbose=False, transcripts=False, colour=False, log_format="text")


def test_a_listing_has_no_form_but_json_and_text(tmp_path: Path) -> None:
    """A form that reports alone have is a wrong call, which names what there is, and nothing is written."""
    file = tmp_path / "listing"
    plan = app.plan_look([Endpoint.parse("pop3://127.0.0.1:110")], app.Options())
    listings: tuple[Callable[[Output], None], ...] = (
        lambda to: write_plan(to, plan, app.probers()),
        lambda to: write_rules(to, list(app.rules().values()), whole=False),
        lambda to: write_facts(to, list(all_keys().values()), {}, whole=False),
    )
    for write in listings:
        with pytest.raises(click.UsageError, match="the format 'junit'; use json or text"):
            write(output("junit", file))
        assert not file.exists()
        for form in ("json", "text"):
            write(output(form, file))
            assert file.read_text(encoding="utf-8").startswith(("{", "[")) is (form == "json")
        file.unlink()


@pytest.mark.parametrize(
    ("media_type", "written"), [("text/plain; charset=utf-8", b"Stra\xdfe \\u20ac\n"), ("text/html", "Straße €\n".encode())]
)
def test_what_people_read_is_for_their_console_and_the_rest_is_utf_8(
    media_type: str, written: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The media type of a report decides, not its name: programs that read it go by that type."""
    received = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(received, encoding="latin-1"))
    Output(format="any", file=None, quiet=False, verbose=False, transcripts=False, colour=False, log_format="text").write(
        ["Straße €\n"], media_type
    )
    assert received.getvalue() == written
