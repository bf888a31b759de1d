"""What a release without all models still serves."""

from dataclasses import replace

import pytest

from features.schema import Tables
from models.engine import Engine


@pytest.fixture(scope="module")
def trusting(engine: Engine, few: Tables) -> Engine:
    """Of a release whose data had too few labels for a fraud model."""
    return Engine(replace(engine._bundle, fraud=None), few, engine._bank)


def test_without_a_fraud_model_every_creator_passes_a_filter_on_fraud_as_unknown(trusting: Engine) -> None:
    filters = {"filters": {"max_fraud_probability": 0.5}}
    found = trusting.search(filters)["candidates"]
    size = found["catalogue"]
    assert found == {
        "catalogue": size,
        "removed": [{"filter": "max_fraud_probability", "removed": 0, "unknown": size}],
        "eligible": size,
    }
    ranked = trusting.rank({"brief": {"title": "matcha"}} | filters)["results"]
    assert {one["fraud"]["probability"] for one in ranked} == {None}
