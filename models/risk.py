"""What a risk team asks: whom to review next, what another policy would have done, what a risk score means."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.fraud.history import Dossier
from features.fraud_labels import creator_labels
from features.source import Rows
from models.catalogue import Catalogue
from models.fraud import FraudModel
from models.fraud_history import PastScores
from models.fraud_policy import FraudPolicy
from models.policy_simulation import Past, simulation

QUEUE_LENGTH = 20
SCORES = (0, 250, 500, 750, 900, 950, 980, 990, 995, 1000)
SHOWN = (
    "creator_id fraud_probability risk_score compared_with risk_level recommended_action reason_codes "
    "innocent_explanations".split()
)


def queue(
    catalogue: Catalogue,
    dossier_of: Callable[[pd.Index], AbstractContextManager[Dossier]],
    model: FraudModel,
    version: str,
    request: Mapping[str, Any],
) -> dict[str, Any]:
    """/v1/fraud/queue: who should be reviewed, by expected loss = probability × money at risk (:mod:`models.stake`).

    Suspects are those whom the policy does not simply allow. Audits are drawn by lot from everyone who has a score, so
    that labels of them are an unbiased sample: the policy's share of the queue, at least one, but a queue of one is the
    first suspect. The lots are those of the day on which the data end. Nobody is in it who was reviewed lately. Unknown
    money comes last, by probability. ``dossier_of`` gives what evidence of some creators is made from.
    """
    model, limit = _with_policy(model, request), request.get("limit", QUEUE_LENGTH)
    waiting = _waiting(catalogue, model)
    suspects = waiting[model.policy.alerts(waiting["risk_score"].to_numpy())]
    audits = waiting.nsmallest(audits_among(len(suspects), limit, model.policy.audit_share), "lot")
    queued = suspects.drop(audits.index, errors="ignore").head(limit - len(audits))
    reason = pd.Series("QUEUE", index=queued.index), pd.Series("RANDOM", index=audits.index)
    propensity = {"QUEUE": 1.0, "RANDOM": len(audits) / max(len(waiting), 1)}
    chosen = pd.concat([queued, audits]).assign(reason=pd.concat(reason)).loc[lambda rows: _order(rows)]
    with dossier_of(chosen.index) as dossier:
        answers = model.answers(catalogue.of(lambda part: part.fraud, list(chosen.index)), version, dossier)
    results = [
        {name: answer[name] for name in SHOWN}
        | {"money_at_risk": _money(row.money_at_risk), "expected_loss": _money(row.expected_loss)}
        | {"reason": row.reason, "propensity": propensity[row.reason]}
        for answer, row in zip(answers, chosen.itertuples(), strict=True)
    ]
    return {
        "results": results,
        "suspects": len(suspects),
        "unreviewed": len(waiting),
        "model_version": version,
        "policy_version": model.policy.version,
        "data_as_of": catalogue.as_of.isoformat(),
    }


def simulate(
    catalogue: Catalogue, rows: Rows, model: FraudModel, past: PastScores, version: str, request: Mapping[str, Any]
) -> dict[str, Any]:
    """/v1/fraud/policies/simulate: see :mod:`models.policy_simulation`."""
    policy = _with_policy(model, request).policy
    end = catalogue.latest
    ledger = {name: rows.table(name) for name in ("collaboration_events", "exchange_rates")}
    labels = creator_labels(ledger | {"fraud_labels": rows.table("fraud_labels")}, end)
    versions = {"model_version": version, "policy_version": policy.version, "data_as_of": catalogue.as_of.isoformat()}
    return (
        simulation(
            Past(past.of_creators(catalogue.everyone(lambda part: part.state.frame).index), labels, ledger, end),
            policy,
            request,
        )
        | versions
    )


def risk_table(model: FraudModel) -> list[dict[str, Any]]:
    """What risk scores mean: a creator reaches the score with a probability above ``fraud_probability``, as a share of
    ``false_positive_rate`` of the innocent alike (``compared_with``: :mod:`models.risk_scale`) did when the model was
    trained; and what the policy does then."""
    scores = sorted({*SCORES, *(level.min_risk_score for level in model.policy.levels)})
    return [_risk_row(model, kind, score) for kind in model.scale.innocent for score in scores]


def _risk_row(model: FraudModel, kind: str, score: int) -> dict[str, Any]:
    """The innocent have as many values below the least probability with a score as the score says."""
    innocent, level = model.scale.innocent[kind], model.policy.level(score)
    below = next(count for count in range(len(innocent) + 1) if round(1000 * count / len(innocent)) >= score)
    probability = float(innocent[below - 1]) if below else 0.0
    above = int((innocent > probability).sum()) if below else len(innocent)
    return {
        "compared_with": kind,
        "risk_score": score,
        "fraud_probability": probability,
        "false_positive_rate": round(above / len(innocent), 4),
        "risk_level": level.risk_level,
        "recommended_action": level.recommended_action,
    }


def audits_among(suspects: int, limit: int, share: float) -> int:
    """How many of a queue for so many suspects, at most ``limit`` long, are audits, ``share`` of it."""
    if limit == 1 and suspects:
        return 0
    longest = suspects + round(suspects * share / (1 - share))
    return max(1, round(share * min(limit, longest)))


def _with_policy(model: FraudModel, request: Mapping[str, Any]) -> FraudModel:
    changed = request.get("policy")
    return replace(model, policy=model.policy.changed(changed["levels"])) if changed else model


def _waiting(catalogue: Catalogue, model: FraudModel) -> pd.DataFrame:
    """Everyone with a score whom nobody has reviewed lately, in the order of the queue: probability, risk_score, money,
    and the ``lot`` of this day."""
    features = catalogue.everyone(lambda part: part.fraud)
    probability = model.predict(features).sort_index()
    money = catalogue.everyone(lambda part: part.dealings)["money_at_risk"].reindex(probability.index)
    everyone = pd.DataFrame(
        {
            "probability": probability,
            "risk_score": model.risk_scores(probability, features.loc[probability.index]),
            "money_at_risk": money,
            "expected_loss": probability * money,
            "lot": _lots(probability.index, catalogue.latest.toordinal()),
        }
    )
    waiting = everyone[probability.notna() & ~everyone.index.isin(_reviewed(catalogue, model.policy))]
    return waiting.loc[_order(waiting)]


def _lots(creator_ids: pd.Index, day: int) -> npt.NDArray[np.uint64]:
    """A lot for each creator, whoever else there is: new creators leave the draws of the day as they are."""
    return pd.util.hash_array((str(day) + "/" + creator_ids).to_numpy("object"), categorize=False)


def _order(rows: pd.DataFrame) -> pd.Index:
    """By expected loss, then probability, then id."""
    by_id = rows.sort_index()
    return by_id.sort_values(["expected_loss", "probability"], ascending=False, kind="stable").index


def _reviewed(catalogue: Catalogue, policy: FraudPolicy) -> pd.Index:
    """The creators of whom a label became known lately."""
    reviewed_at = catalogue.everyone(lambda part: part.dealings)["reviewed_at"]
    return reviewed_at.index[reviewed_at > catalogue.latest - policy.reviewed]


def _money(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 2)
