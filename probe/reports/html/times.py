"""Values in HTML: a time in one is an element, which a script may write in the reader's own zone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from probe.document.telling.words import bounded, value_in_words
from probe.model.characters import visible
from probe.model.kinds import CHAIN_END, DAY, MOMENT, VALIDITIES, ChainEnd, Kind, Validity
from probe.model.vocabulary import all_keys

if TYPE_CHECKING:
    from markupsafe import Markup


def time_element(at: datetime | date | str | None) -> Markup:
    """A time in UTC, or a day as it is. Raises OverflowError for a time that UTC does not have."""
    from markupsafe import Markup

    if at is None:
        return Markup()
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    if not isinstance(at, datetime):
        return Markup('<time datetime="{0}">{0}</time>').format(at.isoformat())
    text = MOMENT.encode(at.astimezone(UTC).replace(microsecond=0))
    return Markup('<time datetime="{}">{}</time>').format(text, text[:16].replace("T", " ") + " UTC")


def value_in_html(key: str, value: Any, limit: int) -> str:
    """A value of the document in words, at most so long, with an element for each time in it; what is longer, or is no value of its key, is text alone."""
    words, known = value_in_words(value), all_keys().get(key)
    drawn = None if known is None else next((draw for kind, draw in _DRAWN if kind is known.kind), None)
    if known is not None and drawn is not None and len(words) <= limit:
        try:
            return drawn(known.kind.decode(value))
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            pass  # a document of somebody else may have anything there
    return bounded(words, limit)


def _chain_end(end: ChainEnd) -> Markup:
    from markupsafe import Markup

    return Markup("{}, until {}").format(visible(end.subject), time_element(end.not_after))


def _validities(chain: Sequence[Validity]) -> Markup:
    from markupsafe import Markup

    each = Markup("{} {} to {}")
    return Markup(", ").join(each.format(visible(one.subject), time_element(one.not_before), time_element(one.not_after)) for one in chain)


_DRAWN: Sequence[tuple[Kind[Any], Callable[[Any], str]]] = (
    (DAY, time_element),
    (MOMENT, time_element),
    (CHAIN_END, _chain_end),
    (VALIDITIES, _validities),
)
"""How values of the kinds that have times in them are drawn."""
