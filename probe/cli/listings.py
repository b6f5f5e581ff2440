"""How plans, rules and facts are listed."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from probe.model.remedies import names_in, steps
from probe.model.schemas import PLAN_SCHEMA

if TYPE_CHECKING:
    from probe.app import Options
    from probe.cli.output import Output
    from probe.engine.plan import Plan
    from probe.model.inferences import Inference
    from probe.model.keys import FactKey
    from probe.model.rules import Rule
    from probe.probing import Prober


def is_json(output: Output) -> bool:
    """Whether what is no run is wanted as JSON, else as text. Raises UsageError for what is a format of runs alone."""
    if output.format not in ("json", "text"):
        raise click.UsageError(f"only a run has the format {output.format!r}; use json or text")
    return output.format == "json"


def held_now(plan: Plan, options: Options) -> Plan:
    """A plan as it would be held now, by what is known of the sign-ins of the last 15 minutes. Nothing is written, and no secret is looked up."""
    from probe import app
    from probe.engine.sign_ins import without_recent
    from probe.memory import Memory, MemoryUnavailable, default_folder

    if options.sign_in_now:
        return plan
    try:
        return without_recent(plan, Memory(default_folder), app.now())
    except MemoryUnavailable as unavailable:
        raise click.UsageError(str(unavailable)) from None


def write_plan(output: Output, plan: Plan, probers: Mapping[str, Prober]) -> None:
    """What a check would do, found out without a connection."""
    if is_json(output):
        forms = [
            {
                "prober": c.prober,
                "does": probers[c.prober].title,
                "subject": c.endpoint.url,
                "fetches_from": next((e.url for e in c.endpoints[1:]), None),
                "effect": probers[c.prober].effect,
                "mailbox": c.mailbox,
                "account": c.login.username if c.login else None,
                "authorities": c.login.may_ask if c.login else [],
                "held": c.not_held is None,
                "why_not": c.not_held.detail if c.not_held else None,
            }
            for c in plan.conversations
        ]
        access = None if plan.estate is None else plan.estate.dynamics
        records = None if access is None else {"url": str(access.url), "account": access.username, "token_url": access.token_url}
        output.write_form({"schema": PLAN_SCHEMA, "conversations": forms, "dynamics": records})
        return
    lines = []
    for c in plan.conversations:
        lines.append(" and ".join(e.url for e in c.endpoints) + (f" for {c.mailbox}" if c.mailbox else ""))
        lines.append(f"  {c.prober}: {probers[c.prober].title}")
        lines.append(f"  effect: {probers[c.prober].effect}; account: {c.login.username if c.login else 'none'}")
        if c.login and c.login.may_ask:
            lines.append(f"  may be sent the account's secret, where the server names it for tokens: {', '.join(c.login.may_ask)}")
        if c.not_held:
            lines.append(f"  NOT HELD: {c.not_held.detail}")
    access = None if plan.estate is None else plan.estate.dynamics
    if access is not None:
        lines.append(str(access.url))
        lines.append(
            "  Dynamics' own records: organization, email server profiles, mailboxes, alerts, waiting mail; nothing is written there"
        )
        lines.append(f"  effect: reads; account: {access.username or 'the one that runs this program'}")
        if access.token_url is not None:
            lines.append(f"  is sent the account's secret for a token: {access.token_url}")
    held = sum(c.not_held is None for c in plan.conversations)
    lines.append(
        f"{held} conversation{'' if held == 1 else 's'} would be held, {len(plan.conversations) - held} would not. No connection was made."
    )
    output.write_lines(lines)


def write_rules(output: Output, rules: Sequence[Rule], *, whole: bool) -> None:
    """The rules, a line each with what a failure means and whose statement it is; `whole` shows the one that was asked for."""
    if is_json(output):
        output.write_form([_rule_as_json(r) for r in rules])
    elif whole:
        output.write_lines(_rule_as_lines(rules[0]))
    else:
        column = max((len(r.id) for r in rules), default=0) + 2
        output.write_lines(f"{r.id:<{column}}{r.otherwise:<13}{r.by}" for r in rules)


def _rule_as_json(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "statement": rule.statement,
        "by": rule.by,
        "otherwise": rule.otherwise,
        "references": [{"title": r.title, "url": r.url, "dated": r.dated} for r in rule.references],
        "needs": {
            part: [k.name for k in getattr(rule.needs, part)] for part in ("deployment", "profile", "mailbox", "incoming", "outgoing")
        },
        "remedy": rule.remedy,
    }


def _rule_as_lines(rule: Rule) -> list[str]:
    sources = "\n".join(f"  {r.title}, {r.dated}\n  {r.url}" for r in rule.references)
    needs = ", ".join(
        sorted({k.name for part in ("deployment", "profile", "mailbox", "incoming", "outgoing") for k in getattr(rule.needs, part)})
    )
    parts = (
        f"{rule.id}: {rule.title}",
        textwrap.fill(rule.statement, 80),
        f"When it does not hold: {rule.otherwise}. Stated by: {rule.by}",
        "\n".join(_remedy_as_lines(rule.remedy)),
        textwrap.fill(f"Looks at: {needs}", 80, break_on_hyphens=False),
        f"Stated at:\n{sources}",
    )
    return "\n\n".join(parts).split("\n")


def _remedy_as_lines(remedy: str) -> Iterator[str]:
    """The remedy with its names in capitals; each command on a line of its own."""
    before = "Remedy: "
    for paragraph in remedy.split("\n"):
        for step in steps(paragraph):
            if step.is_command:
                yield f"  {step.text}"
            else:
                yield from textwrap.wrap(before + step.text, 80, break_on_hyphens=False)
                before = ""
    if names := names_in(remedy):
        yield f"Placeholders in capitals, which the report or you fill in: {', '.join(sorted(names))}"


def write_facts(output: Output, keys: Sequence[FactKey[Any]], learnt_by: Mapping[str, Sequence[str]], *, whole: bool) -> None:
    """The facts that can be known, a line each; `whole` shows the one that was asked for."""
    if is_json(output):
        output.write_form([_key_as_json(k, learnt_by.get(k.name, [])) for k in keys])
    elif whole:
        output.write_lines(_key_as_lines(keys[0], learnt_by.get(keys[0].name, [])))
    else:
        output.write_lines(f"{k.name:<36} {k.doc}" for k in keys)


def _key_as_json(key: FactKey[Any], learnt_by: Sequence[str]) -> dict[str, Any]:
    return {
        "key": key.name,
        "type": key.kind.name,
        "schema": dict(key.kind.schema),
        "meaning": key.doc,
        "from": learnt_by,
        "examples": [key.kind.encode(e) for e in key.examples],
    }


def _key_as_lines(key: FactKey[Any], learnt_by: Sequence[str]) -> list[str]:
    examples = [f"  {json.dumps(key.kind.encode(e), ensure_ascii=False)}" for e in key.examples]
    learnt = ", ".join(learnt_by) or "the estate alone"
    return [key.name, "", *key.doc.split("\n"), "", f"Type: {key.kind.name}", f"Learnt by: {learnt}", "For example:", *examples]


def learners(probers: Mapping[str, Prober], inferences: Mapping[str, Inference]) -> dict[str, list[str]]:
    """Who learns each key."""
    found: dict[str, list[str]] = {}
    for prober in probers.values():
        for key in prober.collects:
            found.setdefault(key.name, []).append(prober.id)
    for inference in inferences.values():
        for key in inference.gives:
            found.setdefault(key.name, []).append(inference.id)
    return found
