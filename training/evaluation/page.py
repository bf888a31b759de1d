"""An evaluation as one page of HTML: a summary in sentences, tables, plots, method and limits. It loads nothing."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from training.evaluation.reading import RANKED, RETRIEVER
from training.evaluation.words import NAMES, percent, said

Report = Mapping[str, Any]
Cell = str | Mapping[str, float]
LEAST = 50  # innocent creator-months of a group; fewer rates say nothing
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #22272b; max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem }
h1 { font-size: 1.7rem; margin-bottom: .2rem }
h2 { font-size: 1.25rem; margin-top: 2.4rem; border-top: 1px solid #d9dfe5; padding-top: 1.2rem }
li { margin: .35rem 0 }
.about, caption, figcaption { color: #59636c }
.summary { background: #f1f5f9; border-left: 4px solid #1f5fa8; padding: .4rem .8rem }
table { border-collapse: collapse; width: 100%; font-size: .88rem; margin: .4rem 0 1.6rem }
caption { text-align: left; padding-bottom: .3rem }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top }
th { vertical-align: bottom }
th { font-weight: 600; border-bottom: 2px solid #c3ccd4 }
td { border-bottom: 1px solid #e6ebef; font-variant-numeric: tabular-nums }
td small { display: block; font-size: .78rem; font-weight: 400; color: #59636c; white-space: nowrap }
tr.own td { font-weight: 600 }
figure { margin: 1.2rem 0 }
figcaption { font-size: .9rem }
img { max-width: 44rem; width: 100% }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"  # the browser keeps the page to itself
CAPTIONS = {
    "ranking": "How much of the best possible value the first ten creators earn.",
    "retriever": "What the first stage finds before anything is ranked.",
    "slices": "NDCG@10 of each group's creators, ordered as the ranking orders them, among that group alone.",
    "languages": "Briefs of one language, creators of another: NDCG@10 among the creators of each language.",
    "reliability": "Does what was called likely come true that often? On the dashed line it does.",
    "off_policy": "What re-ordering the logged lists would have brought; the dashed line is what the log got.",
    "fraud": "The fraud model beside rules an analyst could sort by.",
}
SHARES = {"of_places": "share of first ten places", "of_candidates": "share of candidates"}
FAMILIES = {
    "objective": "Objective of the brief",
    "brief_language": "Language of the brief",
    "experience": "History of the creator (new: too few jobs for rates of its own)",
    "tier": "Size of the creator",
    "language_match": "Language of the creator beside the brief's",
}


def page(report: Report, images: Mapping[str, bytes]) -> str:
    """The whole page; ``images`` are PNG by name and stand in it."""
    data, subject, split = report["data"], report["subject"], report["split"]
    name = subject["name"]
    about = (
        f"{name[:1].upper()}{name[1:]}, measured on {data['name']}: {data['creators']:,} creators, "
        f"{data['briefs']:,} briefs, data until {split['data_as_of'][:10]}. Written {report['created_at']}."
    )
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        f"<title>Evaluation of {escape(name)}</title><style>{STYLE}</style></head><body>",
        f'<h1>How good are the matches?</h1><p class="about">{escape(about)}</p>',
        f'<div class="summary">{_list(report["summary"])}</div>',
        *_tables(report),
        "<h2>Plots</h2>",
        *(_figure(name, image) for name, image in images.items()),
        f"<h2>Method and limits</h2>{_list(report['limits'])}",
        "</body></html>",
    ]
    return "\n".join(parts)


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], own: str = "") -> str:
    """A table of texts and intervals, escaped; the row that starts with ``own`` is marked."""
    heads = "".join(f"<th>{escape(one)}</th>" for one in head)
    body = "".join(_row(row, row[0] == own) for row in rows)
    return f"<table><caption>{escape(caption)}</caption><tr>{heads}</tr>{body}</table>"


def _row(cells: Sequence[Cell], own: bool) -> str:
    mark = ' class="own"' if own else ""
    return f"<tr{mark}>{''.join(f'<td>{_cell(one)}</td>' for one in cells)}</tr>"


def _cell(cell: Cell) -> str:
    """A text, or a mean with its interval below."""
    if isinstance(cell, str):
        return escape(cell)
    return f"{cell['mean']:.3f}<small>{cell['low']:.3f} to {cell['high']:.3f}</small>"


def _list(sentences: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in sentences)}</ul>"


def _figure(name: str, image: bytes) -> str:
    source = f"data:image/png;base64,{b64encode(image).decode()}"
    caption = escape(CAPTIONS[name])
    return f'<figure><img alt="{caption}" src="{source}"><figcaption>{caption}</figcaption></figure>'


def _tables(report: Report) -> Iterator[str]:
    if "matching" in report:
        yield "<h2>Ranking</h2>"
        yield from _matching(report["matching"])
    if "off_policy" in report:
        yield "<h2>Re-ordering the log</h2>"
        yield from _off_policy(report["off_policy"])
    if "success" in report:
        yield "<h2>Success probability</h2>"
        yield from _refused(report["success"]) or _success(report["success"])
    if "fraud" in report:
        yield "<h2>Fraud on later months</h2>"
        yield from _refused(report["fraud"]) or _fraud(report["fraud"])


def _refused(found: Report) -> list[str]:
    return [f"<p>Not measured: {escape(found['refused'])}.</p>"] if isinstance(found.get("refused"), str) else []


def _matching(found: Report) -> Iterator[str]:
    own, lead = NAMES[RANKED], found["lead"]
    yield table(
        f"Means over {found['briefs']} briefs, 95 % intervals below; lead: this ranking's NDCG@10 less the row's, "
        "brief by brief.",
        ["ranked by", "NDCG@10", "MAP@100", "MRR@100", "lead"],
        [
            [NAMES[name], one["ndcg10"], one["map"], one["mrr"], lead.get(name, "")]
            for name, one in found["ranking"].items()
        ],
        own,
    )
    depths = list(found["retriever"][RETRIEVER])
    yield table(
        "First stage: share of the relevant creators among the first k.",
        ["retrieved by", *(f"recall@{k}" for k in depths)],
        [[NAMES[name], *(one[k] for k in depths)] for name, one in found["retriever"].items()],
        NAMES[RETRIEVER],
    )
    yield table(
        "Exposure over all eligible creators: who reaches the first ten places of some brief, and how unequally.",
        ["ranked by", "coverage", "Gini"],
        [[NAMES[name], percent(one["coverage"]), f"{one['gini']:.3f}"] for name, one in found["exposure"].items()],
        own,
    )
    for family, title in FAMILIES.items():
        if groups := found["slices"][family]:
            yield _slice(title, groups)


def _slice(title: str, groups: Report) -> str:
    methods = list(next(iter(groups.values()))["ndcg10"])
    shares = SHARES if any("of_places" in one for one in groups.values()) else {}
    return table(
        f"{title}: NDCG@10 of every method.",
        ["", "briefs", *(NAMES[name] for name in methods), *shares.values()],
        [
            [
                group,
                str(one["briefs"]),
                *(one["ndcg10"][m] for m in methods),
                *(percent(one[share]) for share in shares),
            ]
            for group, one in groups.items()
        ],
    )


def _off_policy(found: Report) -> Iterator[str]:
    if refused := _refused(found):
        yield from refused
        return
    if policies := found["policies"]:
        logged = next(iter(policies.values()))["logged"]
        yield table(
            f"Creators wanted per brief, had the logged lists been ordered so; as logged: {said(logged)}.",
            ["ordered by", "IPS", "SNIPS", "doubly robust", "effective impressions", "briefs"],
            [
                [
                    NAMES[name], one["ips"], one["snips"], one["doubly_robust"],
                    f"{one['effective_sample_size']:.0f}", str(one["briefs"]),
                ]
                for name, one in policies.items()
            ],
            NAMES[RANKED],
        )  # fmt: skip
    yield _list([f"{NAMES[name]}: not estimated, {reason}." for name, reason in found["refused"].items()])


def _success(found: Report) -> Iterator[str]:
    head = ["", "invitations", "stated", "came true", "log-loss", "lead on always the mean", "ECE (by chance)"]
    yield table("", head, [_calibration("all", found)], "all")
    for name, title in (("objective", "By objective of the brief"), ("tier", "By size of the creator")):
        yield table(title, head, [_calibration(group, one) for group, one in found[name].items()])


def _calibration(name: str, one: Report) -> list[Cell]:
    measures = ("told", "came_true", "log_loss", "log_loss_lead")
    ece = f"{one['ece']:.3f} ({one['ece_by_chance']:.3f})"
    return [name, str(one["invitations"]), *(one[measure] for measure in measures), ece]


def _fraud(found: Report) -> Iterator[str]:
    rows = {"the fraud model": found["model"], "among the never reviewed": found["never_reviewed"], **found["rules"]}
    measures = ("pr_auc", "recall_at_1_percent_fpr", "precision_in_alert_budget", "prevalence")
    yield table(
        f"On {', '.join(found['measured_on'])}; PR-AUC of the model with its interval over creators: "
        f"{said(found['model']['pr_auc_interval'])}; ECE {found['model']['ece']:.3f}.",
        ["sorted by", "PR-AUC", "recall at 1 % false positives", "precision in the alert budget", "share guilty"],
        [[name, *(_number(one[measure]) for measure in measures)] for name, one in rows.items() if one],
        "the fraud model",
    )
    if found["scenarios"]:
        yield table(
            "By kind of campaign: of the guilty those caught, of the innocent those alerted.",
            ["campaign", "at 1 % false positives", "at the working threshold", "creator-months"],
            [
                [name, _number(one["at_1_percent_fpr"]), _number(one["at_working_threshold"]), str(one["rows"])]
                for name, one in found["scenarios"].items()
            ],
        )
    rates = found["false_positives"]
    kinds = ("size", "country", "language", "look_alike")
    groups = [(kind, *item) for kind in kinds for item in rates.get(kind, {}).items() if item[1]["rows"] >= LEAST]
    yield table(
        f"Innocent creators alerted at the working threshold: {_number(rates['overall'])} over all. Groups beyond "
        f"chance: {', '.join(rates['notable']) or 'none'}.",
        ["group", "rate", "beside the overall rate", "creator-months"],
        [
            [f"{kind} {group}", _number(one["rate"]), f"× {_number(one['ratio'])}", str(one["rows"])]
            for kind, group, one in groups
        ],
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
