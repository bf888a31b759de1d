"""What brands did, as graded examples, by hand."""

import numpy as np
import pandas as pd

from features import columns as c
from features.schema import Tables, complete
from features.vocabulary import OUTCOMES
from tests.features.market import AS_OF, DAY, events
from training.examples import GRADES, POSITIVE, invitations, ranking_examples

SHOWN = pd.DataFrame(
    [
        ("q2", "ann", AS_OF, 2.0, "COMPLETED"),
        ("q1", "bob", AS_OF, 1.0, "CLICKED"),
        ("q1", "ann", AS_OF + DAY, 3.0, "ACCEPTED"),
        ("q1", "ann", AS_OF, 5.0, "NONE"),
        ("q1", "eve", AS_OF, 2.0, None),
        ("q0", "eve", AS_OF + 2 * DAY, 1.0, "FAILED"),
    ],
    columns=[c.BRIEF_ID, c.CREATOR_ID, c.SHOWN_AT, c.POSITION, c.OUTCOME],
)
BRIEFS = pd.DataFrame({c.BRIEF_ID: ["q1", "q2"], c.BRAND_ID: ["brand", "rival"]})


def market(**tables: pd.DataFrame) -> Tables:
    return complete({"creators": pd.DataFrame({c.CREATOR_ID: ["ann", "bob", "eve"]})} | tables)


def test_an_example_is_a_brief_with_each_creator_once_at_its_best():
    """Ann was shown to q1 twice: the better outcome counts, and the higher place. Briefs come by time, then by id."""
    first, second, third = ranking_examples(market(impressions=SHOWN, briefs=BRIEFS))
    assert [(one.brief_id, one.brand_id, one.as_of) for one in (first, second, third)] == [
        ("q1", "brand", AS_OF),
        ("q2", "rival", AS_OF),
        ("q0", "", AS_OF + 2 * DAY),
    ]
    assert first.creator_ids == ("ann", "bob", "eve")
    assert [*first.grades] == [3, 1, 0]
    assert [*first.positions] == [3, 1, 2]
    assert [*second.grades], [*third.grades] == ([4], [1])


def test_every_outcome_has_its_grade():
    assert set(GRADES) == set(OUTCOMES)
    assert {name for name, grade in GRADES.items() if grade >= POSITIVE} == {
        "SHORTLISTED", "INVITED", "DECLINED", "ACCEPTED", "COMPLETED",
    }  # fmt: skip


def test_the_order_of_rows_changes_nothing():
    for seed in range(3):
        shuffled = SHOWN.sample(frac=1, random_state=np.random.default_rng(seed)).reset_index(drop=True)
        one, other = (ranking_examples(market(impressions=rows, briefs=BRIEFS)) for rows in (SHOWN, shuffled))
        for left, right in zip(one, other, strict=True):
            assert (left.brief_id, left.as_of, left.creator_ids) == (right.brief_id, right.as_of, right.creator_ids)
            np.testing.assert_array_equal(left.grades, right.grades)
            np.testing.assert_array_equal(left.positions, right.positions)


def test_without_impressions_collaborations_are_the_examples():
    """Each as of its first event: invited, accepted, completed, defaulted; none was shown in a list."""
    ledger = events(
        ("k1", "ann", "INVITED", AS_OF), ("k1", "ann", "ACCEPTED", AS_OF + DAY),
        ("k2", "bob", "ACCEPTED", AS_OF - DAY), ("k2", "bob", "PUBLISHED", AS_OF),
        ("k3", "eve", "ACCEPTED", AS_OF - 2 * DAY), ("k3", "eve", "DEFAULTED", AS_OF),
        ("k4", "ann", "INVITED", AS_OF + DAY),
    )  # fmt: skip
    found = ranking_examples(market(collaboration_events=ledger))
    assert [(one.creator_ids, [*one.grades], one.as_of) for one in found] == [
        (("eve",), [1], AS_OF - 2 * DAY),
        (("bob",), [4], AS_OF - DAY),
        (("ann",), [3], AS_OF),
        (("ann",), [2], AS_OF + DAY),
    ]
    assert all(np.isnan(one.positions).all() for one in found)
    assert {one.brand_id for one in found} == {"brand"}


def test_invitations_are_old_enough_to_have_ended():
    ledger = events(
        ("k1", "ann", "INVITED", AS_OF - 90 * DAY),
        ("k2", "bob", "INVITED", AS_OF - 89 * DAY),
        ("k3", "eve", "ACCEPTED", AS_OF - 99 * DAY),
    )
    briefs = pd.DataFrame({c.BRIEF_ID: ["q0"]})
    found = invitations(market(collaboration_events=ledger, briefs=briefs), AS_OF)
    assert [*found[c.COLLABORATION_ID]] == ["k1"]
    assert invitations(market(collaboration_events=ledger), AS_OF).empty, "their brief is not known"


def test_impressions_that_say_nothing_leave_the_word_to_collaborations():
    """As does one whose time nobody knows."""
    silent = SHOWN.assign(**{c.OUTCOME: "NONE"})
    taken = events(("k0", "ann", "ACCEPTED", AS_OF), ("k1", "bob", "ACCEPTED", pd.NaT))
    (only,) = ranking_examples(market(impressions=silent, collaboration_events=taken))
    assert (only.creator_ids, only.as_of) == (("ann",), AS_OF)
