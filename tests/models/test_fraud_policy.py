import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from models.fraud_policy import ACTIONS, POLICY_FILE, FraudPolicy, load_fraud_policy

POLICY = load_fraud_policy()
NAMES = [level.risk_level for level in POLICY.levels]


def test_the_file_is_read_and_kept_as_it_is():
    assert FraudPolicy.from_json(json.loads(json.dumps(POLICY.to_json()))) == POLICY
    assert set(POLICY.to_json()) == set(json.loads(POLICY_FILE.read_text()))


@pytest.mark.parametrize(
    ("score", "level"), [(0, "LOW"), (899, "LOW"), (900, "MEDIUM"), (994, "HIGH"), (1000, "CRITICAL")]
)
def test_a_level_begins_at_its_score(score, level):
    assert POLICY.level(score).risk_level == level


def test_what_is_not_allowed_is_an_alert_and_what_is_unknown_is_none():
    assert list(POLICY.alerts(np.array([0, 969, 970, 1000, np.nan]))) == [False, False, True, True, False]


def test_a_request_changes_what_it_names_and_the_version_says_so():
    changed = POLICY.changed([{"risk_level": "HIGH", "min_risk_score": 950}])
    assert changed.version == f"{POLICY.version}+request"
    assert changed.level(950).recommended_action == "REVIEW"
    assert [level for level in changed.levels if level.risk_level != "HIGH"] == [
        level for level in POLICY.levels if level.risk_level != "HIGH"
    ]


@pytest.mark.parametrize(
    ("level", "problem"),
    [
        ({"risk_level": "LOW", "min_risk_score": 5}, "must rise from 0"),
        ({"risk_level": "HIGH", "min_risk_score": 996}, "must rise from 0"),
        ({"risk_level": "MEDIUM", "recommended_action": "BLOCK"}, "more mildly"),
        ({"risk_level": "SEVERE", "min_risk_score": 999}, "no such level"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(level, problem):
    with pytest.raises(InputError, match=problem) as caught:
        POLICY.changed([level])
    assert caught.value.details[0]["field"] == "policy.levels"


levels = st.fixed_dictionaries(
    {"risk_level": st.sampled_from(NAMES)},
    optional={"min_risk_score": st.integers(0, 1000), "recommended_action": st.sampled_from(ACTIONS)},
)


@given(st.lists(levels, min_size=1, max_size=4), st.floats(0, 1000), st.floats(0, 1000))
def test_no_change_that_is_accepted_treats_a_higher_score_more_mildly(changes, one, other):
    try:
        policy = POLICY.changed(changes)
    except InputError:
        return
    low, high = (ACTIONS.index(policy.level(score).recommended_action) for score in sorted((one, other)))
    assert low <= high
    assert policy.alerts(np.array([max(one, other)]))[0] == (high > 0)


def test_a_level_that_is_named_twice_is_refused():
    with pytest.raises(InputError, match="name each level once"):
        POLICY.changed([{"risk_level": "HIGH", "min_risk_score": score} for score in (950, 960)])


def test_a_file_with_an_action_that_nobody_takes_is_refused():
    stated = POLICY.to_json()
    wrong = stated | {"levels": [{**level, "recommended_action": "BAN"} for level in stated["levels"]]}
    with pytest.raises(InputError, match="must be one of ALLOW, REVIEW, BLOCK"):
        FraudPolicy.from_json(wrong)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_of_audits_that_cannot_be_is_refused(share):
    with pytest.raises(InputError, match="audit_share"):
        FraudPolicy.from_json(POLICY.to_json() | {"audit_share": share})


def test_a_policy_from_before_reviews_stood_in_it_is_read_with_todays():
    before = {name: value for name, value in POLICY.to_json().items() if name not in ("audit_share", "reviewed_days")}
    assert FraudPolicy.from_json(before) == POLICY
