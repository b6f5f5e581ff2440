"""`probe token`: the tokens of the HTTP API."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from probe.cli.options import answer_options
from probe.cli.streams import tell, write_result

if TYPE_CHECKING:
    from probe.cli.output import Output
    from probe.web.tokens import Tokens

T = TypeVar("T")

SCOPES = ("read", "check", "admin")
"""`probe.web.tokens.TokenScope`, which is not loaded for a list of options."""


@click.group()
def token() -> None:
    """Make and take back tokens of the HTTP API of probe serve."""


@token.command()
@click.argument("name")
@click.option("--scope", type=click.Choice(SCOPES), required=True, help="What it may be used for; each includes those before it.")
def create(name: str, scope: str) -> None:
    """Make a token, and print it once.

    Only its hash is kept, in the state folder. A client sends it as: Authorization: Bearer TOKEN
    """
    from probe import app
    from probe.web.tokens import TokenScope

    try:
        made = _tried(lambda tokens: tokens.create(name, TokenScope(scope), app.now()))
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None
    write_result([f"{made}\n"])
    tell(f"Token {name}, of scope {scope}, is shown this once; only its hash is kept. probe token revoke {name} takes it back.")


@token.command("list")
@answer_options
def list_(output: Output) -> None:
    """List the tokens: name, scope, when each was made and last used."""
    from probe.cli.listings import is_json

    tokens = _tried(lambda tokens: tokens.all())
    if is_json(output):
        output.write_form(
            [
                {
                    "name": one.name,
                    "scope": one.scope.value,
                    "created": one.created.isoformat().replace("+00:00", "Z"),
                    "used": None if one.used is None else one.used.isoformat().replace("+00:00", "Z"),
                }
                for one in tokens
            ]
        )
        return
    output.write_lines(
        f"{one.name:<24} {one.scope:<6} made {one.created:%Y-%m-%d %H:%M} UTC, "
        + ("never used" if one.used is None else f"last used {one.used:%Y-%m-%d %H:%M} UTC")
        for one in tokens
    )


@token.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Take a token back. A running service does not take it any more."""
    if not _tried(lambda tokens: tokens.revoke(name)):
        raise click.UsageError(f"there is no token {name!r}; probe token list shows those that there are")
    tell(f"Token {name} is revoked.")


def _tried(work: Callable[[Tokens], T]) -> T:
    """What comes of work with the tokens of the state folder. Raises UsageError where they cannot be used."""
    from probe.memory import MemoryUnavailable, default_folder
    from probe.memory.folder import Folder
    from probe.web.tokens import Tokens

    try:
        return work(Tokens(Folder(default_folder)))
    except MemoryUnavailable as unavailable:
        raise click.UsageError(str(unavailable)) from None
