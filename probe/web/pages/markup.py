"""How pages are written: the environment of the HTML report, with what only the service's pages show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from probe import __version__
from probe.history.telling import as_time, form_in_words, named
from probe.model.facts import Why
from probe.reports.html.markup import environment
from probe.web.access import Caller
from probe.web.pages.files import page_files
from probe.web.places import page_of
from probe.web.state import EstateNames
from probe.web.tokens import TokenScope

if TYPE_CHECKING:
    import jinja2


@cache
def _environment() -> jinja2.Environment:
    made = environment("probe.web.pages.templates")
    made.trim_blocks = made.lstrip_blocks = True
    made.filters.update(
        {
            "named": named,
            "form_in_words": lambda form, key: form_in_words(key, form),
            "time": time_element,
            "whys": lambda because: dict.fromkeys(Why(cited["why"]) for cited in because if "why" in cited),
            "query": lambda wanted: urlencode({name: value for name, value in wanted.items() if value}),
        }
    )
    made.globals.update({"file": lambda name: page_files()[name].place, "version": __version__})
    return made


def time_element(at: datetime | date | str | None) -> Markup:
    """A time in UTC, which a script writes in the reader's own zone; a day as it is."""
    if at is None:
        return Markup()
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    if not isinstance(at, datetime):
        return Markup('<time datetime="{0}">{0}</time>').format(at.isoformat())
    at = at.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(as_time(at), f"{at:%Y-%m-%d %H:%M} UTC")


def place_of(subject: str, names: EstateNames) -> str:
    """The path of the page of an endpoint or a mailbox; empty where the estate has none of that name."""
    return page_of(subject) if subject in names.endpoints or subject.casefold() in names.by_address else ""


def answered(request: Request, template: str, context: Mapping[str, Any], names: EstateNames | None, status: int = 200) -> HTMLResponse:
    """A page. `names` are those of the estate; None for whoever may not know them."""
    caller: Caller | None = getattr(request.state, "caller", None)
    session = None if caller is None else caller.session
    text = (
        _environment()
        .get_template(template)
        .render(
            {
                "names": names,
                "deployment": "" if names is None else names.estate.deployment.name,
                "place_of": lambda subject: "" if names is None else place_of(subject, names),
                "path": request.url.path,
                "session": session,
                "may_check": session is not None and session.token.scope.includes(TokenScope.CHECK),
                **context,
            }
        )
    )
    return HTMLResponse(text.encode("utf-8", "backslashreplace"), status)
