"""Option sets: what Dynamics calls the numbers that its records hold, as the server itself tells it.

Numbers mean the same in every version, and labels are in the server's language; but each version has numbers of its own. So a number is kept with the
server's label, and one that the server's own metadata does not have is told, never guessed at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from probe.dynamics.values import Malformed, integer, rows, text, text_or_none
from probe.model.values import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """A number out of an option set."""

    value: int
    label: str | None
    """What the server calls it, in the language of the account; None where its own metadata does not know the number."""

    def __str__(self) -> str:
        return f"{self.value} ({self.label})" if self.label is not None else f"{self.value} (unknown to the server's own metadata)"


class OptionSets:
    """The option sets of one table, by attribute."""

    def __init__(self, labels: Mapping[str, Mapping[int, str]]) -> None:
        self._labels = labels
        self._made: dict[tuple[str, int], Option] = {}

    def labels(self, attribute: str) -> Mapping[int, str]:
        """Every number that an attribute can have, with its label; empty where it is no choice, or there is none of that name."""
        return self._labels.get(attribute, {})

    def option(self, attribute: str, value: int) -> Option:
        """A number of an attribute with its label. Equal ones are one, since a listing has tens of thousands."""
        made = self._made.get((attribute, value))
        if made is None:
            made = self._made[attribute, value] = Option(value, self.labels(attribute).get(value))
        return made


def read_option_sets(choices: Iterable[Mapping[str, object]]) -> OptionSets:
    """Out of the metadata of a table's choices. Raises Malformed."""
    labels: dict[str, dict[int, str]] = {}
    for attribute in choices:
        found = labels.setdefault(text(attribute.get("LogicalName")), {})
        # One of its own, or one that several tables share; of the other there is null, or nothing.
        for where in ("OptionSet", "GlobalOptionSet"):
            held = attribute.get(where)
            if isinstance(held, dict):
                found.update({integer(option.get("Value")): _label(option.get("Label")) for option in rows(held, "Options")})
    return OptionSets(labels)


def _label(form: object) -> str:
    """The label in the language of the account, else in the first that there is; empty where nobody gave it one."""
    if form is None:
        return ""
    if not isinstance(form, dict):
        raise Malformed("a label is no object")
    localized = form.get("UserLocalizedLabel") or next(iter(rows(form, "LocalizedLabels")), None) or {}
    if not isinstance(localized, dict):
        raise Malformed("a label is no object")
    return text_or_none(localized.get("Label")) or ""
