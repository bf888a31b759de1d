"""Answers on single accounts and comments, and on who a creator's audience is, from models that may not be there."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from features import columns as c
from features.accounts import account_features
from features.bank import TextBank
from features.comments import Comments
from features.errors import InputError
from features.schema import ACCOUNTS, ENGAGEMENTS, Table, Tables, conform
from features.tables import coerce
from models.accounts import AccountModel
from models.audience_types import audience_type, audience_types
from models.comments import CommentModel

T = TypeVar("T")


def trained(model: T | None, name: str) -> T:
    """The model. Raises InputError (UNAVAILABLE) where the release has none."""
    if model is None:
        raise InputError(f"{name}: this release has no such model; its data held too few labels", code="UNAVAILABLE")
    return model


def accounts_answer(model: AccountModel, request: Mapping[str, Any], as_of: pd.Timestamp) -> dict[str, Any]:
    """/v1/fraud/accounts: ``results`` in order, and ``correction``: of which share of fakes the probabilities speak.

    A ``base_rate`` is believed unless the accounts, taken together, are no mixture of those of training.
    """
    rows = _rows(request["accounts"], ACCOUNTS)
    features = account_features(rows, as_of)
    probabilities, verdict = model.predict(features), model.verdict(features)
    wanted = request.get("base_rate")
    base_rate = model.shift.base_rate if wanted is None or verdict.shifted else float(wanted)
    probabilities[:] = model.shift.at(probabilities.to_numpy(), base_rate)
    columns = (rows[c.ACCOUNT_ID], probabilities, audience_type(rows, probabilities), model.explain(features))
    results = [
        {"account_id": account_id, "fake_probability": _number(probability), "audience_type": kind}
        | {"reason_codes": [] if kind is None else codes}
        for account_id, probability, kind, codes in zip(*columns, strict=True)
    ]
    correction = {
        "base_rate": base_rate,
        "trained_base_rate": model.shift.base_rate,
        "estimated_base_rate": verdict.estimated,
        "refused": bool(verdict.shifted),
        "statement": verdict.statement,
    }
    return {"results": results, "correction": correction}


def comments_answer(model: CommentModel, request: Mapping[str, Any], bank: TextBank) -> dict[str, Any]:
    """/v1/fraud/comments: ``results`` in order; comments of one ``cluster`` (null: none) are near-duplicates."""
    comments = Comments(_rows(request["comments"], ENGAGEMENTS))
    inputs = model.inputs(comments, bank)
    columns = (model.predict(inputs), comments.clusters.tolist(), model.explain(inputs))
    results = [
        {"fake_probability": _number(probability), "cluster": None if cluster < 0 else cluster}
        | {"reason_codes": [] if np.isnan(probability) else codes}
        for probability, cluster, codes in zip(*columns, strict=True)
    ]
    return {"results": results}


def audience_answer(
    model: AccountModel | None, tables: Tables, as_of: pd.Timestamp, ids: Sequence[str]
) -> list[dict[str, Any] | None]:
    """For each creator the types of the accounts that engaged: share, interval, number; None where none are known."""
    if model is None:
        return [None] * len(ids)
    theirs = tables["engagements"]
    theirs = theirs[theirs[c.CREATOR_ID].isin(ids)]
    found = dict(iter(audience_types(model, theirs, tables["accounts"], as_of).groupby(c.CREATOR_ID)))
    return [_types(found[one]) if one in found else None for one in ids]


def _types(table: pd.DataFrame) -> dict[str, Any]:
    shares = table.set_index("type")[["share", "low", "high"]].round(4).to_dict("index")
    return {"accounts": int(table["accounts"].iloc[0]), "types": shares}


def _rows(rows: Sequence[Mapping[str, Any]], table: Table) -> pd.DataFrame:
    return conform(coerce(pd.DataFrame(rows), table), table)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
