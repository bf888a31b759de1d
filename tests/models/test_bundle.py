"""A release in memory tells what it is made of."""

from models.engine import Engine


def test_models_come_with_the_metrics_of_their_training(engine: Engine) -> None:
    answer = engine.models()
    assert answer["metrics"]["ranker"]["ndcg10_ranker"] > 0
    trained = {name for name, version in answer["models"].items() if version is not None}
    assert trained == {*answer["metrics"], "release"}
