"""Law 5 of probe/README.md, first half: each outcome, and each reason for a gap, arises where it belongs in a test that is named here."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import pytest

from probe.model.attempts import Outcome
from probe.model.facts import Why

_ROOT = Path(__file__).parents[1]

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.COMPLETED: "tests/probers/test_last_words.py::test_a_hidden_server_is_known_by_its_last_words",
    Outcome.UNRESOLVED: "tests/probers/test_hostile_servers.py::test_a_name_that_does_not_resolve_is_told",
    Outcome.REFUSED: "tests/probers/test_hostile_servers.py::test_a_closed_port_is_refused",
    Outcome.UNREACHABLE: "tests/net/test_dial.py::test_a_host_without_a_way_to_it_is_unreachable",
    Outcome.TIMED_OUT: "tests/probers/test_hostile_servers.py::test_a_silent_server_ends_at_the_timeout",
    Outcome.THROTTLED: "tests/probers/test_refused_for_now.py::test_a_command_that_is_refused_for_now_is_not_refused_for_good",
    Outcome.CLOSED: "tests/probers/test_hostile_servers.py::test_a_server_that_hangs_up_is_told",
    Outcome.TLS_FAILED: "tests/probers/test_hostile_servers.py::test_a_fatal_alert_is_a_definite_answer",
    Outcome.OFF_PROTOCOL: "tests/probers/test_hostile_servers.py::test_a_flood_is_bounded",
    Outcome.DENIED: "tests/probers/test_quirks.py::test_greetings_that_refuse",
    Outcome.UNTRUSTED_PEER: "tests/probers/test_ews_inbox.py::test_every_trouble_has_its_outcome",
    Outcome.NOT_SCHEDULED: "tests/engine/test_observe.py::test_what_is_not_held_is_an_attempt_too",
    Outcome.INTERRUPTED: "tests/engine/test_observe.py::test_a_stop_keeps_what_was_learnt",
    Outcome.BUG: "tests/engine/test_observe.py::test_a_bug_is_called_a_bug_and_spoils_nothing_else",
}
WHYS: Mapping[Why, str] = {
    Why.NOT_ATTEMPTED: "tests/test_token_estate.py::test_a_federated_account_s_password_is_not_sent",
    Why.NOT_APPLICABLE: "tests/probers/test_ews_inbox.py::test_impersonation_is_no_question_for_a_mailbox_of_its_own",
    Why.NOT_DISCLOSED: "tests/test_location_estate.py::test_a_mailbox_that_nobody_knows_is_nowhere",
    Why.NO_CREDENTIALS: "tests/engine/test_observe.py::test_a_secret_that_is_not_there_is_a_reason",
    Why.DENIED: "tests/probers/test_ews_inbox.py::test_a_wrong_password_is_one_failed_logon",
    Why.UNRESOLVED: "tests/probers/test_hostile_servers.py::test_a_name_that_does_not_resolve_is_told",
    Why.REFUSED: "tests/probers/test_tls_posture.py::test_a_port_that_nobody_listens_on_is_refused",
    Why.UNREACHABLE: "tests/net/test_dial.py::test_a_host_without_a_way_to_it_is_unreachable",
    Why.TIMED_OUT: "tests/probers/test_hostile_servers.py::test_a_silent_server_ends_at_the_timeout",
    Why.THROTTLED: "tests/probers/test_mail_logins.py::test_a_server_that_misbehaves_ends_the_login",
    Why.CLOSED: "tests/probers/test_imap_sign_in.py::test_a_server_that_misbehaves_after_the_login_ends_it",
    Why.TLS_FAILED: "tests/probers/test_tls_handshake.py::test_the_chain_of_a_server_that_demands_a_certificate_is_kept",
    Why.OFF_PROTOCOL: "tests/probers/test_tls_posture.py::test_what_is_no_tls_server_is_no_answer",
    Why.UNTRUSTED_PEER: "tests/test_token_estate.py::test_an_authority_with_an_untrusted_certificate_gets_nothing",
    Why.CONFLICTING: "tests/net/test_dial.py::test_all_addresses_are_probed_when_asked",
    Why.STALE: "tests/engine/test_again.py::test_a_sign_in_of_another_account_does_not_count",
    Why.INTERRUPTED: "tests/engine/test_observe.py::test_a_stop_keeps_what_was_learnt",
    Why.BUG: "tests/engine/test_observe.py::test_a_bug_is_called_a_bug_and_spoils_nothing_else",
}


def _text_of(test: str) -> str:
    """A test as it is written, with its cases, or nothing where there is none of that name."""
    path, _, name = test.partition("::")
    source = (_ROOT / path).read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return "\n".join(ast.get_source_segment(source, part) or "" for part in (*node.decorator_list, node))
    return ""


@pytest.mark.parametrize(("words", "named"), [(Outcome, OUTCOMES), (Why, WHYS)], ids=["outcomes", "whys"])
def test_each_member_names_the_test_in_which_it_arises(words: type[StrEnum], named: Mapping[StrEnum, str]) -> None:
    """A new member is named here with its test, and that test expects it."""
    assert list(named) == list(words)
    unsaid = {
        word: test
        for word, test in named.items()
        if not re.search(rf'\b{words.__name__}\.{word.name}\b|(?<![\w-])"{re.escape(word.value)}"', _text_of(test))
    }
    assert unsaid == {}
