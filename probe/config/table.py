"""What every table of an estate is read by: its base, and how a key of it is declared."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from probe.model.estate import SecretReference


class Table(BaseModel):
    """A table of an estate, which holds its keys and no other."""

    model_config = ConfigDict(strict=True, extra="forbid")


def key(meaning: str, example: object, **more: Any) -> Any:
    """A key of a table: what it means and an example, both for messages; required unless it has a default."""
    return Field(description=meaning, examples=[example], **more)


def _secret(given: object) -> SecretReference:
    # Not that it would be shown; but no name of a file or keyring entry that somebody can read holds such characters.
    return SecretReference.parse(given if isinstance(given, str) and given.isprintable() else "")


SecretPlace = Annotated[SecretReference, PlainValidator(_secret)]
