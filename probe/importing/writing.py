"""A draft as text that a person reads and edits."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from probe.importing.tables import EstateDraft, EstateLine, ImportedTable, Value
from probe.model.characters import visible

WIDTH = 110
_HEADINGS = {"deployment": "[deployment]", "dynamics": "[dynamics]", "profile": "[[profile]]", "mailbox": "[[mailbox]]"}


def estate_text(draft: EstateDraft, trusted: frozenset[str], url: str) -> str:
    """The whole estate. Credentials of a profile with a host that is not trusted stand in it as comments."""
    hosts = {profile.name: profile.hosts for profile in draft.profiles}
    blocks = [
        "\n".join(
            comment(
                f"WrittenAccess by `probe import dynamics {url}` out of Dynamics' own records. It is yours to edit: with --update, an import changes what Dynamics "
                "has otherwise, and keeps the rest. `probe init` writes an example that explains each key."
            )
        ),
        *("\n".join(table_lines(table, frozenset(), trusted)) for table in (draft.deployment, draft.dynamics)),
        *("\n".join(table_lines(table, table.hosts, trusted)) for table in draft.profiles),
        *("\n".join(table_lines(table, hosts[str(table.value("profile"))], trusted)) for table in draft.mailboxes),
    ]
    return "\n\n".join(blocks) + "\n"


def table_lines(table: ImportedTable, hosts: frozenset[str], trusted: frozenset[str]) -> Iterator[str]:
    """The lines of a table. `hosts` are those to which its credentials go."""
    yield _HEADINGS[table.kind]
    for note in table.notes:
        yield from comment(note)
    strange = sorted(hosts - trusted)
    for line in table.lines:
        if not line.is_implied:
            yield from _written(line, strange)


def _written(line: EstateLine, strange: list[str]) -> Iterator[str]:
    if line.value is None:
        yield from comment(f"{line.key}: {line.comment}")
        return
    if line.is_secret and strange:
        new = f"{strange[0]} is" if len(strange) == 1 else f"{', '.join(strange[:5])} are"
        yield from comment(f"{line.comment}. {new} new to this estate, and would be sent it: take away the # to agree")
        yield f"# {line.key} = {written(line.value)}"
        return
    if line.comment:
        yield from comment(line.comment)
    yield f"{line.key} = {written(line.value)}"


def comment(words: str) -> list[str]:
    """A comment, in as many lines as it takes."""
    return textwrap.wrap(
        visible(words, keep=""), WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False, break_on_hyphens=False
    )


def written(value: Value) -> str:
    """A value as TOML writes it; what a basic string escapes is what JSON does (TOML 1.0)."""
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return json.dumps(value if isinstance(value, bool) else str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
