"""What stands behind the routes: reads go to the engine, writes to the store, which the engine follows."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import partial
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from features import columns as c
from features import schema
from features.errors import Detail, InputError, bad
from features.rankings import ARM, EXPERIMENT, RANKED_AT
from features.trace import noted
from features.validation import violations
from serving import feedback, fraud_requests, labels, ledger, ledger_requests, pages, requests, what_if
from serving.auth import RISK, Caller
from serving.clock import Clock
from serving.follower import Follower
from serving.remembering import Remembering
from serving.rows import Body
from serving.store import Ranking, Store, Writing
from serving.together import Together

if TYPE_CHECKING:
    from models.engine import Engine
    from serving.rankings import RankingLog
    from serving.releases import Releases
    from serving.trials import Trials

Answer = dict[str, Any]
MOST_TOGETHER = 4000  # events; a statement names each up to four times, and SQLite takes 32,766 values
FATES = {"accepted": ledger.ACCEPTED, "duplicates": ledger.DUPLICATE, "rejected": ledger.REJECTED}


class Api:
    """One method per route, from a valid request to an answer of plain JSON values; raises InputError.

    Methods may run side by side in threads and in processes: a read asks one engine, whatever is swapped meanwhile; a
    write judges and stores in one transaction of its own, and answers once the catalogue here has it too.
    """

    def __init__(
        self,
        store: Store,
        follower: Follower,
        releases: "Releases",
        trials: "Trials",
        rankings: "RankingLog",
        clock: Clock | None = None,
    ) -> None:
        self._store, self._follower = store, follower
        self._releases, self._trials, self._rankings = releases, trials, rankings
        self._clock, self._remembering = clock or Clock(), Remembering(store)
        self._live, self._backfills = (
            Together(partial(self._append, backfill), MOST_TOGETHER) for backfill in (False, True)
        )

    def close(self) -> None:
        """Writes the rankings that are not written yet; none may come any more."""
        self._remembering.close()
        self._rankings.close()

    @property
    def _engine(self) -> "Engine":
        return self._follower.engine

    def rank(self, request: requests.RankRequest, _: Caller) -> Answer:
        """Rank creators for a brief, with reasons when asked to explain."""
        asked = _plain(request)
        answer = self._trials.rank(self._engine, asked)
        self._remember(answer, asked["brief"])
        return answer

    def search(self, request: requests.SearchRequest, _: Caller) -> Answer:
        """Search the catalogue by filters and words, page by page."""
        return self._engine.search(_plain(request))

    def similar(self, request: requests.SimilarRequest, _: Caller) -> Answer:
        """Find creators like up to five given ones."""
        return self._engine.similar(_plain(request))

    def profile(self, request: requests.CreatorIds, caller: Caller) -> Answer:
        """Creators with audience, collaborations and daily series; fraud evidence with the scope risk only."""
        return self._engine.profile(_plain(request), risk=RISK in caller.scopes)

    def fraud_score(self, request: fraud_requests.ScoreRequest, _: Caller) -> Answer:
        """The calibrated probability of fake engagement, with evidence."""
        return self._engine.fraud_score(_plain(request))

    def fraud_accounts(self, request: fraud_requests.AccountsRequest, _: Caller) -> Answer:
        """Tell fake accounts among followers and commenters, and what kind of audience each is."""
        return self._engine.fraud_accounts(_plain(request))

    def fraud_comments(self, request: fraud_requests.CommentsRequest, _: Caller) -> Answer:
        """Tell comments that are not genuine, and which of them are near-duplicates."""
        return self._engine.fraud_comments(_plain(request))

    def fraud_queue(self, request: fraud_requests.QueueRequest, _: Caller) -> Answer:
        """Who should be reviewed, by expected loss, with audits drawn by lot."""
        return self._engine.fraud_queue(_plain(request))

    def credit(self, request: requests.CreditRequest, _: Caller) -> Answer:
        """The credit score from five factors, with reasons."""
        return self._engine.credit(_plain(request))

    def credit_history(self, request: ledger_requests.HistoryRequest, _: Caller) -> Answer:
        """Every change of one creator's credit, with the event it came from, page by page."""
        whole, before = pages.pinned(_plain(request))
        return pages.page_of(self._engine.credit_history(whole), before, request.page_size)

    def credit_what_if(self, request: ledger_requests.WhatIfRequest, _: Caller) -> Answer:
        """What events that have not happened would make of one creator's credit; they must be legal."""
        rows = _frame(request.events, what_if.EVENT)
        engine = self._engine
        latest = engine.as_of
        batch = what_if.completed(rows, request.creator_id, latest)
        now = max(self._now(), latest + pd.Timedelta(microseconds=len(batch)))
        with self._store.reading() as store:
            known, stored = store.known_creators([request.creator_id]), store.events_about(batch)
        if not known:
            raise bad("creator_id", "no such creator", request.creator_id, "NOT_FOUND")
        verdict = ledger.judged(batch, stored, known, now, backfill=False)
        what_if.check(verdict)
        return engine.credit_what_if(request.creator_id, batch[verdict[ledger.STATUS] == ledger.ACCEPTED])

    def credit_assess(self, _: requests.Nothing, __: Caller) -> Answer:
        """Write what models now think of authenticity and interaction, where it has moved since the last time."""
        events = self._say(self._engine.assessments)
        return {"written": len(events), "by_factor": events[c.FACTOR].value_counts().to_dict()}

    def collaborations(self, request: ledger_requests.CollaborationsRequest, _: Caller) -> Answer:
        """How far collaborations have come: state, history, next legal steps, who must act, what is overdue."""
        return self._engine.collaborations(_plain(request), self._now())

    def models(self, _: requests.Nothing, __: Caller) -> Answer:
        """The release that is served, its versions and metrics, what is tried beside it, and what is refused."""
        refused = [*self._releases.refused, *self._trials.refused]
        return self._engine.models() | {"challenger": self._trials.told, "refused": refused}

    def reload(self, request: requests.Nothing, caller: Caller) -> Answer:
        """Serve what was promoted last, now, if it passes every check; also what was refused before."""
        if not (self._releases.look(again=True) and self._trials.look(again=True)):
            raise InputError("the store does not answer; try again in a second", code="UNAVAILABLE")
        return self.models(request, caller)

    def upsert(self, request: requests.UpsertRequest, _: Caller) -> Answer:
        """Add creators and audiences to the catalogue, or put new rows in the place of old ones."""
        creators, audience = _frame(request.creators, schema.CREATORS), _frame(request.audience, schema.AUDIENCE)
        ids = list(dict.fromkeys([*creators[c.CREATOR_ID], *audience[c.CREATOR_ID]]))
        if not ids:
            raise bad("creators", "give at least one row of creators or audience", 0)
        with self._written() as store:
            known = store.known_creators(ids)
            _check_creators(audience, known | {*creators[c.CREATOR_ID]})
            creators, audience = self._dated(creators), self._dated(audience)
            _check({"creators": creators, "audience": audience}, known, self._now())
            store.upsert(creators, audience)
        return {"results": [{"creator_id": one, "status": "UPDATED" if one in known else "CREATED"} for one in ids]}

    def delete(self, request: requests.CreatorIds, _: Caller) -> Answer:
        """Remove creators and every row about them; the ledger keeps their events, without what people wrote."""
        ids = list(dict.fromkeys(request.creator_ids))
        with self._written() as store:
            known = store.known_creators(ids)
            if not store.has_others(ids):
                raise bad("creator_ids", "would leave no creator at all; keep one", len(ids), "CONFLICT")
            store.delete(sorted(known))
        return {"results": [{"creator_id": one, "status": "DELETED" if one in known else "NOT_FOUND"} for one in ids]}

    def events(self, request: requests.EventsRequest, _: Caller) -> Answer:
        """Append events to the ledger: durable before the answer, the same event twice is one event."""
        batch = _frame(request.events, schema.COLLABORATION_EVENTS)
        return (self._backfills if request.backfill else self._live).answer(batch)

    def fraud_simulation(self, request: fraud_requests.SimulateRequest, _: Caller) -> Answer:
        """What another policy would have done: alerts, precision where labels exist, money held, month by month."""
        return self._engine.fraud_simulation(_plain(request))

    def fraud_labels(self, request: fraud_requests.LabelsRequest, _: Caller) -> Answer:
        """Tell what reviews found: label and ledger event in one transaction, the same label twice is one."""
        batch = _frame(request.labels, schema.FRAUD_LABELS)
        with self._written() as store:
            now = self._now()
            creators = store.known_creators(list(batch[c.CREATOR_ID].dropna().unique()))
            known = store.labels_about(batch)
            verdict = labels.judged(batch, known, creators, now)
            new = verdict[verdict[ledger.STATUS] == ledger.ACCEPTED]
            events = labels.ledger_events(new, store.events_about(labels.asked(new)), known, now)
            fates = ledger.judged(events, store.events_about(events), creators, now, backfill=False)
            verdict, events = labels.settled(verdict, events, fates)
            store.append_labels(verdict[verdict[ledger.STATUS] == ledger.ACCEPTED], events)
        return _counted(labels.results(verdict, events))

    def feedback(self, request: requests.FeedbackRequest, _: Caller) -> Answer:
        """Tell what of a ranking was shown and what came of it, to learn from: the same item twice is one."""
        self._remembering.await_stored(request.ranking_id)
        with self._store.writing() as store:
            ranking = store.ranking(request.ranking_id)
            if ranking is None:
                raise bad("ranking_id", "no such ranking was answered here", request.ranking_id, "NOT_FOUND")
            brief = schema.conform(pd.DataFrame([json.loads(ranking.brief)]), schema.BRIEFS)
            batch = feedback.impressions(_frame(request.items, schema.IMPRESSIONS), ranking, brief)
            creators = store.known_creators(list(batch[c.CREATOR_ID].unique()))
            found = feedback.judged(batch, store.impressions_of(ranking.ranking_id), creators, self._now())
            if len(found.impressions):
                first = min(ranking.ranked_at, found.impressions[c.SHOWN_AT].min())
                store.write_feedback(brief.fillna({c.CREATED_AT: first}), found.impressions)
        return _counted(found.results)

    @contextmanager
    def _written(self) -> Iterator[Writing]:
        """A write to what the catalogue is made of, which knows of it when this ends."""
        with self._store.writing() as store:
            yield store
        self._follower.follow()

    def announce_policy(self) -> None:
        """Writes the change to the credit policy that is served into the ledger, where another one was before."""
        self._say(self._engine.policy_changes)

    def _say(self, made: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Appends what the system itself says, made when everything written before is known and nobody else writes."""
        with self._written() as store:
            self._follower.follow()
            events = made()
            store.append_events(events)
        return events

    def _append(self, backfill: bool, batches: Sequence[pd.DataFrame]) -> list[Answer]:
        """Judges the batches of requests that wait together as one, and answers each."""
        batch = pd.concat(batches, ignore_index=True)
        with self._written() as store:
            creators = store.known_creators(list(batch[c.CREATOR_ID].unique()))
            now = self._now()
            verdict = ledger.judged(batch, store.events_about(batch), creators, now, backfill)
            new = batch[verdict[ledger.STATUS] == ledger.ACCEPTED]
            store.append_events(new.assign(**{c.RECEIVED_AT: new[c.RECEIVED_AT].fillna(now)}))
        rows, ends = verdict.to_dict("records"), list(accumulate(map(len, batches)))
        return [_counted(rows[start:end]) for start, end in pairwise([0, *ends])]

    def _remember(self, answer: Answer, brief: Mapping[str, Any]) -> None:
        """Keeps a ranking's brief, under the ranking's own id where it has none, for the feedback that may come, and
        tells the log what the ranking was made from."""
        ranking_id, release, now = answer["ranking_id"], answer["models"]["release"], self._now()
        given = {c.BRIEF_ID: ranking_id, **brief}
        self._remembering.keep(Ranking(ranking_id, json.dumps(given, ensure_ascii=False), release, now))
        experiment = answer.get("experiment") or {}
        facts = {
            c.RANKING_ID: ranking_id, RANKED_AT: now, c.POLICY_VERSION: release, EXPERIMENT: experiment.get("name"),
            ARM: experiment.get("arm"),
        }  # fmt: skip
        if considered := noted("considered"):
            facts |= {name: given.get(name) for name in (c.BRIEF_ID, c.BRAND_ID)}
            self._rankings.tell(considered, facts)

    def _dated(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows with a missing ``observed_at`` just after everything known, so that they are the latest."""
        return rows.assign(**{c.OBSERVED_AT: rows[c.OBSERVED_AT].fillna(self._next())})

    def _now(self) -> pd.Timestamp:
        """Nothing can have happened later: the clock, or the end of the data where they reach beyond it."""
        return max(self._next(), self._clock.now())

    def _next(self) -> pd.Timestamp:
        return self._engine.as_of + pd.Timedelta(microseconds=1)


def _check_creators(audience: pd.DataFrame, known: Set[str]) -> None:
    for row, creator_id in enumerate(audience[c.CREATOR_ID]):
        if creator_id not in known:
            raise bad(f"audience.{row}.creator_id", "no such creator; add it to creators", creator_id)


def _check(rows: schema.Tables, known: Set[str], now: pd.Timestamp) -> None:
    """InputError for everything in new rows that breaks the contract, beside the creators ``known`` already."""
    others = pd.DataFrame({c.CREATOR_ID: sorted(known - set(rows["creators"][c.CREATOR_ID]))})
    creators = pd.concat([rows["creators"], schema.conform(others, schema.CREATORS)], ignore_index=True)
    found = violations({**rows, "creators": creators}, now)
    if found:
        details = [
            Detail(
                field=".".join(str(part) for part in (one.table, one.row, one.column) if part is not None),
                problem=f"{one.problem}; {one.remedy}",
                value=one.value,
            )
            for one in found
        ]
        raise InputError(f"{details[0]['field']}: {details[0]['problem']}", details)


def _counted(results: list[dict[str, Any]]) -> Answer:
    """How many results had each fate, and the results."""
    counts = Counter(result["status"] for result in results)
    return {name: counts[status] for name, status in FATES.items()} | {"results": results}


def _plain(request: Body) -> Answer:
    """What the caller sent, as JSON values: the dict that the command line hands to the engine too."""
    return request.model_dump(mode="json", exclude_unset=True, exclude_none=True)


def _frame(rows: Sequence[Body], table: schema.Table) -> pd.DataFrame:
    return schema.conform(pd.DataFrame([row.model_dump() for row in rows], columns=[*table.names]), table)
