"""Every answer of the product as plain dicts, from a release and tables. The command line and the service both call
it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.asof import data_as_of
from features.bank import TextBank
from features.errors import InputError, bad
from features.fraud.history import History
from features.schema import BRIEFS, CONTRACT, Tables, complete, conform
from features.tables import coerce
from features.text import EmbeddingCache, encoder_id, encoder_name, load_encoder
from features.validation import row_problems, wall_clock
from models.authenticity import accounts_answer, audience_answer, comments_answer, trained
from models.bundle import Bundle
from models.catalogue import Catalogue, build_catalogue, renewed
from models.collaborations import collaborations_answer
from models.credit import credit_answers
from models.credit_history import history_answer, what_if_answer
from models.fraud import past_probabilities
from models.ranking import rank
from models.records import record_answers
from models.risk import queue, risk_table, simulate
from models.search import profile, search
from models.similar import similar

RANK_FIELDS = frozenset(
    "brief limit filters exclude_creator_ids pin_creator_ids bids diversity explore seed explain".split()
)


class Engine:
    """Answers for one release and one set of tables; requests are checked by the caller except for what only we can
    know.

    Raises InputError (NOT_FOUND) for ids that the catalogue does not have and (INVALID_ARGUMENT) for a brief that
    breaks the contract. Every method that changes the catalogue builds the new one aside and swaps it whole; every
    answer is read from one catalogue, whatever is swapped meanwhile.
    """

    def __init__(self, bundle: Bundle, tables: Tables, bank: TextBank) -> None:
        self._bundle, self._bank = bundle, bank
        self._tables: Tables = complete(tables)
        self._catalogue = build_catalogue(bundle, self._tables, data_as_of(self._tables), bank)

    @classmethod
    def load(cls, folder: Path, tables: Tables, cache: Path | None = None) -> "Engine":
        """The engine of the release in ``folder`` over ``tables``; ``cache`` keeps embeddings between runs.

        Raises InputError (CONFLICT) for a release that was made with another version of its encoder than is here.
        """
        bundle = Bundle.load(folder)
        encoder = load_encoder(encoder_name(bundle.encoder_id))
        if encoder_id(encoder) != bundle.encoder_id:
            problem = f"the release is for {bundle.encoder_id}; train again"
            raise bad("encoder_id", problem, encoder_id(encoder), "CONFLICT")
        return cls(bundle, tables, TextBank(encoder, EmbeddingCache(cache) if cache else None))

    @property
    def as_of(self) -> pd.Timestamp:
        """The latest moment at which anything in the tables became known; credit speaks of it.

        Writes move it at once; ``data_as_of`` in answers is when the catalogue was built.
        """
        return self._catalogue.latest

    def rank(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/creators/rank."""
        _known_fields(request, RANK_FIELDS)
        catalogue = self._catalogue
        return rank(catalogue, self._bundle, self._bank, request, brief_row(request, catalogue.latest))

    def search(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/creators/search."""
        return search(self._catalogue, self._bank, request)

    def similar(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/creators/similar."""
        return similar(self._catalogue, request)

    def profile(self, request: Mapping[str, Any], risk: bool) -> dict[str, Any]:
        """/v1/creators/profile; fraud evidence only for callers with scope ``risk``."""
        catalogue = self._catalogue
        ids = _known(catalogue, request["creator_ids"])
        credit = self._credit(catalogue, ids)
        known = [profile(catalogue, creator_id) | {"credit": one} for creator_id, one in zip(ids, credit, strict=True)]
        if not risk:
            return {"results": known}
        fraud = self._fraud(catalogue, ids)
        audience = audience_answer(self._bundle.accounts, catalogue.tables, catalogue.as_of, ids)
        evidence = zip(known, fraud, audience, strict=True)
        return {"results": [one | {"fraud": score, "audience_types": types} for one, score, types in evidence]}

    def fraud_score(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/fraud/score, by ``creator_ids`` or by ``records``."""
        catalogue = self._catalogue
        if "records" in request:
            model, now = trained(self._bundle.fraud, "fraud"), max(catalogue.latest, wall_clock())
            version = str(self._bundle.versions["fraud"])
            return {"results": record_answers(catalogue, model, version, request["records"], now)}
        ids = _known(catalogue, request["creator_ids"])
        trained(self._bundle.fraud, "fraud")
        return {"results": self._fraud(catalogue, ids)}

    def fraud_history(self, creator_id: str) -> tuple[History, "pd.Series[float]"]:
        """A creator's 90 days, and what the model says of it at past month ends, from what was known then."""
        catalogue = self._catalogue
        ids, model = _known(catalogue, [creator_id]), trained(self._bundle.fraud, "fraud")
        (history,) = catalogue.dossier.histories(ids)
        return history, past_probabilities(model, self._tables, creator_id, catalogue.as_of)

    def fraud_queue(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/fraud/queue."""
        model = trained(self._bundle.fraud, "fraud")
        return queue(self._catalogue, model, str(self._bundle.versions["fraud"]), request)

    def fraud_simulation(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/fraud/policies/simulate. Raises InputError (UNAVAILABLE) for a release that keeps no past scores."""
        model, past = trained(self._bundle.fraud, "fraud"), self._bundle.past_fraud
        if past is None:
            problem = "this release keeps no scores of the past; its data held too few labels then, or train again"
            raise InputError(f"fraud: {problem}", code="UNAVAILABLE")
        return simulate(self._catalogue, model, past, str(self._bundle.versions["fraud"]), request)

    def fraud_accounts(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/fraud/accounts."""
        return accounts_answer(trained(self._bundle.accounts, "accounts"), request, self._catalogue.as_of)

    def fraud_comments(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/fraud/comments."""
        return comments_answer(trained(self._bundle.comments, "comments"), request, self._bank)

    def credit(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/credit."""
        catalogue = self._catalogue
        as_of, known_by = (pd.Timestamp(request[name]) if request.get(name) else None for name in ("as_of", "known_at"))
        return {"results": self._credit(catalogue, _known(catalogue, request["creator_ids"]), as_of, known_by)}

    def credit_history(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/credit/history."""
        catalogue = self._catalogue
        [creator_id] = _known(catalogue, [request["creator_id"]], "creator_id")
        as_of = pd.Timestamp(request.get("as_of") or catalogue.latest)
        known_by = pd.Timestamp(request.get("known_at") or as_of)
        return history_answer(
            catalogue.tables["collaboration_events"], self._bundle.policy, as_of, known_by, creator_id
        )

    def credit_what_if(self, creator_id: str, further: pd.DataFrame) -> dict[str, Any]:
        """/v1/credit/what_if, once the ledger would take the events ``further``; nothing is written."""
        catalogue = self._catalogue
        _known(catalogue, [creator_id], "creator_id")
        as_of = max(catalogue.latest, further[c.EVENT_TIME].max())
        events, creators = catalogue.tables["collaboration_events"], catalogue.tables["creators"]
        return what_if_answer(events, further, creators, self._bundle.policy, as_of, creator_id)

    def collaborations(self, request: Mapping[str, Any], now: pd.Timestamp) -> dict[str, Any]:
        """/v1/collaborations; ``now`` tells what is overdue."""
        return collaborations_answer(self._catalogue.tables, request, now)

    def models(self) -> dict[str, Any]:
        """/v1/models: the versions served, how good each model was when it was trained, what risk scores mean."""
        fraud = self._bundle.fraud
        return {
            "models": self._bundle.versions,
            "metrics": self._bundle.metrics,
            "risk_table": [] if fraud is None else risk_table(fraud),
            "encoder_id": self._bundle.encoder_id,
            "data_as_of": self._catalogue.as_of.isoformat(),
        }

    def upsert(self, creators: pd.DataFrame, audience: pd.DataFrame) -> None:
        """Adds observations of creators and their audience; rows without ``observed_at`` are observed now.

        What an undated row said gives way: it would count as observed later than any date.
        """
        self._add({"creators": creators, "audience": audience})

    def append_events(self, events: pd.DataFrame) -> None:
        """Adds ledger events: credit, open orders and what ranking knows of these creators follow at once."""
        self._add({"collaboration_events": events})

    def append_labels(self, labels: pd.DataFrame, events: pd.DataFrame) -> None:
        """Adds fraud labels of creators and the ledger events that follow from them: credit and the queue know at once,
        probabilities with the next training."""
        self._add({"fraud_labels": labels, "collaboration_events": events})

    def delete(self, creator_ids: Sequence[str]) -> None:
        """Takes creators and all their rows out of the catalogue."""
        gone = pd.Index(_known(self._catalogue, creator_ids))
        tables = {name: frame for name, frame in self._tables.items() if c.CREATOR_ID in frame}
        left = {name: frame[~frame[c.CREATOR_ID].isin(gone)] for name, frame in tables.items()}
        self._renew(left, gone, self._catalogue.latest)

    def _credit(
        self,
        catalogue: Catalogue,
        ids: Sequence[str],
        as_of: pd.Timestamp | None = None,
        known_by: pd.Timestamp | None = None,
    ) -> list[dict[str, Any]]:
        events, creators = catalogue.tables["collaboration_events"], catalogue.tables["creators"]
        return credit_answers(events, creators, self._bundle.policy, as_of or catalogue.latest, ids, known_by)

    def _fraud(self, catalogue: Catalogue, ids: Sequence[str]) -> list[dict[str, Any] | None]:
        if self._bundle.fraud is None:
            return [None] * len(ids)
        version = str(self._bundle.versions["fraud"])
        return [*self._bundle.fraud.answers(catalogue.fraud.loc[ids], version, catalogue.dossier)]

    def _add(self, added: Tables) -> None:
        """Takes rows into tables that are about creators."""
        added = {name: rows for name, rows in added.items() if len(rows)}
        ids = pd.Index(pd.concat([rows[c.CREATOR_ID] for rows in added.values()]).unique())
        latest = max(self._catalogue.latest, data_as_of(added))
        self._renew({name: self._joined(name, rows) for name, rows in added.items()}, ids, latest)

    def _joined(self, table: str, rows: pd.DataFrame) -> pd.DataFrame:
        """The table with ``rows``, which replace those of the same entity that are undated or of the same time."""
        stored, added, contract = self._tables[table], conform(rows, CONTRACT[table]), CONTRACT[table]
        if contract.entity:
            undated = stored[c.OBSERVED_AT].isna() & _in(stored, added, contract.entity)
            stored = stored[~undated & ~_in(stored, added, (*contract.entity, c.OBSERVED_AT))]
        return pd.concat([stored, added], ignore_index=True)

    def _renew(self, changed: Tables, ids: pd.Index, latest: pd.Timestamp) -> None:
        """Takes changed tables and the catalogue that knows them over together, or neither where that fails."""
        self._catalogue = renewed(self._catalogue, self._bundle, changed, ids, latest, self._bank)
        self._tables = {**self._tables, **changed}


def _known(catalogue: Catalogue, creator_ids: Sequence[str], field: str = "creator_ids") -> list[str]:
    """The ids, each once. Raises InputError (NOT_FOUND) for one that the catalogue does not have."""
    missing = [creator_id for creator_id in creator_ids if creator_id not in catalogue.state.ids]
    if missing:
        raise bad(field, "no such creator", missing[0], "NOT_FOUND")
    return list(dict.fromkeys(creator_ids))


def _in(frame: pd.DataFrame, other: pd.DataFrame, names: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which rows of ``frame`` have the values of some row of ``other`` in the columns ``names``."""
    return pd.MultiIndex.from_frame(frame[[*names]]).isin(pd.MultiIndex.from_frame(other[[*names]]))


def brief_row(request: Mapping[str, Any], as_of: pd.Timestamp) -> pd.Series:
    """The request's brief as a row of the contract. Raises InputError with every field that breaks it."""
    brief = request.get("brief")
    if not isinstance(brief, Mapping):
        raise bad("brief", "is needed: an object with the columns of the table briefs", brief)
    _known_fields(brief, frozenset(BRIEFS.names), "brief.")
    given = {name: value for name, value in brief.items() if value is not None}
    row = {c.BRIEF_ID: "request", c.CREATED_AT: as_of} | given
    if details := row_problems(row, BRIEFS, max(as_of, wall_clock())):
        raise InputError(f"brief.{details[0]['field']}: {details[0]['problem']}", details)
    return conform(coerce(pd.DataFrame([row]), BRIEFS), BRIEFS).iloc[0]


def _known_fields(given: Mapping[str, Any], fields: frozenset[str], prefix: str = "") -> None:
    for name in given:
        if name not in fields:
            raise bad(
                f"{prefix}{name}", f"is not a field here; the fields are {', '.join(sorted(fields))}", given[name]
            )
