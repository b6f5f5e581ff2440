"""Which batch may be open, and how predictions came out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from probe.enabling import Audit, Books, ComparedDirection, Score, close_told, open_batch, scores
from probe.memory import Folder

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
PREDICTED = {"incoming": "success", "outgoing": "unknown", "appointments": None}
OUTCOME = {"finished": "2026-11-29T08:01:00Z", "outcome": {"incoming": "failure", "outgoing": "success", "appointments": None}}


def a_line(identifier: str, **what: object) -> dict[str, object]:
    """A line of the audit about a mailbox of the batch."""
    return {"batch": "b", "id": identifier, "mailbox": f"{identifier}@contoso.test", **what}


def test_a_batch_is_open_until_each_of_its_mailboxes_has_an_outcome(tmp_path: Path) -> None:
    """And that was told; or for a day, or until somebody leaves it; and it is of its organization alone. What was not written into the books before a kill is, then."""
    folder = Folder(tmp_path)
    books = Books(folder)
    with Audit(folder, lambda: NOW) as audit:
        assert open_batch(audit, books, "org", NOW) is None
        books.add("b", "org", {"1": "1@contoso.test", "2": "2@contoso.test"}, NOW)
        books.add("b", "org", {"2": "2@contoso.test", "3": "3@contoso.test"}, NOW + timedelta(hours=1))
        audit.write(a_line("1", predicted=PREDICTED, before=None))
        audit.write(a_line("1", **OUTCOME))
        found = open_batch(audit, books, "org", NOW + timedelta(hours=23))
        assert found is not None
        assert found.left == ("2@contoso.test", "3@contoso.test")
        assert open_batch(audit, books, "another", NOW) is None
        assert open_batch(audit, books, "org", NOW + timedelta(hours=24)) is None
        assert {(one.direction, one.agrees) for one in books.comparisons("org")} == {("incoming", False), ("outgoing", None)}
        assert books.comparisons("another") == ()
        for identifier in ("2", "3"):
            audit.write(a_line(identifier, predicted=PREDICTED, before=None))
            audit.write(a_line(identifier, **OUTCOME))
        done = open_batch(audit, books, "org", NOW)
        assert done is not None
        assert done.left == ()
        close_told(audit, books, "org", NOW)
        assert open_batch(audit, books, "org", NOW) is None
        books.add("c", "org", {"1": "1@contoso.test"}, NOW + timedelta(hours=2))
        newer = open_batch(audit, books, "org", NOW + timedelta(hours=2))
        assert newer is not None
        assert newer.batch.id == "c"
        close_told(audit, books, "org", NOW + timedelta(hours=2))
        assert open_batch(audit, books, "org", NOW + timedelta(hours=2)) is not None
        books.leave("org")
        assert open_batch(audit, books, "org", NOW + timedelta(hours=2)) is None


def test_the_score_counts_what_was_predicted_and_tested() -> None:
    """What was not predicted, and what was not tested, is told apart from hits."""

    def compared(predicted: str, outcome: str) -> ComparedDirection:
        return ComparedDirection(mailbox="a", direction="incoming", at="", predicted=predicted, outcome=outcome)

    told = [compared("success", "success"), compared("success", "failure"), compared("unknown", "success"), compared("success", "not-run")]
    assert scores(told)[0] == Score(direction="incoming", agreed=1, compared=2, undecided=2)
    assert scores(told)[1] == Score(direction="outgoing", agreed=0, compared=0, undecided=0)
