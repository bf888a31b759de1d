"""Every answer of the product as plain dicts, from a release and a source of rows. The command line and the service
both call it."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from features import columns as c
from features.asof import data_as_of, known
from features.bank import MOST_RECENT, TextBank
from features.errors import InputError, bad
from features.fraud.history import Dossier, History
from features.recent import Recent
from features.row import checked_row
from features.schema import BRIEFS
from features.source import Rows, Source, about, whole
from features.text import EmbeddingCache, encoder_id, encoder_name, load_encoder
from features.validation import wall_clock
from models.authenticity import accounts_answer, audience_answer, comments_answer, trained
from models.bundle import Bundle
from models.catalogue import MOST_READINGS, Catalogue, build_catalogue
from models.collaborations import collaborations_answer
from models.credit_assessments import AUTHENTICITY, INTERACTION, INTERACTION_VERSION, assessments, interaction
from models.credit_history import history_answer, what_if_answer
from models.credit_succession import policy_changes
from models.fraud import past_probabilities
from models.kept import Kept
from models.lookup import Lookup, refuse
from models.ranking import rank
from models.records import record_answers
from models.renewal import renewed
from models.risk import queue, risk_table, simulate
from models.search import profile, search
from models.similar import similar

REHEARSED = ("brief", "filters")
RANK_FIELDS = frozenset(
    "brief limit filters exclude_creator_ids pin_creator_ids bids diversity explore seed explain".split()
)


class Engine:
    """Answers for one release and the rows of one source; requests are checked by the caller except for what only we
    can know.

    What ranking, filters and lists read is kept in memory, the ``catalogue``; what is told of single creators is read
    from the source when it is asked for. Raises InputError (NOT_FOUND) for ids that the catalogue does not have and
    (INVALID_ARGUMENT) for a brief that breaks the contract. Every method that changes the catalogue builds the new one
    aside and swaps it whole; every answer is made of one catalogue and of the rows that this one knows, whatever is
    swapped meanwhile. A ``built`` catalogue of the release over the source, maybe of a while ago, spares the time.
    """

    def __init__(self, bundle: Bundle, source: Source, bank: TextBank, built: Catalogue | None = None) -> None:
        self._bundle, self._bank, self._lookup = bundle, bank, Lookup(bundle, source)
        self._briefs: Recent[pd.Series] = Recent(MOST_RECENT)
        self._ranked: Recent[Mapping[str, Any]] = Recent(MOST_READINGS)
        self._catalogue = built or _built(bundle, source, bank)
        self._evidence = self._lookup.evidence(self._catalogue)

    @classmethod
    def load(cls, folder: Path, source: Source, cache: Path | None = None) -> "Engine":
        """The engine of the release in ``folder`` over ``source``; ``cache`` keeps embeddings between runs.

        Raises InputError (CONFLICT) for a release that was made with another version of its encoder than is here.
        """
        bundle = Bundle.load(folder)
        return cls(bundle, source, bank_for(bundle, cache))

    def read_ahead(self, kept: Kept) -> None:
        """From now on reads what is ``kept`` of the creators of the catalogue that it began with."""
        self._lookup.ahead = kept

    @property
    def bank(self) -> TextBank:
        """The texts that the engine has read."""
        return self._bank

    @property
    def catalogue(self) -> Catalogue:
        """What is answered from now."""
        return self._catalogue

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
        key = json.dumps(request.get("brief"), sort_keys=True, default=repr)
        # A brief without a date was written when it first came: no answer depends on that.
        brief = self._briefs.get(key, lambda: brief_row(request, catalogue.latest))
        answer = rank(catalogue, self._bundle, self._bank, request, brief)
        self._ranked.keep({key: {name: request[name] for name in REHEARSED if name in request}})
        return answer

    def rehearse(self, other: "Engine") -> None:
        """Ranks for the briefs that ``other`` ranked for lately, so that after a swap nobody waits while they are read
        anew."""
        for request in other._ranked.values():
            with suppress(InputError):  # a filter by what only the other release knows
                self.rank(request)

    def search(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/creators/search."""
        return search(self._catalogue, self._bank, request)

    def similar(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/creators/similar."""
        return similar(self._catalogue, request)

    def profile(self, request: Mapping[str, Any], risk: bool) -> dict[str, Any]:
        """/v1/creators/profile; fraud evidence only for callers with scope ``risk``."""
        catalogue, ids = self._asked(request["creator_ids"])
        own = self._lookup.about(catalogue, ids)
        told = zip(ids, self._lookup.credit(catalogue, ids), strict=True)
        known = [profile(own, creator_id, catalogue.as_of) | {"credit": credit} for creator_id, credit in told]
        if not risk:
            return {"results": known}
        fraud = self._lookup.fraud(catalogue, self._evidence, ids)
        audience = audience_answer(self._bundle.accounts, own, catalogue.as_of, ids)
        evidence = zip(known, fraud, audience, strict=True)
        return {"results": [one | {"fraud": score, "audience_types": types} for one, score, types in evidence]}

    def fraud_score(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/fraud/score, by ``creator_ids`` or by ``records``."""
        if "records" in request:
            return {"results": self._record_scores(request["records"])}
        catalogue, ids = self._asked(request["creator_ids"])
        trained(self._bundle.fraud, "fraud")
        return {"results": self._lookup.fraud(catalogue, self._evidence, ids)}

    def fraud_history(self, creator_id: str) -> tuple[History, "pd.Series[float]"]:
        """A creator's 90 days, and what the model says of it at past month ends, from what was known then."""
        model = trained(self._bundle.fraud, "fraud")
        catalogue, ids = self._asked([creator_id])
        (history,) = Dossier.of(self._lookup.about(catalogue, ids), catalogue.as_of).histories(ids)
        past = self._lookup.history(ids)
        return history, past_probabilities(model, past, creator_id, catalogue.as_of, catalogue.latest)

    def fraud_queue(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/fraud/queue."""
        model = trained(self._bundle.fraud, "fraud")
        catalogue = self._catalogue
        dossier_of = partial(self._lookup.dossier, catalogue, self._evidence.groups)
        return queue(catalogue, dossier_of, model, str(self._bundle.versions["fraud"]), request)

    def fraud_simulation(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/fraud/policies/simulate. Raises InputError (UNAVAILABLE) for a release that keeps no past scores."""
        model, past = trained(self._bundle.fraud, "fraud"), self._bundle.past_fraud
        if past is None:
            problem = "this release keeps no scores of the past; its data held too few labels then, or train again"
            raise InputError(f"fraud: {problem}", code="UNAVAILABLE")
        catalogue = self._catalogue
        with self._lookup.rows(catalogue) as rows:
            return simulate(catalogue, rows, model, past, str(self._bundle.versions["fraud"]), request)

    def fraud_accounts(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/fraud/accounts."""
        return accounts_answer(trained(self._bundle.accounts, "accounts"), request, self._catalogue.as_of)

    def fraud_comments(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/fraud/comments."""
        return comments_answer(trained(self._bundle.comments, "comments"), request, self._bank)

    def credit(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/credit."""
        catalogue, ids = self._asked(request["creator_ids"])
        as_of, known_by = (pd.Timestamp(request[name]) if request.get(name) else None for name in ("as_of", "known_at"))
        if as_of is None and known_by is None:
            return {"results": self._lookup.credit(catalogue, ids)}
        return {"results": self._lookup.past_credit(catalogue, ids, as_of or catalogue.latest, known_by)}

    def credit_history(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """/v1/credit/history."""
        catalogue, [creator_id] = self._asked([request["creator_id"]], "creator_id")
        as_of = pd.Timestamp(request.get("as_of") or catalogue.latest)
        known_by = pd.Timestamp(request.get("known_at") or as_of)
        with self._lookup.own(catalogue, [creator_id]) as own:
            events = own["collaboration_events"]
        return history_answer(events, self._bundle.policy, as_of, known_by, creator_id)

    def credit_what_if(self, creator_id: str, further: pd.DataFrame) -> dict[str, Any]:
        """/v1/credit/what_if, once the ledger would take the events ``further``; nothing is written."""
        catalogue, ids = self._asked([creator_id], "creator_id")
        with self._lookup.own(catalogue, ids) as own:
            events, creators = own["collaboration_events"], own["creators"]
        as_of = max(catalogue.latest, further[c.EVENT_TIME].max())
        return what_if_answer(events, further, creators, self._bundle.policy, as_of, creator_id)

    def policy_changes(self) -> pd.DataFrame:
        """The ledger events that have to be written before the release's credit policy is served."""
        catalogue = self._catalogue
        at = catalogue.latest + pd.Timedelta(microseconds=1)
        with self._lookup.rows(catalogue) as rows:
            return policy_changes(rows.table("collaboration_events"), self._bundle.policy, at)

    def assessments(self) -> pd.DataFrame:
        """The ledger events that say what has moved in what models think of authenticity and interaction."""
        catalogue = self._catalogue
        values = pd.DataFrame({INTERACTION: interaction(catalogue.everyone(lambda part: part.fraud))})
        if self._bundle.fraud is not None:
            values[AUTHENTICITY] = 1 - catalogue.everyone(lambda part: part.state.frame)["fraud_probability"]
        versions = {AUTHENTICITY: f"fraud-{self._bundle.versions['fraud']}", INTERACTION: INTERACTION_VERSION}
        at = catalogue.latest + pd.Timedelta(microseconds=1)
        with self._lookup.rows(catalogue) as rows:
            return assessments(rows.table("collaboration_events"), values, versions, self._bundle.policy, at)

    def collaborations(self, request: Mapping[str, Any], now: pd.Timestamp) -> dict[str, Any]:
        """/v1/collaborations; ``now`` tells what is overdue."""
        with self._lookup.rows(self._catalogue) as rows:
            return collaborations_answer(rows, request, now)

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

    def replace(self, creator_ids: Sequence[str], rows: Rows) -> None:
        """Takes over what ``rows`` say of creators now; one without a row in ``creators`` is gone.

        Among them have to be those whom the same accounts engaged with as one who is gone
        (:func:`features.source.meeting`). Credit, open orders, what ranking knows and the queue follow at once, fraud
        probabilities with the next training.
        """
        catalogue, ids = self._catalogue, pd.Index(creator_ids)
        own = about(rows, creator_ids)
        latest = max(catalogue.latest, data_as_of(own))
        own = known(own, latest, latest)
        # What creators write of themselves changes all the time: a bank that kept it would grow without end.
        self._catalogue = renewed(catalogue, self._bundle, own, ids, latest, self._bank.passing())
        if not ids.isin(own["creators"][c.CREATOR_ID]).all():
            self._evidence = self._lookup.evidence(self._catalogue, first=False)

    def _asked(self, creator_ids: Sequence[str], field: str = "creator_ids") -> tuple[Catalogue, list[str]]:
        """The catalogue and the ids, each once. Raises InputError (NOT_FOUND) for one that it does not have."""
        catalogue = self._catalogue
        refuse(catalogue.missing(creator_ids), field)
        return catalogue, list(dict.fromkeys(creator_ids))

    def _record_scores(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        catalogue, model = self._catalogue, trained(self._bundle.fraud, "fraud")
        now, version = max(catalogue.latest, wall_clock()), str(self._bundle.versions["fraud"])
        with self._lookup.rows(catalogue) as rows:
            return record_answers(rows, catalogue.as_of, model, version, records, now)


def _built(bundle: Bundle, source: Source, bank: TextBank) -> Catalogue:
    with source.reading() as rows:
        tables = whole(rows)
    return build_catalogue(bundle, tables, data_as_of(tables), bank).served()


def bank_for(bundle: Bundle, cache: Path | None = None) -> TextBank:
    """A bank with the encoder that the release was made with. Raises InputError, see :meth:`Engine.load`."""
    encoder = load_encoder(encoder_name(bundle.encoder_id))
    if encoder_id(encoder) != bundle.encoder_id:
        problem = f"the release is for {bundle.encoder_id}; train again"
        raise bad("encoder_id", problem, encoder_id(encoder), "CONFLICT")
    return TextBank(encoder, EmbeddingCache(cache) if cache else None)


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
    return checked


def _known_fields(given: Mapping[str, Any], fields: frozenset[str], prefix: str = "") -> None:
    for name in given:
        if name not in fields:
            raise bad(
                f"{prefix}{name}", f"is not a field here; the fields are {', '.join(sorted(fields))}", given[name]
            )
