"""Features of brief × creator, worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import columns as c
from features.creators import FEATURES
from features.lexical import term_counts
from features.pairs import PAIR_FEATURES, pair_features
from features.queries import build_query
from features.schema import Tables
from features.state import UPSTREAM, engagements
from features.tags import Tags
from features.vocabulary import CONTENT_STYLES
from tests.features.market import AS_OF, DAY, IDS, bank, brief, events, query, state, tables

ROWS = np.arange(len(IDS))
NAN = math.nan


def pairs(of: Tables | None = None, bids: dict[str, float] | None = None, **fields: object) -> pd.DataFrame:
    of = of or tables()
    return pair_features(query(brief(**fields), of, bids), state(of), ROWS)


def assert_column(frame: pd.DataFrame, name: str, expected: list[float]) -> None:
    np.testing.assert_allclose(frame[name], expected, rtol=1e-6, err_msg=name)


def test_columns_are_the_features_in_order_and_nothing_is_given():
    frame = pairs()
    names = [feature.__name__ for feature in (*PAIR_FEATURES, *FEATURES)]
    assert [*frame.columns] == [*names, *UPSTREAM]
    assert [*frame.index] == [*IDS]
    assert set(frame.dtypes.astype(str)) == {"float64"}


def test_label_overlap_is_the_cosine_of_tags_whatever_their_case():
    assert_column(pairs(content_labels=["food"]), "label_overlap", [1, 1 / math.sqrt(2), 0])
    both = pairs(content_labels=["Games", "FOOD", "food"])
    assert_column(both, "label_overlap", [1 / math.sqrt(2), 1, 0])
    assert_column(pairs(content_labels=["food", "cars"]), "label_overlap", [1 / math.sqrt(2), 0.5, 0])
    assert_column(pairs(), "label_overlap", [NAN, NAN, NAN])


def test_a_name_that_no_text_has_says_nothing_of_meaning():
    seen = np.array((term_counts(["street food tour retro games"]) > 0).todense()).ravel().astype(np.float32)

    def text(name: str) -> list[float]:
        row = brief(title=f"{name} for you", description=f"We made {name} for street food")
        return [*build_query(row, state(tables()), bank(), seen, engagements(tables()), AS_OF).text]

    assert text("Zoomy") == text("Blorp")
    assert text("Zoomy") != text("Retro")


def test_styles_and_formats_overlap_like_labels():
    frame = pairs(content_styles=["VLOG"], content_formats=["LIVE", "SHORT_VIDEO"])
    assert_column(frame, "style_overlap", [1, 0, 0])
    assert_column(frame, "format_overlap", [1 / math.sqrt(2), 1 / math.sqrt(2), 0])


@given(
    lists=st.lists(st.lists(st.sampled_from(CONTENT_STYLES)), min_size=1, max_size=4),
    wanted=st.lists(st.sampled_from(CONTENT_STYLES), min_size=1),
)
def test_tag_cosine_is_that_of_sets(lists, wanted):
    sets, asked = [set(words) for words in lists], set(wanted)
    expected = [len(one & asked) / math.sqrt(len(one) * len(asked)) if one else 0.0 for one in sets]
    tags = Tags.of(lists)
    np.testing.assert_allclose(tags.cosine(wanted, tags.picked(np.arange(len(lists)))), expected)


def test_target_shares_sum_the_buckets_asked_for():
    frame = pairs(target_ages=["18-24", "25-34", "13-17"], target_countries=["US", "FR"])
    assert_column(frame, "audience_age", [0.9, 0.2, NAN])
    assert_column(frame, "audience_country", [0.8, NAN, NAN])
    assert_column(frame, "audience_gender", [NAN, NAN, NAN])
    assert_column(pairs(target_ages=["35-44"]), "audience_age", [0, 0, NAN])


def test_targets_count_once_whatever_their_case():
    once = pairs(target_ages=["18-24"], target_countries=["US"], target_languages=["en"])
    twice = pairs(target_ages=["18-24", "18-24"], target_countries=["us", "US"], target_languages=["EN"])
    pd.testing.assert_frame_equal(twice, once)


def test_a_format_priced_apart_has_its_own_price():
    """Ann asks 300 EUR (375 dollars) for LIVE, Eve 80 dollars; who prices no wanted format asks the default."""
    offers = pd.DataFrame(
        [("ann", "LIVE", 300.0, "EUR"), ("eve", "LIVE", 80.0, "USD"), ("bob", "IMAGE", 1.0, "USD")],
        columns=[c.CREATOR_ID, c.CONTENT_FORMAT, c.AMOUNT, c.CURRENCY],
    )
    of = tables(creator_prices=offers)
    live = pairs(of, budget=100.0, currency="USD", content_formats=["LIVE"])
    assert_column(live, "price_to_budget", [3.75, 5, 0.8])
    first = pairs(of, budget=100.0, currency="USD", content_formats=["IMAGE", "LIVE"])
    assert_column(first, "price_to_budget", [3.75, 0.01, 0.8])
    assert_column(pairs(of, budget=100.0, currency="USD"), "price_to_budget", [1, 5, NAN])
    assert state(of).prices.asked(0, ["LIVE"]) == (300.0, "EUR")
    assert state(of).prices.asked(1, ["LIVE"]) == (400.0, "EUR")


def test_price_to_budget_goes_through_the_rate_known_by_then():
    """400 EUR at 1.25 are 500 dollars; the rate of tomorrow does not count; yen have none."""
    frame = pairs(budget=1000.0, currency="USD", creators_wanted=2.0)
    assert_column(frame, "price_to_budget", [100 / 500, 500 / 500, NAN])
    assert_column(frame, "price_usd", [100, 500, NAN])
    assert_column(frame, "cost_per_mille", [100 / 2, 500 / 10, NAN])
    in_euros = pairs(budget=1000.0, currency="EUR")
    assert_column(in_euros, "price_to_budget", [100 / 1250, 500 / 1250, NAN])


@pytest.mark.parametrize("fields", [{}, {"budget": 0.0, "currency": "USD"}, {"budget": 9.0, "currency": "JPY"}])
def test_price_to_a_budget_that_cannot_be_compared_is_unknown(fields):
    assert_column(pairs(**fields), "price_to_budget", [NAN, NAN, NAN])


def test_a_bid_takes_the_place_of_the_price_in_this_brief_alone():
    frame = pairs(bids={"ann": 250.0, "eve": 50.0}, budget=500.0, currency="USD")
    assert_column(frame, "price_to_budget", [0.5, 1, 0.1])
    assert_column(frame, "price_usd", [100, 500, NAN])


def test_a_bid_that_cannot_be_compared_leaves_no_price_to_compare():
    assert_column(pairs(bids={"ann": NAN}, budget=500.0, currency="USD"), "price_to_budget", [NAN, 1, NAN])


def test_brand_jobs_and_failures_count_only_what_was_before():
    """Bob's acceptance is at the very moment of the brief, which it may have caused; Ann worked twice, failed once."""
    ledger = events(
        ("k1", "ann", "ACCEPTED", AS_OF - 9 * DAY),
        ("k1", "ann", "DEFAULTED", AS_OF - 2 * DAY),
        ("k2", "ann", "ACCEPTED", AS_OF - DAY),
        ("k2", "ann", "DEFAULTED", AS_OF),
        ("k3", "bob", "ACCEPTED", AS_OF),
        ("k4", "eve", "INVITED", AS_OF - DAY),
    )
    frame = pairs(tables(collaboration_events=ledger))
    assert_column(frame, "brand_jobs", [2, 0, 0])
    assert_column(frame, "brand_failures", [1, 0, 0])
    assert_column(pairs(tables(collaboration_events=ledger), brand_id="rival"), "brand_jobs", [0, 0, 0])


