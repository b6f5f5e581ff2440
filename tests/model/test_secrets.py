"""Secrets cannot get out by accident."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from probe.model.secrets import Secret, SecretReference

SECRET = Secret("hunter2")


REFERENCE = SecretReference.parse("env:CRM_HUNTER2")


def test_a_secret_does_not_print() -> None:
    """However a secret is put into text, the text does not hold it."""
    shown = [str(SECRET), repr(SECRET), f"{SECRET}", f"{SECRET:>40}", f"{SECRET!r}", "%s" % SECRET, str([SECRET]), str({"a": SECRET})]  # noqa: UP031
    assert not [text for text in shown if "hunter2" in text]
    assert SECRET.reveal() == "hunter2"


def test_a_secret_is_not_copied_pickled_or_serialised() -> None:
    """A secret leaves the process neither by pickle nor by JSON, and is not copied."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            pickle.dumps(SECRET, protocol)
    for duplicate in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            duplicate(SECRET)
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(SECRET)
    assert not hasattr(SECRET, "__dict__")


def test_secrets_are_not_compared_by_value() -> None:
    """Whether two secrets are equal cannot be asked by accident."""
    assert Secret("hunter2") != Secret("hunter2")


@pytest.mark.parametrize(
    ("text", "kind", "locator"),
    [
        ("env:CRM_EWS_PASSWORD", "env", "CRM_EWS_PASSWORD"),
        ("env:ProgramFiles(x86)", "env", "ProgramFiles(x86)"),
        ("file:/run/secrets/sales", "file", "/run/secrets/sales"),
        (r"file:C:\secrets\crm", "file", r"C:\secrets\crm"),
        ("keyring:probe/svc-crm@contoso.test", "keyring", "probe/svc-crm@contoso.test"),
    ],
)
def test_a_reference_is_a_kind_and_a_place(text: str, kind: str, locator: str) -> None:
    """A reference names where a secret is kept, up to the first colon by kind."""
    reference = SecretReference.parse(text)
    assert (reference.kind, reference.locator) == (kind, locator)


@pytest.mark.parametrize(
    "text",
    ["", "hunter2", ":hunter2", "env:", "file:", "env:hunter 2", "env:2hunter2", "keyring:hunter2", "keyring:/hunter2", "ENV:hunter2"],
)
def test_what_is_no_reference_is_refused_and_not_repeated(text: str) -> None:
    """A text that is no reference may be the secret itself, so the refusal does not repeat it."""
    with pytest.raises(ValueError, match=r"as env:|after `(env|keyring):`") as refused:
        SecretReference.parse(text)
    assert "hunter" not in str(refused.value)


def test_a_reference_does_not_print_or_serialise() -> None:
    """The place of a secret is not printed, nor put into JSON by accident."""
    assert "HUNTER2" not in f"{REFERENCE} {REFERENCE!r} {[REFERENCE]}"
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(REFERENCE)
