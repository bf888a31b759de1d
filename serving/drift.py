"""What rankings read lately, beside what their ranker read when it was trained (:mod:`models.drift`)."""

from collections import deque

import numpy as np
import pandas as pd

from models.drift import Inputs, Values, drawn

RANKINGS = 500  # the latest, of this worker
EVERY = 250  # rankings it is computed anew, in milliseconds that requests wait; of fewer it would be mostly noise


class Drift:
    """A window of the latest rankings of one ranker; with another one it begins anew."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._begin(None)

    def _begin(self, inputs: Inputs | None) -> None:
        self._inputs, self._seen = inputs, 0
        self._rows: deque[Values] = deque(maxlen=RANKINGS)

    def see(self, pairs: pd.DataFrame, inputs: Inputs | None) -> dict[str, float]:
        """Keeps some rows of a ranking's ``pairs`` (k, p); once in EVERY rankings each feature's PSI, else nothing.

        ``inputs`` are those of its ranker when it was trained; None for one from before they were kept.
        """
        if inputs is not self._inputs:
            self._begin(inputs)
        if inputs is None or pairs.empty:
            return {}
        self._rows.append(drawn(pairs, self._rng))
        self._seen += 1
        if self._seen % EVERY:
            return {}
        return inputs.stability(pd.DataFrame(np.vstack(self._rows), columns=pairs.columns))
