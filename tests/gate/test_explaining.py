"""What an error of Dynamics may come from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from probe import app
from probe.gate import explained
from probe.gate.explaining import last_error_of
from probe.model.rules import Finding, Result
from tests.gate.rows import rows_of

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
UNAUTHORIZED = "Email Server Error Code: Http server returned 401 Unauthorized exception."


def found(**results: Result) -> dict[str, Finding]:
    """Findings of these rules."""
    rules = app.rules()
    return {
        name.replace("_", "-"): Finding(rule=rules[name.replace("_", "-")], result=result, because=()) for name, result in results.items()
    }


def test_what_the_probe_found_picks_the_cause() -> None:
    """What fails is the cause, and of two the one that the other follows from; what holds is none."""
    assert explained([UNAUTHORIZED], {}).causes[0] == "login-refused"
    assert len(explained([UNAUTHORIZED], {}).causes) > 5
    assert explained([UNAUTHORIZED], found(token_wanted=Result.FAILS)).causes == ("token-wanted",)
    both = found(login_refused=Result.FAILS, password_login_ended_by_provider=Result.FAILS)
    assert explained([UNAUTHORIZED], both).causes == ("password-login-ended-by-provider",)
    assert "login-refused" not in explained([UNAUTHORIZED], found(login_refused=Result.HOLDS)).causes
    assert "login-refused" in explained([UNAUTHORIZED], found(login_refused=Result.NOT_APPLICABLE)).causes
    none_left = explained(["ErrorImpersonateUserDenied"], found(impersonation_denied=Result.HOLDS))
    assert none_left.causes == ("impersonation-denied",)
    unseen = explained(["UnknownIncomingEmailIntegrationError"], {})
    assert (unseen.causes, unseen.meaning) == ((), "A plug-in or a workflow of the organization aborted what Dynamics did with the mail.")


def test_an_error_is_told_until_a_success_comes_after_it() -> None:
    """What is over is no news; secrets in it are struck out."""
    earlier, row = NOW - timedelta(hours=1), rows_of(last_error=UNAUTHORIZED, last_error_at=NOW).mailbox
    told = last_error_of(row, found(token_wanted=Result.FAILS), lambda text: text.replace("401", "***"))
    assert told is not None
    assert (told.text, told.at, told.explained.causes) == (UNAUTHORIZED.replace("401", "***"), NOW, ("token-wanted",))
    for last_success, is_told in ((earlier, True), (NOW + timedelta(hours=1), False)):
        row = rows_of(last_error=UNAUTHORIZED, last_error_at=NOW, last_success=last_success).mailbox
        assert (last_error_of(row, {}, str) is not None) is is_told
    assert last_error_of(rows_of().mailbox, {}, str) is None
