"""The report of an evaluation: one folder with report.json, plots as PNG and a page of HTML that needs nothing else."""

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features import columns as c
from features.asof import data_as_of, is_static
from features.errors import bad
from features.schema import Tables, complete
from training.evaluation.briefs import Found, measured
from training.evaluation.cases import ANSWERED, Evidence, evidence, read_truth
from training.evaluation.fraud import Truth, fraud_figures
from training.evaluation.matching import matching_figures
from training.evaluation.offpolicy import offpolicy_figures
from training.evaluation.page import page
from training.evaluation.plots import plots
from training.evaluation.subject import FRAUD, MATCHING, SEED, SUCCESS, Subject, refitted, registered
from training.evaluation.success import later_rows, out_of_fold_rows, success_figures
from training.evaluation.words import limits, summary

EVALUATIONS = "evaluations"
LEAST = 20  # later briefs; fewer give intervals that say nothing
ENOUGH = f"an evaluation needs at least {LEAST} briefs that are {ANSWERED.days} days old when the data end"
Report = dict[str, Any]


def evaluate(source: str, tables: Tables, home: Path, model: str | None = None) -> Path:
    """Measures on ``tables``, read from ``source``, and writes the report into a new folder under ``home``.

    Without ``model`` all models are trained on the past of a cut and measured on what came after. ``model``,
    NAME@ALIAS, is a release of ``home`` (or what one model of it says) on what came after the data it was trained on.
    Raises InputError where too little came after.
    """
    tables, truth = complete(tables), read_truth(source)
    known = evidence(tables, None if truth is None else truth["utility"])
    subject = _retrained(tables, known, home) if model is None else _released(model, known, home)
    about = {
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": _data(source, tables, known),
        "subject": _subject(subject),
        "split": _split(known, subject, data_as_of(tables)),
    }
    report = _plain(about | figures(tables, truth, known, subject))
    return _written(report | {"summary": summary(report), "limits": limits(report)}, home)


def _retrained(tables: Tables, known: Evidence, home: Path) -> Subject:
    later = len(known.after(known.cut)) if known.cases else 0
    if later < LEAST:
        raise bad("briefs", f"{ENOUGH} among the last 30 % of those with impressions or collaborations", later)
    return refitted(tables, known, home)


def _released(model: str, known: Evidence, home: Path) -> Subject:
    subject = registered(model, home)
    later = len(known.after(subject.until))
    if later < LEAST and subject.part != FRAUD:
        remedy = "give later data, or leave --model out to have models trained on the past of these"
        raise bad(
            "--model", f"{subject.name} learned from data until {subject.until}; {ENOUGH}, later; {remedy}", later
        )
    return subject


def figures(tables: Tables, truth: Truth | None, known: Evidence, subject: Subject) -> Report:
    """What there is to say of ``subject``: ``matching`` and ``off_policy``, ``success``, ``fraud``. A part that the
    data do not allow is ``refused`` with the reason; InputError where it alone was asked for."""
    rng, end = np.random.default_rng(SEED), data_as_of(tables)
    found, report = Found(), Report()
    if subject.answers(*MATCHING, SUCCESS):
        found = measured(tables, known.after(subject.until), subject.bundle, subject.bank, subject.rival)
    if subject.answers(*MATCHING):
        report["matching"] = matching_figures(found, rng)
        report["off_policy"] = _attempt(lambda: offpolicy_figures(pd.DataFrame(found.shown), end, rng))
    if subject.answers(SUCCESS):
        report["success"] = _attempt(lambda: _success(tables, subject, found, rng))
    if subject.answers(FRAUD):
        report["fraud"] = _attempt(lambda: _fraud(tables, truth, subject, rng))
    if reason := report.get(subject.part, {}).get("refused"):
        raise bad("--model", f"{subject.part} cannot be measured: {reason}", subject.name)
    return report


def _data(source: str, tables: Tables, known: Evidence) -> Report:
    return {
        "name": Path(source).name if "://" not in source else source.rpartition("@")[2].rpartition("/")[2],
        "creators": int(tables["creators"][c.CREATOR_ID].nunique()),
        "briefs": len(tables["briefs"]),
        "impressions": len(tables["impressions"]),
        "static": is_static(tables),
        "relevance": known.source,
    }


def _subject(subject: Subject) -> Report:
    return {
        "name": subject.name,
        "part": subject.part,
        "versions": subject.bundle.versions,
        "notes": subject.notes,
        "previous_champion": None if subject.rival is None else subject.rival.versions["release"],
        "no_previous_champion": subject.no_rival,
    }


def _split(known: Evidence, subject: Subject, end: pd.Timestamp) -> Report:
    later = known.after(subject.until)
    return {
        "trained_until": subject.until.isoformat(),
        "first_brief": later[0].as_of.isoformat() if later else None,
        "last_brief": later[-1].as_of.isoformat() if later else None,
        "briefs": len(later),
        "too_young": known.young,
        "answered_after_days": ANSWERED.days,
        "data_as_of": end.isoformat(),
    }


def _success(tables: Tables, subject: Subject, found: Found, rng: np.random.Generator) -> Report:
    """On later invitations; where those are too few and models were trained anew, out of fold."""
    if subject.bundle.success is None and subject.bundle.versions["release"] is not None:
        raise ValueError("the release has no success model")
    try:
        return success_figures(later_rows(found.invited, data_as_of(tables)), rng) | {"how": "later"}
    except ValueError as error:
        if subject.bundle.versions["release"] is not None:
            raise
        rows = out_of_fold_rows(tables, subject.bank)
        return success_figures(rows, rng) | {"how": "out of fold", "why": str(error)}


def _fraud(tables: Tables, truth: Truth | None, subject: Subject, rng: np.random.Generator) -> Report:
    if subject.bundle.fraud is None:
        raise ValueError(next((note for note in subject.notes if note.startswith(FRAUD)), "the release has none"))
    return fraud_figures(subject.bundle.fraud, tables, truth, subject.until, rng)


def _attempt(measure: Callable[[], Report]) -> Report:
    """What ``measure`` answers; where its ValueError says that the data do not allow it, that as ``refused``."""
    try:
        return measure()
    except ValueError as error:
        return {"refused": str(error)}


def _written(report: Report, home: Path) -> Path:
    folder = home / EVALUATIONS / report["created_at"].replace(":", "").removesuffix("+0000")
    folder.mkdir(parents=True, exist_ok=True)
    images = plots(report)
    for name, image in images.items():
        (folder / f"{name}.png").write_bytes(image)
    (folder / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False), "utf-8")
    (folder / "report.html").write_text(page(report, images), "utf-8")
    return folder


def _plain(value: Any) -> Any:
    """Only what JSON knows; a number that is none is null."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