def test_an_event_counts_from_when_it_was_received():
    ledger = events(("k1", "ann", "ACCEPTED", AS_OF - 9 * DAY)).assign(**{c.RECEIVED_AT: AS_OF + DAY})
    assert_column(pairs(tables(collaboration_events=ledger)), "brand_jobs", [0, 0, 0])


def test_brand_label_share_is_how_usual_the_labels_are_among_its_past():
    """Ann twice, Bob once: the brand's mean tags are (2 + 1/√2) / 3 food and (1/√2) / 3 games."""
    ledger = events(*((f"k{i}", who, "ACCEPTED", AS_OF - DAY) for i, who in enumerate(["ann", "ann", "bob"])))
    food, games = (2 + math.sqrt(0.5)) / 3, math.sqrt(0.5) / 3
    frame = pairs(tables(collaboration_events=ledger))
    assert_column(frame, "brand_label_share", [food, (food + games) * math.sqrt(0.5), 0])
    assert pairs()["brand_label_share"].isna().all()


def test_lookalike_brands_counts_other_briefs_with_the_same_words():
    """Ann worked for q0, whose words are those asked for now; Bob's other brief shares none."""
    briefs = pd.DataFrame(
        {c.BRIEF_ID: ["q0", "q9", "q1"], c.DESCRIPTION: ["matcha latte", "winter tyres", "matcha latte"]}
    ).assign(**{c.CREATED_AT: AS_OF - 9 * DAY})
    ledger = events(*((f"k{i}", who, "ACCEPTED", AS_OF - DAY) for i, who in enumerate(["ann", "bob", "eve"])))
    of = tables(briefs=briefs, collaboration_events=ledger.assign(**{c.BRIEF_ID: ["q0", "q9", "q1"]}))
    assert_column(pairs(of, description="matcha latte"), "lookalike_brands", [1, 0, 0])
    assert_column(pairs(), "lookalike_brands", [0, 0, 0])


