"""How pages are written: the environment of the HTML report, with what only the service's pages show."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from probe import __version__, app
from probe.document.telling.words import CITED_LIMIT
from probe.gate.wording import MOST_SEEN
from probe.history.telling import form_in_words, named
from probe.model.characters import visible
from probe.reports.html.markup import environment
from probe.reports.html.times import value_in_html
from probe.web.access import Caller
from probe.web.pages.files import page_files
from probe.web.places import page_of, page_of_rule
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
            "at_a_glance": lambda cited: value_in_html(cited["key"], cited["value"], MOST_SEEN),
            "named": named,
            "form_in_words": lambda form, key: form_in_words(key, form, _in_one_line),
            "query": lambda wanted: urlencode({name: value for name, value in wanted.items() if value}),
        }
    )
    made.globals.update({"file": lambda name: page_files()[name].place, "version": __version__})
    return made


def _in_one_line(key: str, value: Any) -> str:
    told = value_in_html(key, value, CITED_LIMIT)
    return told if isinstance(told, Markup) else visible(told)


def place_of(subject: str, names: EstateNames) -> str:
    """The path of the page of an endpoint or a mailbox of the estate, or of a rule; empty where there is none of that name."""
    if subject in names.endpoints or subject.casefold() in names.by_address:
        return page_of(subject)
    return page_of_rule(subject) if subject in app.rules() else ""


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
