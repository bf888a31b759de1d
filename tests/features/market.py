"""A marketplace small enough to do its sums by hand: three creators, one brand with a past, a brief."""

import numpy as np
import pandas as pd

from features import columns as c
from features.bank import TextBank
from features.lexical import BUCKETS
from features.queries import Query, build_query
from features.schema import Tables, complete
from features.state import State, build_state, engagements
from tests.features.encoders import CountingEncoder

AS_OF = pd.Timestamp("2026-06-01")
DAY = pd.Timedelta(days=1)
IDF = np.ones(BUCKETS, np.float32)
IDS = ("ann", "bob", "eve")


def tables(**others: pd.DataFrame) -> Tables:
    """Ann films food in English for dollars, Bob food and games in French for euros, of Eve nothing is known."""
    creators = pd.DataFrame(
        {
            c.CREATOR_ID: IDS,
            c.BIO: ["street food tour", "retro games", None],
            c.CONTENT_LABELS: [["FOOD"], ["food", "games"], []],
            c.CONTENT_STYLES: [["VLOG"], ["REVIEW"], []],
            c.CONTENT_FORMATS: [["LIVE"], ["SHORT_VIDEO"], []],
            c.COUNTRY_CODE: ["US", "FR", None],
            c.LANGUAGE: ["en", "fr", None],
            c.FOLLOWERS_COUNT: [1000.0, 50_000.0, np.nan],
            c.MEDIAN_VIEWS: [2000.0, 10_000.0, np.nan],
            c.CREATOR_PRICE: [100.0, 400.0, 90.0],
            c.CURRENCY: ["USD", "EUR", "JPY"],
        }
    )
    rates = pd.DataFrame({c.CURRENCY: ["EUR", "EUR"], c.DATE: [AS_OF - DAY, AS_OF + DAY], c.USD: [1.25, 9.0]})
    audience = pd.DataFrame(
        [
            ("ann", "age", "18-24", 0.6),
            ("ann", "age", "25-34", 0.3),
            ("ann", "age", "55+", 0.1),
            ("ann", "country", "US", 0.8),
            ("bob", "age", "18-24", 0.2),
        ],
        columns=[c.CREATOR_ID, c.DIMENSION, c.BUCKET, c.SHARE],
    )
    return complete({"creators": creators, "exchange_rates": rates, "audience": audience} | others)


def brief(**fields: object) -> pd.Series:
    """A brief of the contract with these fields; whatever is not given is null."""
    row = {c.BRIEF_ID: "q1", c.BRAND_ID: "brand", c.CREATED_AT: AS_OF} | fields
    return complete({"creators": pd.DataFrame({c.CREATOR_ID: []}), "briefs": pd.DataFrame([row])})["briefs"].iloc[0]


def events(*steps: tuple[str, str, str, pd.Timestamp]) -> pd.DataFrame:
    """Ledger events of (collaboration, creator, type, time), all for ``brand`` and its brief ``q0``."""
    frame = pd.DataFrame(list(steps), columns=[c.COLLABORATION_ID, c.CREATOR_ID, c.EVENT_TYPE, c.EVENT_TIME])
    ids = [f"e{i}" for i in range(len(frame))]
    return frame.assign(**{c.EVENT_ID: ids, c.BRAND_ID: "brand", c.BRIEF_ID: "q0"})


def bank() -> TextBank:
    return TextBank(CountingEncoder())


def state(of: Tables) -> State:
    """The state at AS_OF, no upstream score known."""
    ids = pd.Index(of["creators"][c.CREATOR_ID])
    return build_state(of, AS_OF, bank(), IDF, pd.DataFrame(index=ids))


def query(row: pd.Series, of: Tables, bids: dict[str, float] | None = None) -> Query:
    return build_query(row, state(of), bank(), IDF, engagements(of), AS_OF, bids)
