"""One HTML file for a person: opens from a mail, prints, and works without script, network or anything beside it.

Whatever a server said is text in it: Jinja2 escapes every value, and a Content Security Policy lets nothing load and no script run, should
one ever get there. The file is ASCII, so that no mail program and no console can read it in another encoding.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from probe.document import Report, ReportOptions
from probe.document.telling.blocks import blocks_of
from probe.document.telling.coming import Outlook
from probe.document.telling.groups import Group, advice_of, groups_of, step_for
from probe.document.telling.known import Known
from probe.document.telling.messages import messages_of
from probe.document.telling.signing_in import answers_before
from probe.document.telling.summaries import INTERRUPTED, circumstances, dynamics_unread, summary_of_check, summary_of_look
from probe.model.rules import Readiness
from probe.reports.html.apart import Apart
from probe.reports.html.markup import environment
from probe.reports.html.timeline import TimeLine

if TYPE_CHECKING:
    import jinja2


def _render(document: Mapping[str, Any], options: ReportOptions) -> Iterator[str]:
    from markupsafe import Markup

    known, on = Known(document), date.fromisoformat(document["judged_at"])
    is_check = document["estate"] is not None
    blocks = blocks_of(document["assessments"], known) if is_check else []
    groups = groups_of(blocks, on)
    anchors = {url: f"e{number}" for number, url in enumerate(known.endpoints, start=1)}
    apart = Apart(document["rules"])
    made = _environment()
    source, _, _ = made.loader.get_source(made, "style.css")  # type: ignore[union-attr]
    page = made.get_template("page.html").generate(
        document=document,
        options=options,
        known=known,
        on=on,
        title=f"Mail of {document['estate']['deployment']['name']}, {on.isoformat()}" if is_check else f"Mail servers, {on.isoformat()}",
        style=Markup(source),  # noqa: S704 - a file of our own
        style_hash="sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode(),
        summary=summary_of_check(blocks) if is_check else [summary_of_look(known)],
        interrupted=INTERRUPTED,
        before=answers_before(known),
        groups=groups,
        advice=advice_of(groups, on),
        steps=[(g.number, step_for(g.first, g.addresses[0], known, on)) for g in groups if _is_broken(g)],
        messages=list(messages_of(known)),
        anchors=anchors,
        apart=apart,
        ahead=partial(_ahead, options),
        place_of=lambda subject: f"#{anchors[subject]}" if subject in anchors else apart.rule_place(subject),
        circumstances=circumstances(document),
        unread=dynamics_unread(known),
    )
    for piece in page:
        yield piece.encode("ascii", "xmlcharrefreplace").decode("ascii")
    yield "\n"


def _ahead(options: ReportOptions) -> tuple[Outlook, TimeLine] | None:
    """What comes, with the line that it is drawn on; None where nobody waits for it."""
    if options.ahead is None:
        return None
    outlook = options.ahead()
    return outlook, TimeLine(outlook.start, outlook.until, outlook.coming)


@cache
def _environment() -> jinja2.Environment:
    return environment()


def _is_broken(group: Group) -> bool:
    return group.first.readiness in (Readiness.NOT_READY, Readiness.UNDETERMINED)


REPORT = Report(
    id="html",
    title="One HTML file for a person: opens from a mail, prints, works without script.",
    media_type="text/html; charset=utf-8",
    render=_render,
    looks_ahead=True,
)
