"""An evaluation in sentences: what came out, and what it cannot say."""

from collections.abc import Iterator, Mapping
from typing import Any

from training.evaluation.cases import COLLABORATIONS, IMPRESSIONS, TRUTH
from training.evaluation.matching import rivals
from training.evaluation.reading import BM25, CHAMPION, COSINE, ORACLE, RANKED, RETRIEVER

Report = Mapping[str, Any]
NAMES = {
    RANKED: "this ranking",
    CHAMPION: "the previous champion",
    "followers_count": "popularity (followers)",
    "label_overlap": "tag overlap",
    BM25: "BM25 (words)",
    "lexical_cosine": "TF-IDF cosine (words)",
    COSINE: "cosine of raw embeddings",
    ORACLE: "oracle (knows the truth)",
    RETRIEVER: "the first stage",
}
RELEVANCE = {
    TRUTH: "The data are simulated and their truth is known: a creator is worth the grade the brand would have given "
    "after a look, and every creator who may be offered counts.",
    IMPRESSIONS: "A creator is worth what the brand did when shown the creator. Methods re-order those who were shown, "
    "so whoever the logging policy hid, however good, cannot count, and its order colours what brands saw.",
    COLLABORATIONS: "There is no log of what was shown, so a creator is worth what came of the hiring, and whoever was "
    "not hired counts as nothing, though many would have done well. All figures are too low; compare, do not read off.",
}


def summary(report: Report) -> list[str]:
    """The report's main findings, a sentence each."""
    return [*_matching(report), *_success(report), *_off_policy(report), *_fraud(report)]


