import pandas as pd
import pytest

from features import columns as c
from features import schema
from features.fraud_labels import CLEARED_AT, creator_labels, fraud_target, speaking_labels

AS_OF = pd.Timestamp("2026-04-01")
LATER = pd.Timestamp("2026-12-31")


def tables(*rows: tuple[str | None, int, str | None, str | None, str | None]) -> dict[str, pd.DataFrame]:
    """Labels: creator, is_fake, known_at, period_start, period_end."""
    names = [c.CREATOR_ID, c.IS_FAKE, c.KNOWN_AT, c.PERIOD_START, c.PERIOD_END]
    return dict(schema.complete({"fraud_labels": pd.DataFrame(rows, columns=names)}))


def labels(*rows: tuple[str | None, int, str | None, str | None, str | None]) -> pd.DataFrame:
    """The labels of creators among them, none of which was taken back."""
    return creator_labels(tables(*rows), LATER)


def ledger(*rows: tuple[str, str, str, str, str | None]) -> pd.DataFrame:
    """event, creator, type, time, refers to."""
    names = [c.EVENT_ID, c.CREATOR_ID, c.EVENT_TYPE, c.EVENT_TIME, c.REFERS_TO]
    return schema.conform(pd.DataFrame(rows, columns=names), schema.COLLABORATION_EVENTS)


@pytest.mark.parametrize(
    ("fake", "known_at", "start", "end", "speaks"),
    [
        (1, "2026-04-20", "2026-03-20", "2026-03-25", True),  # within the 90 days
        (1, "2026-04-20", "2025-12-01", "2026-01-05", True),  # its end touches them
        (1, "2026-04-20", "2025-11-01", "2025-12-15", False),  # over before them
        (1, "2026-04-20", "2026-04-05", "2026-04-10", False),  # began after
        (0, "2026-04-20", "2026-01-10", "2026-04-10", True),  # saw nearly all of them and found nothing
        (0, "2026-04-20", "2026-02-20", "2026-04-20", False),  # saw 40 of the 90 days
        (1, "2026-04-20", None, None, True),  # no period, known within 90 days after
        (0, "2026-04-20", None, None, True),
        (1, "2026-08-01", None, None, False),  # known too late to speak of April
        (1, "2026-03-31", None, None, False),  # known before the date
        (1, "2026-04-20", "2026-02-01", None, True),  # an open period ends when it is known
    ],
)
def test_when_a_label_speaks(fake: int, known_at: str, start: str | None, end: str | None, speaks: bool) -> None:
    target = fraud_target(labels(("a", fake, known_at, start, end)), AS_OF, LATER)
    assert target.to_dict() == ({"a": fake} if speaks else {})


def test_a_label_is_silent_until_it_is_known() -> None:
    table = labels(("a", 1, "2026-04-20", "2026-03-20", "2026-03-25"))
    assert fraud_target(table, AS_OF, pd.Timestamp("2026-04-19")).empty
    assert fraud_target(table, AS_OF, pd.Timestamp("2026-04-20")).to_dict() == {"a": 1}


def test_the_latest_known_wins_in_whatever_order() -> None:
    table = labels(
        ("a", 0, "2026-05-01", "2026-01-01", "2026-04-01"),
        ("a", 1, "2026-04-20", "2026-03-20", "2026-03-25"),
    )
    assert fraud_target(table, AS_OF, LATER).to_dict() == {"a": 0}
    assert fraud_target(table.iloc[::-1], AS_OF, LATER).to_dict() == {"a": 0}
    assert fraud_target(table, AS_OF, pd.Timestamp("2026-04-25")).to_dict() == {"a": 1}


def test_labels_of_accounts_do_not_count_and_the_tables_stay() -> None:
    given = tables((None, 1, "2026-04-20", None, None), ("a", 1, "2026-04-20", None, None))
    before = {name: table.copy() for name, table in given.items()}
    assert speaking_labels(creator_labels(given, LATER), AS_OF, LATER)["label"].to_dict() == {"a": 1}
    for name, table in given.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_a_finding_taken_back_is_innocent_from_when_that_is_known() -> None:
    given = tables(
        ("a", 1, "2026-04-20", "2026-01-20", "2026-04-01"),
        ("b", 1, "2026-04-20", "2026-01-20", "2026-04-01"),
        ("a", 1, "2026-04-10", "2026-01-10", "2026-04-01"),
    )
    events = ledger(
        ("e1", "a", "FRAUD_CONFIRMED", "2026-04-20", None),
        ("e2", "b", "FRAUD_CONFIRMED", "2026-04-20", None),
        ("e3", "a", "FRAUD_CLEARED", "2026-05-20", "e1"),
        ("e4", "b", "VIOLATION_OVERTURNED", "2026-05-20", "e2"),
    )
    found = creator_labels(given | {"collaboration_events": events}, LATER)
    assert list(found[CLEARED_AT].notna()) == [True, False, False]
    assert fraud_target(found, AS_OF, pd.Timestamp("2026-05-19")).to_dict() == {"a": 1, "b": 1}
    assert fraud_target(found, AS_OF, pd.Timestamp("2026-05-20")).to_dict() == {"a": 0, "b": 1}


def test_a_label_that_found_the_same_again_is_taken_back_with_the_first() -> None:
    given = tables(
        ("a", 1, "2026-04-20", "2026-01-20", "2026-03-01"),
        ("a", 1, "2026-04-25", "2026-02-20", "2026-04-01"),
        ("a", 1, "2026-04-25", "2026-03-02", "2026-04-01"),  # another time
        ("a", 1, "2026-05-21", "2026-02-20", "2026-04-01"),  # found when the first was taken back already
        ("a", 0, "2026-04-25", "2026-02-20", "2026-04-01"),
    )
    events = ledger(
        ("e1", "a", "FRAUD_CONFIRMED", "2026-04-20", None), ("e2", "a", "FRAUD_CLEARED", "2026-05-20", "e1")
    )
    found = creator_labels(given | {"collaboration_events": events}, LATER)
    assert list(found[CLEARED_AT].notna()) == [True, True, False, False, False]


def test_a_label_without_a_moment_was_known_at_the_end() -> None:
    assert list(labels(("a", 1, None, None, None))[c.KNOWN_AT]) == [LATER]


def test_no_labels() -> None:
    assert fraud_target(labels(), AS_OF, LATER).empty
