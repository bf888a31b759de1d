"""On a small simulated marketplace; how good the model is on a large one is said in docs, not asserted here."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.asof import data_as_of, known
from features.errors import InputError
from features.fraud import EVIDENCE, FRAUD_FEATURES, fraud_features
from features.fraud.history import Dossier
from features.fraud.window import SPAN
from features.fraud_labels import speaking_labels
from features.schema import Tables, complete
from models.evidence import LEAST, MOST
from models.fraud import FraudModel, fit_fraud, past_probabilities, walk_forward
from models.fraud_innocence import INNOCENCE
from models.fraud_policy import load_fraud_policy
from models.fraud_reasons import PEAK_DAYS, REASONS, explain
from models.fraud_rows import dated_labels, feature_frame, training_dates, training_rows
from models.fraud_trees import INNOCENT, SUSPICIOUS
from training.simulate import fraud_target, simulate
from training.world import WORLD_1

ANSWER = (
    "creator_id fraud_probability risk_score compared_with risk_level recommended_action confidence insufficient_data "
    "reason_codes innocent_explanations model_version policy_version data_as_of"
).split()
MONTH = pd.Timedelta(days=30)


@pytest.fixture(scope="module")
def market() -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    simulation = simulate(WORLD_1, creators=400, briefs=20, days=180, rng=np.random.default_rng(1))
    return simulation.tables, simulation.truth


@pytest.fixture(scope="module")
def tables(market: tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]) -> Tables:
    return market[0]


@pytest.fixture(scope="module")
def end(tables: Tables) -> pd.Timestamp:
    return data_as_of(tables)


@pytest.fixture(scope="module")
def model(tables: Tables, end: pd.Timestamp) -> FraudModel:
    return fit_fraud(tables, label_known_by=end - MONTH, rng=np.random.default_rng(0))


@pytest.fixture(scope="module")
def dossier(tables: Tables, end: pd.Timestamp) -> Dossier:
    return Dossier.of(known(tables, end), end)


@pytest.fixture(scope="module")
def features(model: FraudModel, tables: Tables, end: pd.Timestamp) -> pd.DataFrame:
    return model.features(known(tables, end), end)


def test_the_bought_score_far_above_the_honest(
    model: FraudModel,
    features: pd.DataFrame,
    market: tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]],
    end: pd.Timestamp,
) -> None:
    guilty = fraud_target(market[1], end).reindex(features.index)
    probabilities = model.predict(features)
    assert probabilities.dropna().between(0, 1).all()
    assert probabilities[guilty].mean() > 3 * probabilities[~guilty].mean()


def test_same_seed_same_model_whatever_the_order_of_rows(
    tables: Tables, model: FraudModel, features: pd.DataFrame, end: pd.Timestamp
) -> None:
    shuffled = {name: table.sample(frac=1, random_state=1) for name, table in tables.items() if name != "fraud_labels"}
    again = fit_fraud(dict(tables) | shuffled, label_known_by=end - MONTH, rng=np.random.default_rng(0))
    assert again.predict(features).to_numpy() == pytest.approx(model.predict(features).to_numpy(), nan_ok=True)


def test_who_joins_after_the_labels_changes_nothing(
    tables: Tables, model: FraudModel, features: pd.DataFrame, end: pd.Timestamp
) -> None:
    newcomers = tables["creators"].assign(**{c.OBSERVED_AT: end})
    newcomers[c.CREATOR_ID] = "new" + newcomers[c.CREATOR_ID]
    more = dict(tables) | {"creators": pd.concat([tables["creators"], newcomers], ignore_index=True)}
    again = fit_fraud(more, label_known_by=end - MONTH, rng=np.random.default_rng(0))
    pd.testing.assert_series_equal(again.predict(features), model.predict(features), check_exact=True)


def test_kept_and_read_it_answers_the_same(
    tmp_path: Path, model: FraudModel, features: pd.DataFrame, dossier: Dossier
) -> None:
    model.save(tmp_path / "fraud")
    kept = FraudModel.load(tmp_path / "fraud", model.accounts)
    assert kept.answers(features.head(50), "7", dossier) == model.answers(features.head(50), "7", dossier)
    assert {path.suffix for path in (tmp_path / "fraud").iterdir()} == {".txt", ".json"}


def test_one_creator_is_answered_as_among_all(model: FraudModel, features: pd.DataFrame, dossier: Dossier) -> None:
    everyone = model.answers(features, "7", dossier)
    assert model.answers(features.iloc[[5]], "7", dossier) == [everyone[5]]
    assert model.answers(features.iloc[:0], "7", dossier) == []


def test_evidence_and_explanations_never_change_a_probability(
    model: FraudModel, features: pd.DataFrame, dossier: Dossier, end: pd.Timestamp
) -> None:
    """The same features with nothing else known of the creators: less to show, and the same verdict."""
    bare = Dossier.of(complete({"creators": pd.DataFrame({c.CREATOR_ID: features.index})}), end)
    told, silent = (model.answers(features, "7", one) for one in (dossier, bare))
    told_of = ("reason_codes", "innocent_explanations")
    assert any(one["innocent_explanations"] for one in told)
    assert [one["innocent_explanations"] for one in told] != [one["innocent_explanations"] for one in silent]
    for one, other, probability in zip(told, silent, model.predict(features).fillna(-1), strict=True):
        assert {k: v for k, v in one.items() if k not in told_of} == {
            k: v for k, v in other.items() if k not in told_of
        }
        assert [reason["code"] for reason in one["reason_codes"]] == [
            reason["code"] for reason in other["reason_codes"]
        ]
        assert (-1 if one["insufficient_data"] else one["fraud_probability"]) == probability


def test_the_answer_has_the_documented_fields_and_is_json(
    model: FraudModel, features: pd.DataFrame, dossier: Dossier
) -> None:
    for answer in model.answers(features, "7", dossier):
        assert list(answer) == ANSWER
        assert not any(reason["evidence"].keys() <= {"from", "to", "usual"} for reason in answer["reason_codes"])
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer
        assert len(answer["reason_codes"]) <= MOST
        assert answer["recommended_action"] in {"ALLOW", "REVIEW", "BLOCK"}


def test_levels_rise_with_the_probability_as_the_policy_says(model: FraudModel, features: pd.DataFrame) -> None:
    levels = [level.risk_level for level in load_fraud_policy().levels]
    grid = pd.Series(np.linspace(0, 1, 2_000))
    for place in range(len(features)):
        alike = features.iloc[[place] * len(grid)].set_index(grid.index)
        seen = model.risk_levels(grid, alike)
        assert [levels.index(str(level)) for level in seen] == sorted(levels.index(str(level)) for level in seen)
        assert (seen[0], seen[-1]) == ("LOW", "CRITICAL")


def test_without_statistics_and_engagements_there_is_no_guess(model: FraudModel, end: pd.Timestamp) -> None:
    tables = complete({"creators": pd.DataFrame({c.CREATOR_ID: ["new"]})})
    (answer,) = model.answers(fraud_features(tables, end), "7", Dossier.of(tables, end))
    assert answer["insufficient_data"]
    assert answer["fraud_probability"] is answer["risk_score"] is answer["risk_level"] is None
    assert answer["reason_codes"] == answer["innocent_explanations"] == []
    assert answer["confidence"] == 0


@pytest.mark.parametrize(("column", "enough"), [("days_known", 14), ("engagements_known", 10)])
def test_either_statistics_or_engagements_suffice(
    model: FraudModel, features: pd.DataFrame, column: str, enough: int
) -> None:
    row = features.head(1).assign(days_known=0.0, engagements_known=0.0)
    assert model.predict(row).isna().all()
    assert model.predict(row.assign(**{column: float(enough - 1)})).isna().all()
    assert model.predict(row.assign(**{column: float(enough)})).notna().all()


def test_more_suspicion_never_lowers_and_more_innocence_never_raises(model: FraudModel, features: pd.DataFrame) -> None:
    base = model.predict(features)
    for name, sign in [("gain_unexplained", 1), ("likes_peak", 1), ("gain_view_correlation", -1), ("paid_share", -1)]:
        moved = model.predict(features.assign(**{name: features[name] + 0.2})) - base
        assert (sign * moved.dropna() >= -1e-12).all()


def test_directions_and_reasons_name_features(model: FraudModel) -> None:
    grouped = [name for _, names in REASONS.values() for name in names]
    assert sorted(grouped) == sorted(FRAUD_FEATURES)
    assert set(SUSPICIOUS) | set(INNOCENT) <= set(FRAUD_FEATURES)
    assert not set(SUSPICIOUS) & set(INNOCENT)
    assert {name for _, names in INNOCENCE.values() for name in names} == set(INNOCENT)
    assert set(PEAK_DAYS.values()) <= set(EVIDENCE)
    assert model.booster.feature_name() == list(FRAUD_FEATURES)


def test_reasons_are_what_raised_the_score_beside_what_is_usual(end: pd.Timestamp) -> None:
    features = pd.DataFrame(0.25, index=["a"], columns=[*FRAUD_FEATURES, *EVIDENCE])
    features[["spike_share", "gain_peak_age", "comment_short"]] = [np.nan, 3.0, np.nan]
    margins = pd.DataFrame(0.0, index=[0], columns=list(FRAUD_FEATURES))
    margins[
        ["follower_spike", "spike_share", "engagers_abroad", "repeat_engagers", "comment_links", "comment_short"]
    ] = [0.5, 0.1, 0.2, LEAST / 2, -0.9, 2.0]  # of a comment_short that is not known, nobody could check anything
    dossier = Dossier.of(complete({"creators": pd.DataFrame({c.CREATOR_ID: ["a"]})}), end)
    usual = {"follower_spike": {"low": 0.1, "median": 0.2, "high": 0.3}}
    peers = pd.DataFrame({"follower_spike": [0.15], "likes_peak": [9.0]}, index=["a"])
    (told,) = explain(features, margins, usual, peers, dossier)
    first, second = told["reason_codes"]
    assert (first["code"], second["code"]) == ("FOLLOWER_SPIKE", "AUDIENCE_COUNTRY_MISMATCH")
    days = {"from": str((end - 3 * MONTH).date()), "to": str(end.date())}
    peak = str((end - MONTH / 10).date())
    spikes = {"days": [], "days_total": 0}
    shown = {"follower_spike": {"low": 0.1, "median": 0.2, "high": 0.3, "peers": 0.15}}
    assert first["evidence"] == {"follower_spike": 0.25, "usual": shown, **days, "peak_date": peak, **spikes}
    countries = {"stated": [], "stated_total": 0, "engaging": [], "engaging_total": 0}
    assert second["evidence"] == {"engagers_abroad": 0.25, "usual": {}, **days, **countries}


def test_what_lowered_the_score_is_said_beside_the_reasons(end: pd.Timestamp) -> None:
    features = pd.DataFrame(0.25, index=["a"], columns=[*FRAUD_FEATURES, *EVIDENCE])
    margins = pd.DataFrame(0.0, index=[0], columns=list(FRAUD_FEATURES))
    margins["gain_view_correlation"] = -0.4
    dossier = Dossier.of(complete({"creators": pd.DataFrame({c.CREATOR_ID: ["a"]})}), end)
    peers = pd.DataFrame(index=["a"])
    assert explain(features, margins, {}, peers, dossier)[0]["innocent_explanations"] == []
    (told,) = explain(features, margins.assign(engagers_abroad=0.2), {}, peers, dossier)
    (found,) = told["innocent_explanations"]
    assert (found["code"], found["evidence"]) == ("GROWTH_FOLLOWS_VIEWS", {"gain_view_correlation": 0.25})


def test_past_probabilities_are_what_was_known_then(
    model: FraudModel, features: pd.DataFrame, tables: Tables, end: pd.Timestamp
) -> None:
    one = str(model.predict(features).idxmax())
    past = past_probabilities(model, tables, one, end)
    assert past.index.is_monotonic_increasing
    assert (past.index[-1], past.iloc[-1]) == (end, model.predict(features)[one])
    before = past.index[past.index < end][-1]
    then = {name: table.copy() for name, table in tables.items()}
    later = then["daily_stats"][c.DATE] >= before
    then["daily_stats"] = then["daily_stats"].assign(**{c.LIKES: then["daily_stats"][c.LIKES].mask(later, 9e9)})
    changed = past_probabilities(model, then, one, end)
    assert changed[before] == past[before]
    assert changed[end] != past[end]


@pytest.fixture(scope="module")
def walked(tables: Tables, end: pd.Timestamp) -> pd.DataFrame:
    return walk_forward(tables, pd.DatetimeIndex([end, end - MONTH]), np.random.default_rng(0))


def test_labels_known_later_change_nothing_said_before(tables: Tables, walked: pd.DataFrame, end: pd.Timestamp) -> None:
    labels = tables["fraud_labels"]
    date = end - MONTH
    flipped = labels[c.IS_FAKE].where(labels[c.KNOWN_AT] <= date, 1 - labels[c.IS_FAKE])
    changed = dict(tables) | {"fraud_labels": labels.assign(**{c.IS_FAKE: flipped})}
    after = walk_forward(changed, [date, end], np.random.default_rng(0))
    pd.testing.assert_frame_equal(walked[walked["as_of"] == date], after[after["as_of"] == date])
    later = [frame.loc[frame["as_of"] == end, "fraud_probability"].to_numpy() for frame in (walked, after)]
    assert not np.array_equal(*later, equal_nan=True)


def test_a_date_does_not_depend_on_how_many_follow(tables: Tables, walked: pd.DataFrame, end: pd.Timestamp) -> None:
    assert list(walked.columns) == ["as_of", c.CREATOR_ID, "fraud_probability", "risk_score"]
    alone = walk_forward(tables, [end - MONTH], np.random.default_rng(0))
    pd.testing.assert_frame_equal(alone, walked.head(len(alone)))


def test_too_few_labels_are_said_and_left_out(tables: Tables, end: pd.Timestamp) -> None:
    few = dict(tables) | {"fraud_labels": tables["fraud_labels"].dropna(subset=[c.CREATOR_ID]).head(20)}
    with pytest.raises(ValueError, match=r"20 labels of creators; 60 are needed, 10 of each kind") as caught:
        fit_fraud(few, label_known_by=end, rng=np.random.default_rng(0))
    assert not isinstance(caught.value, InputError)
    assert walk_forward(few, [end], np.random.default_rng(0)).empty
    nothing = complete({"creators": pd.DataFrame({c.CREATOR_ID: ["a"]})})
    assert walk_forward(nothing, [end], np.random.default_rng(0)).empty


def test_each_label_is_judged_once_and_audits_stand_for_the_rest(tables: Tables, end: pd.Timestamp) -> None:
    labels = dated_labels(tables, end)
    frames = {date: feature_frame(tables, labels, date, end, None) for date in training_dates(tables, labels, end)[-3:]}
    rows = training_rows(labels, frames, end, creators=400)
    judged = rows.judged
    assert set(rows.features.index[judged]) == set(rows.features.index)
    assert (rows.weight[judged & ~rows.audited] == 1).all()
    heard = pd.concat([speaking_labels(labels, date, end)[c.KNOWN_AT] for date in frames])
    windows = max(1.0, (heard.max() - heard.min()) / SPAN)
    assert rows.weight[judged].sum() == pytest.approx(400 * windows)
    unsampled = training_rows(labels.assign(**{c.SAMPLED: np.nan}), frames, end, creators=400)
    assert (unsampled.weight == 1).all()


def test_fraud_before_the_statistics_begin_is_not_learned_from() -> None:
    """Of three findings with periods, the statistics see two for at least half of their time."""
    label = {c.CREATOR_ID: "a", c.IS_FAKE: 1, c.KNOWN_AT: "2026-03-01", c.PERIOD_END: "2026-02-11"}
    starts = ["2026-01-01", "2026-01-22", "2026-02-05", None]
    made = {
        "fraud_labels": pd.DataFrame([label | {c.PERIOD_START: start} for start in starts] + [label | {c.IS_FAKE: 0}]),
        "daily_stats": pd.DataFrame({c.CREATOR_ID: ["a"], c.DATE: ["2026-02-01"]}),
    }
    kept = dated_labels(complete(made), pd.Timestamp("2026-06-01"))
    assert list(kept.index) == [1, 2, 3, 4]
    without = dated_labels(complete({"fraud_labels": made["fraud_labels"]}), pd.Timestamp("2026-06-01"))
    assert len(without) == 5
