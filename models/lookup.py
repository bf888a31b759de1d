"""What is told of single creators: rows that are looked up when somebody asks, and what was last made of them."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from features import columns as c
from features.errors import bad
from features.fraud.history import Dossier, Groups, everyones_graph
from features.graph.creators import Graph
from features.recent import Recent
from features.schema import CONTRACT, Tables
from features.source import Known, Rows, Source, about
from models.authenticity import trained
from models.bundle import Bundle
from models.catalogue import Catalogue, Edition
from models.credit import Learned, credit_answers, learn

LEDGER = ("creators", "collaboration_events")
EVIDENCE = ("creators", "daily_stats", "videos", "engagements", "audience")
KEPT = 10_000
"""Creators of whom what was last made is kept, some 6 KB of credit and 5 KB of fraud for each."""
ALONE = 100
"""Up to so many creators credit is told one by one; of more at a time it is computed as fast."""


@dataclass(frozen=True)
class Evidence:
    """The groups that act together, and the fraud answers that tell of them."""

    groups: Groups
    answers: Recent[dict[str, Any]]


class Lookup:
    """Answers about creators of a catalogue, from ``source``, with the release's models.

    What was made of a creator's rows is kept until the creator changes, for the last KEPT who were asked for; of credit
    only what depends on the moment is told anew. Whoever is deleted after the catalogue was made is not found
    (InputError, NOT_FOUND).
    """

    def __init__(self, bundle: Bundle, source: Source) -> None:
        self._bundle, self._source = bundle, source
        self._learned: Recent[Learned] = Recent(KEPT)

    @contextmanager
    def rows(self, catalogue: Catalogue) -> Iterator[Rows]:
        """The rows that the catalogue knows of."""
        with self._source.reading() as rows:
            yield Known(rows, catalogue.latest)

    def about(self, catalogue: Catalogue, ids: Sequence[str], names: Collection[str] = tuple(CONTRACT)) -> Tables:
        """What the catalogue knows of the creators (:func:`features.source.about`)."""
        with self.rows(catalogue) as rows:
            own = about(rows, ids, names)
        known = set(own["creators"][c.CREATOR_ID])
        refuse([one for one in ids if one not in known])
        return own

    def history(self, ids: Sequence[str]) -> Tables:
        """The creators' rows as they stand in the source, those of the past included."""
        with self._source.reading() as rows:
            return about(rows, ids)

    def credit(self, catalogue: Catalogue, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Credit now."""
        if len(ids) > ALONE:
            return self.past_credit(catalogue, ids, catalogue.latest, None)
        learned = self._learned.each(catalogue.editions_of(ids), partial(self._learn, catalogue))
        if all(one.holds(catalogue.latest) for one in learned):
            return [answer for one in learned for answer in one.answers(catalogue.latest)]
        return self.past_credit(catalogue, ids, catalogue.latest, None)

    def past_credit(
        self, catalogue: Catalogue, ids: Sequence[str], as_of: pd.Timestamp, known_by: pd.Timestamp | None
    ) -> list[dict[str, Any]]:
        """Credit at a moment, from what was known by another."""
        own = self.about(catalogue, ids, LEDGER)
        events, creators = own["collaboration_events"], own["creators"]
        return credit_answers(events, creators, self._bundle.policy, as_of, ids, known_by)

    def fraud(self, catalogue: Catalogue, evidence: Evidence, ids: Sequence[str]) -> list[dict[str, Any] | None]:
        """Fraud scores with their evidence; None without a model."""
        if self._bundle.fraud is None:
            return [None] * len(ids)
        return [*evidence.answers.each(catalogue.editions_of(ids), partial(self._scores, catalogue, evidence.groups))]

    def evidence(self, catalogue: Catalogue) -> Evidence:
        """Before anybody has asked."""
        return Evidence(Groups(partial(self._graph, catalogue.as_of)), Recent(KEPT))

    def dossier(self, catalogue: Catalogue, groups: Groups, ids: Sequence[str]) -> Dossier:
        """What evidence of the creators is made from."""
        return Dossier(self.about(catalogue, ids, EVIDENCE), catalogue.as_of, groups)

    def _learn(self, catalogue: Catalogue, editions: Sequence[Edition]) -> list[Learned]:
        ids = [creator_id for creator_id, _ in editions]
        own = self.about(catalogue, ids, LEDGER)
        learned = learn(own["collaboration_events"], own["creators"], self._bundle.policy, catalogue.latest, ids)
        each = {one.states.ids[0]: one for group in learned for one in group.each()}
        return [each[creator_id] for creator_id in ids]

    def _scores(self, catalogue: Catalogue, groups: Groups, editions: Sequence[Edition]) -> list[dict[str, Any]]:
        ids, model = [creator_id for creator_id, _ in editions], trained(self._bundle.fraud, "fraud")
        features, version = catalogue.of(lambda part: part.fraud, ids), str(self._bundle.versions["fraud"])
        return model.answers(features, version, self.dossier(catalogue, groups, ids))

    def _graph(self, as_of: pd.Timestamp) -> Graph:
        with self._source.reading() as rows:
            return everyones_graph(Known(rows, as_of).table("engagements"), as_of)


def refuse(missing: Sequence[str], field: str = "creator_ids") -> None:
    """Raises InputError (NOT_FOUND) for the first who is ``missing``."""
    if missing:
        raise bad(field, "no such creator", missing[0], "NOT_FOUND")
