"""An estate in parts: tables with open questions, and single keys."""

from __future__ import annotations

import pytest

from probe.config import EstateError, example_estate, keys_of, meaning_of, read_dynamics, read_tables, required_keys, wrong_value


def test_an_estate_with_open_questions_has_tables() -> None:
    """What is missing does not matter; every other mistake does."""
    text = example_estate().replace("fips = false\n", "")
    assert "fips" not in read_tables(text, "estate.toml")["deployment"]
    with pytest.raises(EstateError) as wrong:
        read_tables(text.replace("mass_email = false", 'mass_email = "no"'), "estate.toml")
    assert [problem.key for problem in wrong.value.problems] == ["deployment.mass_email"]


@pytest.mark.parametrize(
    ("kind", "key", "value", "said"),
    [
        ("deployment", "fips", True, None),
        ("deployment", "fips", "true", "must be of another type"),
        ("deployment", "runs_on", "windows-server-1999", "must be one"),
        ("mailbox", "address", "x", "must be one mail address"),
        ("mailbox", "id", "8C1E2A40-6d0f-4c57-9a41-2f3f0c1d7e55", None),
        ("profile", "incoming", "http://x", "must be a URL that begins"),
    ],
)
def test_a_value_is_judged_by_itself(kind: str, key: str, value: object, said: str | None) -> None:
    """In the words of the messages about an estate."""
    found = wrong_value(kind, key, value)
    assert (found is None) == (said is None)
    assert found is None or found.startswith(str(said)[:7])


def test_keys_and_their_meaning_are_told() -> None:
    """As the messages tell them; what must be there is among the keys."""
    assert meaning_of("mailbox", "profile") == 'the name of its email server profile; write it as in profile = "corp"'
    assert required_keys("mailbox") == {"address", "profile", "incoming", "outgoing", "appointments"}
    assert required_keys("profile") < keys_of("profile")


def test_how_dynamics_is_read() -> None:
    """Its keys are held to what an estate holds them to, and nothing of a password that is no reference is repeated."""
    access = read_dynamics({"url": "https://crm.contoso.test/Contoso", "authentication": "ntlm"}, [])
    assert (str(access.url), access.authentication, access.password) == ("https://crm.contoso.test/Contoso", "ntlm", None)
    with pytest.raises(EstateError) as wrong:
        read_dynamics({"url": "http://crm.contoso.test/Contoso", "username": "a", "password": "hunter2"}, [])
    assert {problem.key for problem in wrong.value.problems} == {"dynamics.url", "dynamics.password"}
    assert "hunter2" not in str(wrong.value)
