"""What a policy would have done: its thresholds on the scores of the past, judged by what became known since."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import pandas as pd

from features import columns as c
from features.asof import known
from features.errors import bad
from features.fraud_labels import speaking_labels
from features.money import latest_rates
from features.schema import Tables
from models.fraud_history import PastScores
from models.fraud_policy import FraudPolicy
from models.stake import agreed_amounts, open_money

MONTH = pd.Timedelta(days=30)


@dataclass(frozen=True)
class Outcome:
    """Of a policy over some days.

    An alert was right (``confirmed``) or wrong (``cleared``) by a label that became known later and speaks of its date,
    else ``unknown``. Money is what was open at the time of the alert, in US dollars; ``money_unknown`` counts alerts
    whose open collaborations cannot be valued.
    """

    days: float = 0.0
    decisions: int = 0
    alerts: int = 0
    confirmed: int = 0
    cleared: int = 0
    unknown: int = 0
    money_held: float = 0.0
    money_held_confirmed: float = 0.0
    money_held_cleared: float = 0.0
    money_unknown: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        """Both, one after the other."""
        return Outcome(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    def answer(self) -> dict[str, Any]:
        """The counts, with alerts a day and the precision of the alerts that a label judges (None without any)."""
        judged = self.confirmed + self.cleared
        rates = {
            "alerts_per_day": round(self.alerts / self.days, 3),
            "precision": round(self.confirmed / judged, 4) if judged else None,
        }
        return {name: round(value, 2) for name, value in asdict(self).items()} | rates


@dataclass(frozen=True)
class Past:
    """What is known now of a time: scores, labels (:func:`features.fraud_labels.creator_labels`), ledger and exchange
    rates, until ``end``."""

    scores: PastScores
    labels: pd.DataFrame
    ledger: Tables
    end: pd.Timestamp

    @property
    def covered(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """From the first scores to a month after the last, or to the end of the data; the end is not included."""
        return self.scores.dates[0], min(self.scores.dates[-1] + MONTH, self.end)

    def open_money(self, date: pd.Timestamp) -> pd.Series:
        """creator_id → amounts of the collaborations that were open at ``date``, as the ledger was known then."""
        seen = known(self.ledger, date, self.end)
        events = seen["collaboration_events"]
        agreed = agreed_amounts(events, latest_rates(seen["exchange_rates"], date))
        return open_money(events, agreed, pd.Series(dtype="float64"))


def outcomes(
    past: Past, policy: FraudPolicy, start: pd.Timestamp, stop: pd.Timestamp
) -> Iterator[tuple[pd.Timestamp, pd.Timestamp, Outcome]]:
    """The first day, the last (not included) and the outcome of each month whose scores are of a date in [start, stop).

    A creator is alerted once until it is reviewed, and not in the 90 days after a review, as in the queue.
    """
    dates = [date for date in past.scores.dates if start <= date < stop]
    alerted = pd.Series(dtype="datetime64[us]")
    for date, end in zip(dates, [*dates, min(stop, past.covered[1])][1:], strict=True):
        scores = past.scores.at(date)
        flagged = scores.index[policy.alerts(scores["risk_score"].to_numpy())]
        alerts = flagged.difference(_resting(past.labels, alerted, date, policy))
        alerted = pd.concat([alerted.drop(alerts, errors="ignore"), pd.Series(date, index=alerts)])
        yield date, end, _outcome(past, alerts, date, end, len(scores))


def _resting(labels: pd.DataFrame, alerted: pd.Series, date: pd.Timestamp, policy: FraudPolicy) -> pd.Index:
    """Who was reviewed lately at ``date``, and whose alert nobody has reviewed yet."""
    seen = labels[labels[c.KNOWN_AT] <= date]
    last = seen.groupby(c.CREATOR_ID)[c.KNOWN_AT].max()
    reviewed = last.index[last > date - policy.reviewed]
    waiting = alerted.index[~(last.reindex(alerted.index) > alerted).to_numpy()]
    return reviewed.union(waiting)


def _outcome(past: Past, alerts: pd.Index, date: pd.Timestamp, end: pd.Timestamp, decisions: int) -> Outcome:
    later = past.labels[past.labels[c.KNOWN_AT] > date]
    found = speaking_labels(later, date, past.end)[c.IS_FAKE].reindex(alerts)
    open_now = past.open_money(date)
    money = open_now.reindex(alerts)
    return Outcome(
        days=(end - date) / pd.Timedelta(days=1),
        decisions=decisions,
        alerts=len(alerts),
        confirmed=int((found == 1).sum()),
        cleared=int((found == 0).sum()),
        unknown=int(found.isna().sum()),
        money_held=float(money.sum()),
        money_held_confirmed=float(money[found == 1].sum()),
        money_held_cleared=float(money[found == 0].sum()),
        money_unknown=int(open_now[open_now.isna()].index.isin(alerts).sum()),
    )


def simulation(past: Past, policy: FraudPolicy, request: Mapping[str, Any]) -> dict[str, Any]:
    """``results`` month by month, ``total``, and what is ``covered``. Raises InputError for days that are not."""
    first, last = past.covered
    start, stop = pd.Timestamp(request.get("from", first)), pd.Timestamp(request.get("to", last))
    if not first <= start < stop <= last:
        spoken = f"must be from {_iso(first)} to {_iso(last)}, where there are scores of the past, and not empty"
        raise bad("from", spoken, f"{_iso(start)} to {_iso(stop)}")
    months = list(outcomes(past, policy, start, stop))
    if not months:
        dates = ", ".join(map(_iso, past.scores.dates))
        raise bad("from", f"no decision fell into these days; they fell on {dates}", f"{_iso(start)} to {_iso(stop)}")
    return {
        "results": [{"from": _iso(day), "to": _iso(end)} | outcome.answer() for day, end, outcome in months],
        "total": sum((outcome for _, _, outcome in months), Outcome()).answer(),
        "covered": {"from": _iso(first), "to": _iso(last)},
    }


def _iso(moment: pd.Timestamp) -> str:
    return moment.isoformat()
