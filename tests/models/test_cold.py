"""Creators of whom little is known: a text and nothing else, or nothing but a label and a country. Their vectors still
stand near creators and briefs of their label, by the towers trained for these tests."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from features import columns as c
from features.bank import Floats
from features.inputs import creator_inputs
from features.queries import build_query
from features.schema import complete
from features.tags import Tags
from models.engine import Engine
from tests.models.writes import tables_of

NEAREST = 10


@dataclass(frozen=True)
class Neighbours:
    """``vectors`` (n, d) and labels of those whom a creator may stand near."""

    vectors: Floats
    labels: npt.NDArray[np.bool_]

    def shared(self, vectors: Floats, labels: npt.NDArray[np.bool_], itself: bool) -> tuple[float, float]:
        """Share of the NEAREST of each of ``vectors`` (m, d) who have one of its ``labels`` (m, t), and that of all;
        where they are the same creators, one is not its own neighbour."""
        cosines = vectors @ self.vectors.T
        alike = (labels.astype(int) @ self.labels.T.astype(int)) > 0
        if itself:
            np.fill_diagonal(cosines, -np.inf)
        nearest = np.argsort(-cosines, axis=1)[:, :NEAREST]
        return float(np.take_along_axis(alike, nearest, axis=1).mean()), float(alike.mean())


def labels_of(tags: Tags) -> npt.NDArray[np.bool_]:
    return tags.matrix.toarray() > 0


def bare(engine: Engine, kind: str) -> Floats:
    """(n, d) vectors of all creators, were only their ``kind`` known."""
    state = engine._catalogue.state
    if kind == "text":
        inputs = creator_inputs(complete({"creators": pd.DataFrame({c.CREATOR_ID: state.ids})}), state.ids, state.text)
    else:
        known = pd.DataFrame({c.CREATOR_ID: state.ids, c.COUNTRY_CODE: state.countries.series(state.ids).to_numpy()})
        known[c.CONTENT_LABELS] = [state.lists[c.CONTENT_LABELS].row(row) for row in range(len(state.ids))]
        inputs = creator_inputs(complete({"creators": known}), state.ids, np.zeros_like(state.text))
    return engine._bundle.towers.creators(inputs)


@pytest.fixture(scope="module")
def creators(engine: Engine) -> Neighbours:
    state = engine._catalogue.state
    return Neighbours(state.vectors, labels_of(state.labels))


@pytest.fixture(scope="module")
def briefs(engine: Engine) -> Neighbours:
    """The briefs of the data that ask for labels."""
    catalogue, columns = engine._catalogue, engine._catalogue.state.labels.columns
    asking = [
        brief for _, brief in tables_of(engine)["briefs"].iterrows() if set(brief[c.CONTENT_LABELS]) & set(columns)
    ]
    queries = [
        build_query(brief, catalogue.state, engine._bank, engine._bundle.idf, catalogue.engaged, catalogue.as_of)
        for brief in asking
    ]
    wanted = np.array([np.isin(list(columns), brief[c.CONTENT_LABELS]) for brief in asking])
    return Neighbours(engine._bundle.towers.briefs(np.stack([query.inputs for query in queries])), wanted)


@pytest.mark.parametrize("kind", ["text", "label and country"])
def test_who_is_hardly_known_still_stands_near_its_like(engine, creators, briefs, kind):
    vectors = bare(engine, kind)
    np.testing.assert_allclose(np.linalg.norm(vectors[vectors.any(axis=1)], axis=1), 1, rtol=1e-5)
    for among, itself in ((creators, True), (briefs, False)):
        near, usual = among.shared(vectors, creators.labels, itself)
        assert near > 3 * usual, (near, usual)


def test_of_whom_nothing_is_known_stands_nowhere(engine):
    nobody = creator_inputs(complete({}), pd.Index(["nobody"]), np.zeros((1, engine._bank.dimension), np.float32))
    assert not engine._bundle.towers.creators(nobody).any()