def test_lookalike_tastes_and_partners_count_other_brands():
    """The rival hired Ann, as this brand did, and Eve; a third one Bob alone. Of this brand's own jobs none counts.

    Labels: Ann FOOD, Bob food and games (each 1/√2), Eve none, so food is 1.707 and games .707 of 2.414 in all; the
    brand and the rival hired food alone and have one taste, of likeness 1; the third's points the other way.
    """
    ledger = events(*((f"k{i}", who, "ACCEPTED", AS_OF - DAY) for i, who in enumerate(["ann", "ann", "eve", "bob"])))
    of = tables(collaboration_events=ledger.assign(**{c.BRAND_ID: ["brand", "rival", "rival", "third"]}))
    frame = pairs(of)
    assert_column(frame, "lookalike_partners", [1 / math.sqrt(2), 0, 1 / math.sqrt(2)])
    assert_column(frame, "lookalike_tastes", [1, 0, 1])
    assert_column(pairs(), "lookalike_tastes", [0, 0, 0])


def test_words_in_common_and_texts_alike():
    frame = pairs(description="street food tour", reference_captions="retro games")
    assert_column(frame, "text_cosine", [1, frame["text_cosine"]["bob"], NAN])
    assert_column(frame, "reference_cosine", [frame["reference_cosine"]["ann"], 1, NAN])
    assert_column(frame, "lexical_cosine", [3 / math.sqrt(15), 2 / math.sqrt(10), 0])
    assert pairs()[["text_cosine", "reference_cosine"]].isna().all(axis=None)


def test_language_and_country_match():
    frame = pairs(language="fr", target_countries=["US"])
    assert_column(frame, "language_match", [0, 1, NAN])
    assert_column(frame, "country_match", [1, 0, NAN])
    assert_column(pairs(language="fr", target_languages=["en"]), "language_match", [1, 0, NAN])
    assert pairs()[["language_match", "country_match"]].isna().all(axis=None)


def test_followers_in_range():
    assert_column(pairs(min_followers=1000.0), "followers_in_range", [1, 1, NAN])
    assert_column(pairs(max_followers=1000.0), "followers_in_range", [1, 0, NAN])
    assert_column(pairs(min_followers=1001.0, max_followers=9e9), "followers_in_range", [0, 1, NAN])
    assert_column(pairs(), "followers_in_range", [NAN, NAN, NAN])


def test_the_objective_is_its_place():
    assert_column(pairs(objective="CONVERSION"), "objective", [2, 2, 2])
    assert_column(pairs(), "objective", [NAN, NAN, NAN])


def test_of_an_unknown_creator_everything_about_it_is_unknown():
    frame = pairs(
        target_ages=["18-24"], target_countries=["US"], target_languages=["en"], min_followers=1.0, budget=9.0,
        currency="USD", description="food", reference_captions="food",
    )  # fmt: skip
    unknown = "text_cosine reference_cosine audience_age audience_country language_match country_match price_to_budget"
    assert frame.loc["eve", [*unknown.split(), "followers_in_range", "followers_count", "median_views"]].isna().all()


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(len(IDS))), st.integers(1, len(IDS)))
def test_rows_come_as_they_are_asked_for(order, size):
    of = tables()
    asked, known = query(brief(content_labels=["food"]), of), state(of)
    rows = np.array(order[:size])
    pd.testing.assert_frame_equal(pair_features(asked, known, rows), pair_features(asked, known, ROWS).iloc[rows])


def shown(*impressions: tuple[str, str, float, str]) -> pd.DataFrame:
    """Impressions of (brief, creator, position, outcome), all of yesterday."""
    frame = pd.DataFrame(list(impressions), columns=[c.BRIEF_ID, c.CREATOR_ID, c.POSITION, c.OUTCOME])
    return frame.assign(**{c.SHOWN_AT: AS_OF - DAY})


def test_interest_is_beside_what_the_position_explains():
    """At place 1 half are wanted, at place 2 none: Ann, who was, is above what place 1 promised, Bob is below it, and
    Eve's place promised nothing."""
    log = shown(("q0", "ann", 1.0, "INVITED"), ("q9", "bob", 1.0, "NONE"), ("q9", "eve", 2.0, "NONE"))
    briefs = pd.DataFrame({c.BRIEF_ID: ["q0", "q9"], c.BRAND_ID: ["brand", "rival"]})
    frame = pairs(tables(impressions=log, briefs=briefs))
    assert_column(frame, "all_interest", [(1 + 1) / (0.5 + 1), (0 + 1) / (0.5 + 1), NAN])
    assert_column(frame, "brand_interest", [(1 + 1) / (0.5 + 1), NAN, NAN])
    assert_column(pairs(), "all_interest", [NAN, NAN, NAN])


def test_size_gap_is_the_ratio_to_those_the_brand_has_hired():
    ledger = events(("k0", "ann", "ACCEPTED", AS_OF - DAY))
    frame = pairs(tables(collaboration_events=ledger))
    assert_column(frame, "brand_size_gap", [0, math.log(50_001 / 1001), NAN])
    assert_column(pairs(), "brand_size_gap", [NAN, NAN, NAN])
