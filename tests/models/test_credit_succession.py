"""A new credit policy holds from an event on: before it the old one tells, and the event has its points."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from models.credit import credit_answers, credit_scores, load_policy
from models.credit_history import SHOWN, history_answer
from models.credit_policy import POLICY_FILE, Policy, keep_former
from models.credit_succession import policy_changes
from tests.models.test_credit import AS_OF, BAD, DAY, GOOD, ME, NOBODY, POLICY, START, Event, few, ledger

OLD = replace(POLICY, version="old", memory=0.9, limited_below=480.0)
MIDDLE = replace(POLICY, version="middle", base_score=450.0, former=(OLD,))
NEW = replace(POLICY, version="new", former=(OLD, MIDDLE))
EVENTS = st.lists(st.sampled_from([*GOOD, *BAD]), min_size=1, max_size=6)


def changed(version: str) -> Event:
    return {"event_type": "POLICY_CHANGED", "model_version": version}


def shown(events: pd.DataFrame, policy: Policy, as_of: pd.Timestamp) -> dict[str, Any]:
    found = credit_answers(events, NOBODY, policy, as_of, ["c1"], AS_OF)[0]
    return {name: found[name] for name in (*SHOWN, "policy_version")}


def alone(policy: Policy, events: pd.DataFrame, as_of: pd.Timestamp) -> dict[str, Any]:
    return shown(events, replace(policy, former=()), as_of)


@few
@given(EVENTS, EVENTS)
def test_each_policy_holds_from_its_event_on(before: Sequence[Event], then: Sequence[Event]) -> None:
    events = ledger([*before, changed("middle"), *then, changed("new")])
    first, last = START + len(before) * DAY, START + (len(before) + len(then) + 1) * DAY
    moment = pd.Timedelta(seconds=1)
    for policy, start, end in ((OLD, START - DAY, first - moment), (MIDDLE, first, last - moment), (NEW, last, AS_OF)):
        for as_of in (start, end):
            assert shown(events, NEW, as_of) == alone(policy, events, as_of)


@few
@given(EVENTS, EVENTS)
def test_history_is_credit_at_every_moment_and_the_change_has_its_points(
    before: Sequence[Event], then: Sequence[Event]
) -> None:
    events = ledger([*before, changed("middle"), *then, changed("new")])
    changes = history_answer(events, NEW, START + 200 * DAY, START + 200 * DAY, "c1")["results"]
    newcomer = credit_scores(events, NEW, START - DAY, ME)[SHOWN].iloc[0].to_dict()
    for day in (-1, len(before) - 1, len(before), len(events) - 1, 45, 95, 160):
        at = START + day * DAY
        told = [one for one in changes if pd.Timestamp(one["at"]) <= at]
        now = credit_scores(events, NEW, at, ME)[SHOWN].iloc[0].to_dict()
        assert now == (told[-1]["after"] if told else newcomer)
    for one in changes:
        assert one["points"] == pytest.approx(one["after"]["score"] - one["before"]["score"])
        assert (one["code"] == "POLICY_CHANGED") == (one["event_type"] == "POLICY_CHANGED")


def test_who_has_no_such_event_is_told_by_the_policy_served() -> None:
    events = pd.concat(
        [ledger([*GOOD, changed("new")]), ledger(GOOD, "c2").assign(event_id=lambda f: "x" + f["event_id"])]
    )
    found = credit_answers(events, NOBODY, NEW, START + DAY, ["c1", "c2", "c3"])
    assert [one["policy_version"] for one in found] == ["middle", "new", "new"]
    table = credit_scores(events, NEW, START + DAY, pd.Index(["c3", "c2", "c1"]))
    assert table["score"].tolist() == [one["score"] for one in reversed(found)]


def test_nobody_has_no_scores_under_any_policy() -> None:
    events = ledger([*GOOD, changed("new")])
    assert credit_scores(events, NEW, AS_OF, pd.Index([], dtype="str")).empty
    assert credit_answers(events, NOBODY, NEW, AS_OF, []) == []


def test_a_policy_that_the_release_does_not_know_is_taken_to_be_its_own() -> None:
    assert shown(ledger([*GOOD, changed("newer")]), NEW, AS_OF)["policy_version"] == "new"


def test_a_change_is_written_once_for_everyone_in_the_ledger() -> None:
    events = pd.concat([ledger(GOOD), ledger(GOOD, "c2").assign(event_id=lambda f: "x" + f["event_id"])])
    found = policy_changes(events, NEW, AS_OF)
    assert found["creator_id"].tolist() == ["c1", "c2"]
    assert set(found["model_version"]) == {"new"}
    assert found["event_id"].is_unique
    assert policy_changes(pd.concat([events, found]), NEW, AS_OF + DAY).empty
    back = policy_changes(pd.concat([events, found]), MIDDLE, AS_OF + DAY)
    assert set(back["model_version"]) == {"middle"}
    assert policy_changes(events, POLICY, AS_OF).empty  # there was no other before


def test_a_release_keeps_the_policies_before_it(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abcd"]
    stated = json.loads(POLICY_FILE.read_text())
    for folder, version in zip(folders, ("one", "one", "two", "three"), strict=True):
        folder.mkdir()
        (folder / POLICY_FILE.name).write_text(json.dumps(stated | {"version": version}))
    for before, after in pairwise(folders):
        keep_former(after, before)
    assert [one.version for one in load_policy(folders[3] / POLICY_FILE.name).former] == ["one", "two"]
    assert load_policy(folders[1] / POLICY_FILE.name).former == ()


def test_a_policy_that_changed_needs_another_version(tmp_path: Path) -> None:
    for name, memory in (("a", 0.97), ("b", 0.96)):
        (tmp_path / name).mkdir()
        stated = json.loads(POLICY_FILE.read_text()) | {"memory": memory}
        (tmp_path / name / POLICY_FILE.name).write_text(json.dumps(stated))
    with pytest.raises(InputError, match="another version"):
        keep_former(tmp_path / "b", tmp_path / "a")
