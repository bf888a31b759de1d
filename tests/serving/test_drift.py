import numpy as np
import pandas as pd

from models.drift import Inputs
from serving.drift import EVERY, RANKINGS, Drift


def pairs(value: float) -> pd.DataFrame:
    return pd.DataFrame({"budget": np.full(20, value)})


def test_it_speaks_once_it_has_seen_enough_of_the_latest_rankings_of_one_ranker():
    drift, learned = Drift(np.random.default_rng(0)), Inputs.of(pd.DataFrame({"budget": np.arange(100.0)}))
    told = [drift.see(pairs(5.0), learned) for _ in range(2 * EVERY)]
    assert [i + 1 for i, one in enumerate(told) if one] == [EVERY, 2 * EVERY]
    assert told[-1]["budget"] > 0.25

    told = [drift.see(pairs(float(number % 100)), learned) for number in range(RANKINGS)]
    assert told[-1] == {"budget": 0}  # what was before is forgotten

    other = Inputs.of(pairs(5.0))
    assert not any(drift.see(pairs(5.0), other) for _ in range(EVERY - 1))
    assert drift.see(pairs(5.0), other) == {"budget": 0}
    assert not any(drift.see(pairs(5.0), None) for _ in range(EVERY))
