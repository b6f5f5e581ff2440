"""A draft as text that a person reads and edits."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from probe.importing.tables import GIVEN_BACK, EstateDraft, EstateLine, ImportedTable, Value
from probe.model.characters import visible

WIDTH = 110
_HEADINGS = {"deployment": "[deployment]", "dynamics": "[dynamics]", "profile": "[[profile]]", "mailbox": "[[mailbox]]"}


def estate_text(draft: EstateDraft, trusted: frozenset[str], url: str) -> str:
    """The whole estate. Credentials of a profile with a host that is not trusted stand in it as comments."""
    hosts = {profile.name: profile.hosts for profile in draft.profiles}
    blocks = [
        "\n".join(
            comment(
                f"Written by `probe import dynamics {url}` from Dynamics' own records. It can be edited: with --update, an import changes what Dynamics "
                "has differently, and keeps the rest. `probe init` writes an example that explains each key."
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
    if table.has_secrets_of_mailboxes:
        yield from comment(_about_secret(f"The passwords of its mailboxes: {GIVEN_BACK}", strange))
    for line in table.lines:
        if not line.is_implied:
            yield from _written(line, strange, is_told=table.kind == "mailbox")


def _about_secret(words: str, strange: list[str]) -> str:
    """Where a secret is kept, and that hosts which would be sent it are new, if any are."""
    if not strange:
        return words
    new = f"{strange[0]} is" if len(strange) == 1 else f"{', '.join(strange[:5])} are"
    return f"{words}. {new} new to this estate, and would receive it: remove the # to agree"


def _written(line: EstateLine, strange: list[str], *, is_told: bool) -> Iterator[str]:
    """The lines of a key. `is_told`: what there is to say of a secret stands with the profile, for thousands of mailboxes once."""
    if line.value is None:
        yield from comment(f"{line.key}: {line.comment}")
        return
    if line.is_secret and not is_told:
        yield from comment(_about_secret(line.comment, strange))
    elif line.comment and not line.is_secret:
        yield from comment(line.comment)
    yield f"{'# ' if line.is_secret and strange else ''}{line.key} = {written(line.value)}"


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
