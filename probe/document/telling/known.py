"""The facts, attempts and estate of a document, as the sections of the report look them up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from probe.document.index import Index, JsonObject
from probe.document.reading import readings
from probe.model.attempts import Outcome
from probe.model.estate import Delivery
from probe.model.facts import Facts, Missing


class Known(Index):
    """The facts, attempts and estate of a document, as the sections look them up."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        super().__init__(document)
        self.started = datetime.fromisoformat(document["started"])
        self.all_attempts: list[JsonObject] = list(document["attempts"])
        """In the order of the document."""
        self.attempts: dict[str, list[JsonObject]] = {}
        for attempt in self.all_attempts:
            self.attempts.setdefault(attempt["subject"], []).append(attempt)
        self.facts: dict[tuple[str, str | None, str], list[JsonObject]] = {}
        for fact in self.all_facts:
            self.facts.setdefault((fact["subject"], fact["mailbox"], fact["key"]), []).append(fact)
        self._forms: dict[str, dict[str, list[JsonObject]]] = {}
        """Facts and gaps of each subject itself."""
        for part, forms in (("facts", self.all_facts), ("missing", self.all_gaps)):
            for form in forms:
                if form["mailbox"] is None:
                    self._forms.setdefault(form["subject"], {}).setdefault(part, []).append(form)
        self._of: dict[str, Facts] = {}
        self._gaps = {(gap["subject"], gap["mailbox"], gap["key"]): gap for gap in self.all_gaps}
        estate = document["estate"] or {"deployment": {}, "profiles": (), "mailboxes": ()}
        self.deployment: JsonObject = estate["deployment"]
        self.profiles: dict[str, JsonObject] = {profile["name"]: profile for profile in estate["profiles"]}
        self.mailboxes: dict[str, JsonObject] = {mailbox["address"]: mailbox for mailbox in estate["mailboxes"]}

    @cached_property
    def endpoints(self) -> list[str]:
        """URLs of the endpoints of which something is known."""
        others = (subject for subject in self._forms if "://" in subject and (subject in self.attempts or any(self.of(subject))))
        return list(dict.fromkeys((*(subject for subject in self.attempts if "://" in subject), *others)))

    def of(self, subject: str) -> Facts:
        """What is known of a subject itself. It is read from the document when it is first asked for: most of it nobody asks for."""
        found = self._of.get(subject)
        if found is None:
            # Findings cite that nothing was asked; it says nothing about the endpoint.
            told = (one for one in readings(self._forms.get(subject, {})) if not (isinstance(one, Missing) and one.says_nothing))
            found = self._of[subject] = Facts(subject, told)
        return found

    def facts_of(self, subject: str) -> Iterator[JsonObject]:
        """Every fact of a subject itself, without those of accounts there."""
        return iter(self._forms.get(subject, {}).get("facts", ()))

    def gaps_of(self, subject: str) -> list[Missing]:
        """What is not known of a subject itself, by key, with the most informative reason of each."""
        facts = self.of(subject)
        best = (facts.read(key) for key in dict.fromkeys(reading.key for reading in facts))
        return [reading for reading in best if isinstance(reading, Missing)]

    def gap(self, subject: str, mailbox: str | None, key: str) -> JsonObject | None:
        """Why something is not known of a subject, or of an account there; None where it is known or nobody asked."""
        return self._gaps.get((subject, mailbox, key))

    @cached_property
    def signed_in_before(self) -> Mapping[tuple[str, str], datetime]:
        """When accounts signed in of which the run has the answer of a sign-in before it, by endpoint and mailbox."""
        found: dict[tuple[str, str], datetime] = {}
        for attempt in self.all_attempts:
            if attempt["mailbox"] and "://" in attempt["subject"] and attempt["outcome"] != Outcome.NOT_SCHEDULED and attempt.get("at"):
                at, key = datetime.fromisoformat(attempt["at"]), (attempt["subject"], attempt["mailbox"])
                if at < self.started:
                    found[key] = min(at, found.get(key, at))
        return found

    def used_endpoints(self, address: str) -> tuple[str, ...]:
        """URLs of the endpoints that server-side synchronization uses for a mailbox."""
        return tuple(dict.fromkeys(url for url in self.ways(address) if url))

    def ways(self, address: str) -> tuple[str | None, str | None]:
        """URLs of the endpoints that a mailbox is collected from and sends by; None where that direction is not used."""
        mailbox = self.mailboxes.get(address)
        profile = self.profiles.get(mailbox["profile"]) if mailbox else None
        if mailbox is None or profile is None:
            return None, None
        receives = Delivery.SERVER_SIDE in (mailbox["incoming"], mailbox["appointments"])
        found = mailbox.get("ews_url") if profile["autodiscover"] else None
        incoming, outgoing = (
            found if found and (end or "https:").startswith("https:") else end for end in (profile["incoming"], profile["outgoing"])
        )
        return incoming if receives else None, outgoing if mailbox["outgoing"] == Delivery.SERVER_SIDE else None

    def behind(self, cited: JsonObject) -> list[JsonObject]:
        """The full facts that a finding cites; where several sources were combined, all of them."""
        facts = self.facts.get((cited["subject"], cited["mailbox"], cited["key"]), [])
        return [f for f in facts if f["value"] == cited["value"]] or facts

    def texts_behind(self, fact: JsonObject) -> set[str]:
        """The fact's value and the values that it was concluded from, as far as they are texts that a peer may have sent."""
        texts: set[str] = set()
        waiting, seen = [fact], set()
        while waiting:
            one = waiting.pop()
            if one["key"] in seen or one.get("by") == "operator":
                continue
            seen.add(one["key"])
            if isinstance(one["value"], str):
                texts.add(one["value"])
            for key in one.get("premises", ()):
                waiting.extend(self.facts.get((one["subject"], one["mailbox"], key), []))
        return texts
