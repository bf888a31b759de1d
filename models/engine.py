"""Every answer of the product as plain dicts, from a release and tables. The command line and the service both call
it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from features import columns as c
from features.asof import data_as_of
from features.bank import MOST_RECENT, TextBank
from features.errors import InputError, bad
from features.fraud.history import History
from features.recent import Recent
from features.schema import BRIEFS, Tables, complete
from features.text import EmbeddingCache, encoder_id, encoder_name, load_encoder
from features.validation import checked_row, wall_clock
from models.authenticity import accounts_answer, audience_answer, comments_answer, trained
from models.bundle import Bundle
from models.catalogue import Catalogue, build_catalogue, renewed
from models.collaborations import collaborations_answer
from models.credit import credit_answers
from models.credit_assessments import AUTHENTICITY, INTERACTION, INTERACTION_VERSION, assessments, interaction
from models.credit_history import history_answer, what_if_answer
from models.credit_succession import policy_changes
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
        self._briefs: Recent[pd.Series] = Recent(MOST_RECENT)
        self._catalogue = build_catalogue(bundle, self._tables, data_as_of(self._tables), bank)

    @classmethod
    def load(cls, folder: Path, tables: Tables, cache: Path | None = None) -> "Engine":
        """The engine of the release in ``folder`` over ``tables``; ``cache`` keeps embeddings between runs.

        Raises InputError (CONFLICT) for a release that was made with another version of its encoder than is here.
        """
        bundle = Bundle.load(folder)
        return cls(bundle, tables, bank_for(bundle, cache))

    @property
    def tables(self) -> Tables:
        """What the engine answers from: the tables it was given, as every :meth:`replace` has left them."""
        return self._tables

    @property
    def bank(self) -> TextBank:
        """The texts that the engine has read."""
        return self._bank

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
        key = (catalogue.latest, json.dumps(request.get("brief"), sort_keys=True, default=repr))
        brief = self._briefs.get(key, lambda: brief_row(request, catalogue.latest))
        return rank(catalogue, self._bundle, self._bank, request, brief)

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

    def policy_changes(self) -> pd.DataFrame:
        """The ledger events that have to be written before the release's credit policy is served."""
        catalogue = self._catalogue
        at = catalogue.latest + pd.Timedelta(microseconds=1)
        return policy_changes(catalogue.tables["collaboration_events"], self._bundle.policy, at)

    def assessments(self) -> pd.DataFrame:
        """The ledger events that say what has moved in what models think of authenticity and interaction."""
        catalogue, fraud = self._catalogue, self._bundle.fraud
        values = pd.DataFrame({INTERACTION: interaction(catalogue.fraud)})
        if fraud is not None:
            values[AUTHENTICITY] = 1 - catalogue.state.frame["fraud_probability"].reindex(values.index)
        versions = {AUTHENTICITY: f"fraud-{self._bundle.versions['fraud']}", INTERACTION: INTERACTION_VERSION}
        at = catalogue.latest + pd.Timedelta(microseconds=1)
        return assessments(catalogue.tables["collaboration_events"], values, versions, self._bundle.policy, at)

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

    def replace(self, creator_ids: Sequence[str], rows: Tables) -> None:
        """Takes over what the store says of creators now: ``rows`` are all of theirs in the tables that it names.

        One without a row in ``creators`` is gone, and out of every other table too. Credit, open orders, what ranking
        knows and the queue follow at once, fraud probabilities with the next training.
        """
        ids, fresh = pd.Index(creator_ids), complete(rows)
        gone = ids.difference(pd.Index(fresh["creators"][c.CREATOR_ID]))
        changed = {name: self._with(name, ids, fresh[name]) for name in rows}
        if len(gone):
            others = [name for name, frame in self._tables.items() if c.CREATOR_ID in frame and name not in rows]
            changed |= {name: self._with(name, gone, fresh[name]) for name in others}
        latest = max(self._catalogue.latest, data_as_of(fresh))
        self._catalogue = renewed(self._catalogue, self._bundle, changed, ids, latest, self._bank)
        self._tables = {**self._tables, **changed}

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

    def _with(self, table: str, ids: pd.Index, rows: pd.DataFrame) -> pd.DataFrame:
        """The table with ``rows`` in the place of those of ``ids``."""
        stored = self._tables[table]
        return pd.concat([stored[~stored[c.CREATOR_ID].isin(ids)], rows], ignore_index=True)


def bank_for(bundle: Bundle, cache: Path | None = None) -> TextBank:
    """A bank with the encoder that the release was made with. Raises InputError, see :meth:`Engine.load`."""
    encoder = load_encoder(encoder_name(bundle.encoder_id))
    if encoder_id(encoder) != bundle.encoder_id:
        problem = f"the release is for {bundle.encoder_id}; train again"
        raise bad("encoder_id", problem, encoder_id(encoder), "CONFLICT")
    return TextBank(encoder, EmbeddingCache(cache) if cache else None)


def _known(catalogue: Catalogue, creator_ids: Sequence[str], field: str = "creator_ids") -> list[str]:
    """The ids, each once. Raises InputError (NOT_FOUND) for one that the catalogue does not have."""
    missing = [creator_id for creator_id in creator_ids if creator_id not in catalogue.state.ids]
    if missing:
        raise bad(field, "no such creator", missing[0], "NOT_FOUND")
    return list(dict.fromkeys(creator_ids))


def brief_row(request: Mapping[str, Any], as_of: pd.Timestamp) -> pd.Series:
    """The request's brief as a row of the contract. Raises InputError with every field that breaks it."""
    brief = request.get("brief")
    if not isinstance(brief, Mapping):
        raise bad("brief", "is needed: an object with the columns of the table briefs", brief)
    _known_fields(brief, frozenset(BRIEFS.names), "brief.")
    given = {name: value for name, value in brief.items() if value is not None}
    row = {c.BRIEF_ID: "request", c.CREATED_AT: as_of} | given
    checked, details = checked_row(row, BRIEFS, max(as_of, wall_clock()))
    if details:
        raise InputError(f"brief.{details[0]['field']}: {details[0]['problem']}", details)
    return checked.iloc[0]


def _known_fields(given: Mapping[str, Any], fields: frozenset[str], prefix: str = "") -> None:
    for name in given:
        if name not in fields:
            raise bad(
                f"{prefix}{name}", f"is not a field here; the fields are {', '.join(sorted(fields))}", given[name]
            )
