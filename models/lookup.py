"""What is told of single creators: rows that are looked up when somebody asks, and what was last made of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import pandas as pd

from features import columns as c
from features.errors import bad
from features.fraud.history import Dossier, Groups, everyones_graph
from features.graph.creators import Graph
from features.recent import Recent
from features.schema import Tables
from features.source import Known, Own, Rows, Source, about
from models.authenticity import trained
from models.bundle import Bundle
from models.catalogue import Catalogue, Edition
from models.credit import credit_answers, learn
from models.credit_told import Told, told
from models.fraud_evidence import GROUPED
from models.kept import CREDIT, FRAUD, Kept

KEPT = 10_000
"""Creators of whom what was last made is kept, some 6 KB of credit and 5 KB of fraud for each."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Evidence:
    """The groups that act together, and the fraud answers that tell of them; ``first`` before a deletion has changed
    who they are."""

    groups: Groups
    answers: Recent[dict[str, Any]]
    first: bool

    def stands(self, answer: Mapping[str, Any] | None) -> bool:
        """Whether an answer from before any deletion is there and holds still."""
        return answer is not None and (self.first or not GROUPED & {one["code"] for one in answer["reason_codes"]})


class Lookup:
    """Answers about creators of a catalogue, from ``source``, with the release's models.

    What was made of a creator's rows is kept until the creator changes, for the last KEPT who were asked for; of credit
    only what depends on the moment is told anew. What was made ``ahead`` of creators who have not changed since the
    catalogue was built is read, not made. Whoever is deleted after the catalogue was made is not found (InputError,
    NOT_FOUND).
    """

    def __init__(self, bundle: Bundle, source: Source) -> None:
        self._bundle, self._source = bundle, source
        self.ahead: Kept | None = None
        self._told: Recent[Told] = Recent(KEPT)

    @contextmanager
    def rows(self, catalogue: Catalogue) -> Iterator[Rows]:
        """The rows that the catalogue knows of."""
        with self._source.reading() as rows:
            yield Known(rows, catalogue.latest)

    @contextmanager
    def own(self, catalogue: Catalogue, ids: Sequence[str]) -> Iterator[Own]:
        """What the catalogue knows of the creators alone, read as it is asked for."""
        with self.rows(catalogue) as rows:
            own = Own(rows, ids)
            _refuse_others(own["creators"], ids)
            yield own

    def about(self, catalogue: Catalogue, ids: Sequence[str]) -> Tables:
        """What the catalogue knows of the creators (:func:`features.source.about`)."""
        with self.rows(catalogue) as rows:
            own = about(rows, ids)
        _refuse_others(own["creators"], ids)
        return own

    def history(self, ids: Sequence[str]) -> Tables:
        """The creators' rows as they stand in the source, those of the past included."""
        with self._source.reading() as rows:
            return about(rows, ids)

    def credit(self, catalogue: Catalogue, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Credit now."""
        editions, as_of = catalogue.editions_of(ids), catalogue.latest
        found = dict(zip(editions, self._told.each(editions, partial(self._told_of, catalogue)), strict=True))
        if over := [one for one in editions if not found[one].holds(as_of)]:
            anew = dict(zip(over, self._tell(catalogue, [one for one, _ in over]), strict=True))
            self._told.keep(anew)
            found |= anew
        return [found[one].at(as_of) for one in editions]

    def past_credit(
        self, catalogue: Catalogue, ids: Sequence[str], as_of: pd.Timestamp, known_by: pd.Timestamp | None
    ) -> list[dict[str, Any]]:
        """Credit at a moment, from what was known by another."""
        with self.own(catalogue, ids) as own:
            events, creators = own["collaboration_events"], own["creators"]
        return credit_answers(events, creators, self._bundle.policy, as_of, ids, known_by)

    def fraud(self, catalogue: Catalogue, evidence: Evidence, ids: Sequence[str]) -> list[dict[str, Any] | None]:
        """Fraud scores with their evidence; None without a model."""
        if self._bundle.fraud is None:
            return [None] * len(ids)
        return [*evidence.answers.each(catalogue.editions_of(ids), partial(self._scores_of, catalogue, evidence))]

    def evidence(self, catalogue: Catalogue, first: bool = True) -> Evidence:
        """Before anybody has asked."""
        return Evidence(Groups(partial(self._graph, catalogue.as_of)), Recent(KEPT), first)

    @contextmanager
    def dossier(self, catalogue: Catalogue, groups: Groups, ids: Sequence[str]) -> Iterator[Dossier]:
        """What evidence of the creators is made from."""
        with self.rows(catalogue) as rows:
            _refuse_others(rows.where("creators", c.CREATOR_ID, ids), ids)
            yield Dossier(rows, catalogue.as_of, groups)

    def make_ahead(self, catalogue: Catalogue, evidence: Evidence, rows: Sequence[int], kept: Kept) -> None:
        """Puts into ``kept`` what is told of the creators in these rows of a catalogue as it was built, as far as the
        source has them; credit, which everyone has, last."""
        with self.rows(catalogue) as source:
            ids = list(catalogue.state.ids.take(rows))
            there = source.where("creators", c.CREATOR_ID, ids)[c.CREATOR_ID]
        ids = [one for one in there if not catalogue.missing([one])]
        places = catalogue.rows_of(ids).tolist()
        if self._bundle.fraud is not None:
            kept.put(FRAUD, places, self._scores(catalogue, evidence.groups, ids))
        kept.put(CREDIT, places, [one.to_json() for one in self._tell(catalogue, ids)])

    def _told_of(self, catalogue: Catalogue, editions: Sequence[Edition]) -> list[Told]:
        ids = [creator_id for creator_id, _ in editions]
        found = [Told.from_json(one, self._bundle.policy) for one in self._made(CREDIT, catalogue, ids) if one]
        return _completed({one.creator_id: one for one in found}, ids, partial(self._tell, catalogue))

    def _scores_of(self, catalogue: Catalogue, evidence: Evidence, editions: Sequence[Edition]) -> list[dict[str, Any]]:
        ids = [creator_id for creator_id, _ in editions]
        found = [one for one in self._made(FRAUD, catalogue, ids) if one and evidence.stands(one)]
        make = partial(self._scores, catalogue, evidence.groups)
        return _completed({one[c.CREATOR_ID]: one for one in found}, ids, make)

    def _made(self, kind: str, catalogue: Catalogue, ids: Sequence[str]) -> list[Any]:
        """What was made ahead of creators who have not changed since; None where nothing was yet."""
        return self.ahead.of(kind, catalogue.rows_of(ids).tolist()) if self.ahead else []

    def _tell(self, catalogue: Catalogue, ids: Sequence[str]) -> list[Told]:
        with self.own(catalogue, ids) as own:
            events, creators, as_of = own["collaboration_events"], own["creators"], catalogue.latest
        learned = learn(events, creators, self._bundle.policy, as_of, ids)
        each = {one.creator_id: one for group in learned for one in told(group, as_of)}
        return [each[creator_id] for creator_id in ids]

    def _scores(self, catalogue: Catalogue, groups: Groups, ids: Sequence[str]) -> list[dict[str, Any]]:
        model, version = trained(self._bundle.fraud, "fraud"), str(self._bundle.versions["fraud"])
        features = catalogue.of(lambda part: part.fraud, ids)
        with self.dossier(catalogue, groups, ids) as dossier:
            return model.answers(features, version, dossier)

    def _graph(self, as_of: pd.Timestamp) -> Graph:
        with self._source.reading() as rows:
            return everyones_graph(Known(rows, as_of).table("engagements"), as_of)


def _completed(found: dict[str, Value], ids: Sequence[str], make: Callable[[list[str]], list[Value]]) -> list[Value]:
    """One value for each of ``ids``: those ``found``, and those that ``make`` makes of the others together."""
    if missing := [one for one in ids if one not in found]:
        found |= zip(missing, make(missing), strict=True)
    return [found[one] for one in ids]


def _refuse_others(creators: pd.DataFrame, ids: Sequence[str]) -> None:
    known = set(creators[c.CREATOR_ID])
    refuse([one for one in ids if one not in known])


def refuse(missing: Sequence[str], field: str = "creator_ids") -> None:
    """Raises InputError (NOT_FOUND) for the first who is ``missing``."""
    if missing:
        raise bad(field, "no such creator", missing[0], "NOT_FOUND")
