"""The same creator through the batch path (everyone at once) and the request path (its own rows): identical bits."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.asof import data_as_of, known
from features.bank import TextBank, groups_of
from features.briefs import description_texts
from features.creators import creator_features
from features.fraud import fraud_features
from features.lexical import inverse_document_frequency
from features.pairs import pair_features
from features.queries import Query, build_query
from features.schema import Tables
from features.state import UPSTREAM, State, build_state, engagements
from features.tables import read_tables
from features.text import creator_texts, load_encoder
from models.accounts import fit_accounts
from models.credit import credit_scores, load_policy

OWN = ("creators", "creator_prices", "audience", "videos", "daily_stats", "collaboration_events", "fraud_labels")
SAMPLE = 20
SPARSE = ("terms", "briefs", "partners")


@pytest.fixture(scope="module", params=[0, 60], ids=["now", "60 days ago"])
def seen(request: pytest.FixtureRequest, dataset: Path) -> tuple[Tables, pd.Timestamp]:
    """The tables as known at a date, and the date."""
    tables = read_tables(dataset)
    as_of = data_as_of(tables) - pd.Timedelta(days=request.param)
    return known(tables, as_of, data_as_of(tables)), as_of


@pytest.fixture(scope="module")
def sample(seen: tuple[Tables, pd.Timestamp]) -> pd.Index:
    """Some creators, drawn so that every kind of one is likely among them."""
    ids = pd.Index(seen[0]["creators"][c.CREATOR_ID].unique(), name=c.CREATOR_ID)
    return ids[np.sort(np.random.default_rng(0).choice(len(ids), SAMPLE, replace=False))]


@pytest.fixture(scope="module")
def bank() -> TextBank:
    return TextBank(load_encoder())


@pytest.fixture(scope="module")
def state(seen: tuple[Tables, pd.Timestamp], bank: TextBank) -> State:
    return state_of(*seen, bank)


@pytest.fixture(scope="module")
def query(seen: tuple[Tables, pd.Timestamp], state: State, bank: TextBank) -> Query:
    """The latest brief of a brand that has hired before, so that no feature has to be unknown."""
    tables, as_of = seen
    engaged = engagements(tables)
    briefs = tables["briefs"][tables["briefs"][c.BRAND_ID].isin(engaged[c.BRAND_ID])]
    return build_query(briefs.iloc[-1], state, bank, idf_of(tables, bank), engaged, as_of)


def idf_of(tables: Tables, bank: TextBank) -> np.ndarray:
    texts = [description_texts(brief) for _, brief in tables["briefs"].iterrows()]
    return inverse_document_frequency(bank.pooled(texts)[1])


def state_of(tables: Tables, as_of: pd.Timestamp, bank: TextBank) -> State:
    idf = idf_of(tables, bank)  # fitted on briefs, which no restriction to a creator touches
    ids = pd.Index(tables["creators"][c.CREATOR_ID].unique())
    credit = credit_scores(tables["collaboration_events"], load_policy(), as_of, ids)["score"]
    return build_state(tables, as_of, bank, idf, pd.DataFrame({UPSTREAM[0]: credit, UPSTREAM[1]: 0.25}, index=ids))


def only(tables: Tables, creator_id: str) -> Tables:
    """The tables with this creator's rows alone; engagements, accounts, briefs and rates as they are."""
    return {name: frame[frame[c.CREATOR_ID] == creator_id] if name in OWN else frame for name, frame in tables.items()}


def test_creator_features_are_the_same_alone(seen, sample):
    tables, as_of = seen
    everyone = creator_features(tables, pd.Index(tables["creators"][c.CREATOR_ID].unique()), as_of)
    assert everyone.notna().any().all(), "a feature that is always null would be compared with itself"
    for one in sample:
        alone = creator_features(only(tables, one), pd.Index([one]), as_of)
        pd.testing.assert_frame_equal(alone, everyone.loc[[one]], check_exact=True, check_names=False)


def test_fraud_features_are_the_same_alone(seen, sample):
    tables, as_of = seen
    model = fit_accounts(tables, label_known_by=as_of, rng=np.random.default_rng(0))
    everyone = fraud_features(tables, as_of, judge=model.lift)
    assert everyone[["fake_engagers", "fake_surge"]].notna().any(axis=None)
    for one in sample:
        asked = fraud_features(tables, as_of, pd.Index([one], name=c.CREATOR_ID), model.lift)
        pd.testing.assert_frame_equal(asked, everyone.loc[[one]], check_exact=True)


def test_credit_is_the_same_alone(seen, sample):
    tables, as_of = seen
    policy, events = load_policy(), tables["collaboration_events"]
    everyone = credit_scores(events, policy, as_of, pd.Index(tables["creators"][c.CREATOR_ID].unique()))
    for one in sample:
        alone = credit_scores(events[events[c.CREATOR_ID] == one], policy, as_of, pd.Index([one]))
        pd.testing.assert_frame_equal(alone, everyone.loc[[one]], check_exact=True, check_names=False)


def test_the_state_is_the_same_alone(seen, state, sample):
    tables, as_of = seen
    for one in sample[:5]:
        alone = state_of(only(tables, one), as_of, TextBank(load_encoder()))
        row = state.ids.get_indexer([one])
        pd.testing.assert_frame_equal(alone.frame, state.frame.iloc[row], check_exact=True, check_names=False)
        np.testing.assert_array_equal(alone.text, state.text[row])
        np.testing.assert_array_equal(alone.inputs, state.inputs[row])
        assert (alone.terms != state.terms[row]).nnz == 0
        assert (alone.world.briefs != state.world.briefs).nnz == 0


def test_a_text_has_the_same_vector_among_others_and_alone(seen):
    texts = creator_texts(seen[0])
    groups = groups_of(texts, texts.index[:40])
    together, _ = TextBank(load_encoder()).pooled(groups)
    for i in range(0, 40, 8):
        alone, _ = TextBank(load_encoder()).pooled(groups[i : i + 1])
        np.testing.assert_array_equal(alone[0], together[i])


def test_pair_features_of_one_row_are_those_among_all(state, query):
    everyone = pair_features(query, state, np.arange(len(state.ids)))
    for row in range(0, len(state.ids), 8):
        alone = pair_features(query, state, np.array([row]))
        pd.testing.assert_frame_equal(alone, everyone.iloc[[row]], check_exact=True)


def test_pair_features_do_not_depend_on_who_else_is_in_the_catalogue(seen, state, query, sample, bank):
    """All but what is told by whom brands hired before, which is a fact about others."""
    tables, as_of = seen
    of_others = [
        "brand_label_share", "brand_similarity", "brand_lexical", "brand_size_gap", "lookalike_tastes",
        "lookalike_partners",
    ]  # fmt: skip
    everyone = pair_features(query, state, state.ids.get_indexer(sample)).drop(columns=of_others)
    for i, one in enumerate(sample[:5]):
        small = state_of(only(tables, one), as_of, bank)
        theirs = build_query(pd.Series(query.brief), small, bank, idf_of(tables, bank), engagements(tables), as_of)
        alone = pair_features(theirs, small, np.array([0])).drop(columns=of_others)
        pd.testing.assert_frame_equal(alone, everyone.iloc[[i]], check_exact=True, check_names=False)