def said(interval: Mapping[str, float], sign: bool = False) -> str:
    """``.243 (.231 to .255)`` of an interval, with a sign for a difference."""
    form = "{:+.3f}" if sign else "{:.3f}"
    mean, low, high = (form.format(interval[name]) for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def percent(share: float) -> str:
    """A share as per cent."""
    return f"{share:.0%}".replace("%", " %")


def _matching(report: Report) -> Iterator[str]:
    found = report.get("matching")
    if not found:
        return
    ranking, lead = found["ranking"], found["lead"]
    best = max((name for name in rivals(ranking) if name != CHAMPION), key=lambda name: ranking[name]["ndcg10"]["mean"])
    yield (
        f"On {found['briefs']} briefs that came after everything the models have seen, the first ten creators earn "
        f"{said(ranking[RANKED]['ndcg10'])} of the best possible value (NDCG@10, 95 % interval over briefs). "
        f"{_compared(NAMES[best], ranking[best]['ndcg10'], lead[best], 'The best simple method')}"
    )
    if found["share_of_oracle"]:
        share = found["share_of_oracle"]
        yield (
            f"That is {percent(share['mean'])} ({percent(share['low'])} to {percent(share['high'])}) of what an oracle "
            "that knows every creator's true usefulness would earn."
        )
    if CHAMPION in ranking:
        yield _compared(NAMES[CHAMPION], ranking[CHAMPION]["ndcg10"], lead[CHAMPION], "For comparison")
    else:
        yield f"There is no previous champion to compare with: {report['subject']['no_previous_champion']}."
    deepest = list(found["retriever"][RETRIEVER])[-1]
    first, cosine = (found["retriever"][name][deepest]["mean"] for name in (RETRIEVER, COSINE))
    yield (
        f"The first stage finds {percent(first)} of the relevant creators among its first {deepest} of, on average, "
        f"{found['eligible']:.0f} who may be offered; the raw embeddings alone find {percent(cosine)}."
    )
    exposure = found["exposure"][RANKED]
    yield (
        f"Over these briefs {percent(exposure['coverage'])} of all eligible creators reach somebody's first ten "
        f"(Gini of exposure {exposure['gini']:.2f}; 0 is an equal share for all, 1 all for one)."
    )
    if new := found["slices"]["experience"].get("new"):
        yield (
            f"Creators with little or no history get {percent(new['of_places'])} of the first ten places and are "
            f"{percent(new['of_candidates'])} of the candidates."
        )


def _compared(name: str, value: Mapping[str, float], lead: Mapping[str, float], start: str) -> str:
    verdict = "better" if lead["low"] > 0 else "worse" if lead["high"] < 0 else "not distinguishable"
    return f"{start}, {name}, earns {value['mean']:.3f}: the difference is {said(lead, True)}, {verdict}."


def _success(report: Report) -> Iterator[str]:
    found = report.get("success")
    if not found:
        return
    if "refused" in found:
        yield f"Whether success probabilities hold could not be measured: {found['refused']}."
        return
    lead = found["log_loss_lead"]
    gain = "better than" if lead["low"] > 0 else "worse than" if lead["high"] < 0 else "not distinguishable from"
    kind = "later invitations" if found["how"] == "later" else "invitations, out of fold,"
    yield (
        f"Of {found['invitations']} {kind} {percent(found['came_true']['mean'])} succeeded where the model said "
        f"{percent(found['told']['mean'])}; a stated probability is off by {found['ece']:.3f} on average (ECE; one "
        f"that is right would be by {found['ece_by_chance']:.3f}, by chance), and by log-loss the model is {gain} "
        "always saying the mean."
    )


def _off_policy(report: Report) -> Iterator[str]:
    found = report.get("off_policy")
    if not found:
        return
    reason = found.get("refused")
    if isinstance(reason, str):
        yield f"What re-ordering the logged lists would have brought could not be estimated: {reason}."
    elif RANKED in found["policies"]:
        one = found["policies"][RANKED]
        yield (
            f"Had it ordered the lists of the log, brands would have wanted {said(one['doubly_robust'])} creators per "
            f"brief (doubly robust) where they wanted {one['logged']['mean']:.3f}; the evidence amounts to "
            f"{one['effective_sample_size']:.0f} impressions."
        )
    else:
        yield f"The log cannot say what its order would have brought: {reason[RANKED]}." if reason else ""


def _fraud(report: Report) -> Iterator[str]:
    found = report.get("fraud")
    if not found:
        return
    if "refused" in found:
        yield f"Fraud could not be measured on later months: {found['refused']}."
        return
    model = found["model"]
    rule = max(found["rules"], key=lambda name: found["rules"][name]["pr_auc"])
    by = "the truth" if found["known_from"] == "truth" else "later reviews, which mostly look at suspects"
    dates = ", ".join(found["measured_on"])
    yield (
        f"Fraud in the 90 days before {dates}, judged by {by}: PR-AUC "
        f"{said(model['pr_auc_interval'])}, the best single rule ({rule}) {found['rules'][rule]['pr_auc']:.3f}, "
        f"guessing {model['prevalence']:.3f}."
    )


def limits(report: Report) -> list[str]:
    """What the report does not say, and how it was measured."""
    return [one for one in _limits(report) if one]


def _limits(report: Report) -> Iterator[str]:
    data, split = report["data"], report["split"]
    yield (
        f"Split by time: the models know what was known on {split['trained_until'][:10]}, outcomes included; later "
        "outcomes were still open for them. Every brief is answered from the catalogue at the start of its week."
    )
    yield RELEVANCE[data["relevance"]]
    if data["relevance"] != TRUTH:
        yield (
            f"Label delay: {split['too_young']} briefs less than {split['answered_after_days']} days old when the data "
            "end are left out, because nobody knows yet what their brands wanted. Whoever is still at work counts as "
            "accepted (grade 3 of 4)."
        )
    yield (
        "A success probability is held against invitations at least 90 days old when the data end: younger ones may "
        "still be completed."
    )
    if report.get("success", {}).get("how") == "out of fold":
        yield f"Success was measured out of fold by brief, not on later data, because {report['success']['why']}."
    yield (
        "A brief that got nothing counts as zero. Intervals are 95 % percentile bootstraps over briefs (fraud: over "
        "creators); they say how sure the mean is on data like these, not on another market."
    )
    if report.get("matching", {}).get("wanting_nobody"):
        yield f"{report['matching']['wanting_nobody']} briefs wanted nobody and are zero for every method."
    yield (
        "Off-policy estimates hold for re-ordering those who were shown, within the blocks that the log shuffled, and "
        "assume that an outcome depends on the creator and its own place only."
    )
    if data["static"]:
        yield "Snapshots have no dates, so past followers, prices and audiences are unknown: popularity says nothing."
    yield from (f"{note[:1].upper()}{note[1:]}." for note in report["subject"]["notes"])
    if report.get("fraud", {}).get("known_from") == "reviews":
        yield "Fraud figures are of reviewed creators only; most reviews look at suspects, so that fraud looks common."
