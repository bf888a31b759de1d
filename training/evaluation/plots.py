"""The plots of an evaluation as PNG: pale bars are what the ranking is compared with."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.evaluation.reading import COSINE, RANKED, RETRIEVER
from training.evaluation.words import NAMES

Report = Mapping[str, Any]
STRONG, PALE, LINE = "#1f5fa8", "#b8c4d0", "#3a3f44"
DPI = 130
UNDATED = {"Software": None}  # equal reports give equal files
SLICES = {"objective": "objective", "tier": "size", "experience": "history", "language_match": "language"}


def plots(report: Report) -> dict[str, bytes]:
    """Name → PNG, of what the report holds."""
    drawn: dict[str, Callable[[Report, Axes], None]] = {}
    if "matching" in report:
        drawn |= {"ranking": _ranking, "retriever": _retriever, "slices": _slices, "languages": _languages}
    if "reliability" in report.get("success", {}):
        drawn["reliability"] = _reliability
    if report.get("off_policy", {}).get("policies"):
        drawn["off_policy"] = _off_policy
    if "model" in report.get("fraud", {}):
        drawn["fraud"] = _fraud
    return {name: png(draw, report) for name, draw in drawn.items()}


def png(draw: Callable[[Any, Axes], None], report: Any) -> bytes:
    """A PNG of what ``draw`` draws of ``report``."""
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    draw(report, axes)
    image = BytesIO()
    figure.savefig(image, format="png", dpi=DPI, metadata=UNDATED)
    return image.getvalue()


def _bars(axes: Axes, names: list[str], intervals: list[Mapping[str, float]], strong: list[bool]) -> None:
    """Horizontal bars with intervals, the first on top."""
    means = np.array([one["mean"] for one in intervals])
    errors = np.array([[one["mean"] - one["low"], one["high"] - one["mean"]] for one in intervals]).T
    colours = [STRONG if one else PALE for one in strong]
    axes.barh(names, means, xerr=np.maximum(errors, 0), color=colours, ecolor=LINE, capsize=3)
    axes.invert_yaxis()


def _ranking(report: Report, axes: Axes) -> None:
    ranking = report["matching"]["ranking"]
    order = sorted(ranking, key=lambda name: -ranking[name]["ndcg10"]["mean"])
    _bars(
        axes, [NAMES[name] for name in order], [ranking[name]["ndcg10"] for name in order], [n == RANKED for n in order]
    )
    axes.set_xlabel("NDCG@10, with 95 % intervals over briefs")


def _retriever(report: Report, axes: Axes) -> None:
    for name, colour in ((RETRIEVER, STRONG), (COSINE, LINE)):
        found = report["matching"]["retriever"][name]
        depths = [int(k) for k in found]
        axes.plot(depths, [one["mean"] for one in found.values()], "o-", color=colour, label=NAMES[name])
        axes.fill_between(
            depths,
            [one["low"] for one in found.values()],
            [one["high"] for one in found.values()],
            color=colour,
            alpha=0.15,
        )
    axes.set(xlabel="creators retrieved", ylabel="recall of the relevant", ylim=(0, 1))
    axes.legend(frameon=False)


def _slices(report: Report, axes: Axes) -> None:
    found = report["matching"]["slices"]
    rows = [(f"{title}: {group}", one) for name, title in SLICES.items() for group, one in found[name].items()]
    places = np.arange(len(rows), dtype=float)
    for method, colour, shift in ((RANKED, STRONG, -0.19), (COSINE, PALE, 0.19)):
        values = [one["ndcg10"][method] for _, one in rows]
        means = [one["mean"] for one in values]
        errors = [[v["mean"] - v["low"] for v in values], [v["high"] - v["mean"] for v in values]]
        axes.barh(
            places + shift, means, 0.36, xerr=np.maximum(errors, 0), color=colour, ecolor=LINE, label=NAMES[method]
        )
    axes.set_yticks(places, [name for name, _ in rows], parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel("NDCG@10 within the group")
    axes.legend(frameon=False, fontsize=8)


def _languages(report: Report, axes: Axes) -> None:
    """NDCG@10 by language of brief and of creator; white where too few briefs had anyone."""
    found = {tuple(name.split(" → ")): one for name, one in report["matching"]["slices"]["languages"].items()}
    asked, written = (sorted({pair[side] for pair in found}) for side in (0, 1))
    grid = np.full((len(asked), len(written)), np.nan)
    for (brief, creator), one in found.items():
        grid[asked.index(brief), written.index(creator)] = one["ndcg10"][RANKED]["mean"]
    if grid.size:
        shown = axes.imshow(grid, cmap="Blues", vmin=0, aspect="auto")
        axes.figure.colorbar(shown, ax=axes, label="NDCG@10")
    for row, column in zip(*np.nonzero(~np.isnan(grid)), strict=True):
        dark = grid[row, column] > 0.6 * np.nanmax(grid)
        axes.text(
            column,
            row,
            f"{grid[row, column]:.2f}",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if dark else LINE,
        )
    axes.set_xticks(range(len(written)), written, parse_math=False)
    axes.set_yticks(range(len(asked)), asked, parse_math=False)
    axes.set(xlabel="language of the creator", ylabel="language of the brief")


def _reliability(report: Report, axes: Axes) -> None:
    bins = report["success"]["reliability"]
    axes.plot([0, 1], [0, 1], "--", color=PALE, label="perfectly calibrated")
    axes.plot(
        [one["probability"] for one in bins],
        [one["rate"] for one in bins],
        "o-",
        color=STRONG,
        label="tenths of the invitations",
    )
    axes.set(xlabel="probability of success the model states", ylabel="share that succeeded", xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False)


def _off_policy(report: Report, axes: Axes) -> None:
    policies = report["off_policy"]["policies"]
    logged = next(iter(policies.values()))["logged"]["mean"]
    _bars(
        axes,
        [NAMES[name] for name in policies],
        [one["doubly_robust"] for one in policies.values()],
        [n == RANKED for n in policies],
    )
    axes.axvline(logged, color=LINE, linestyle="--", label="as logged")
    axes.set_xlabel("creators wanted per brief (doubly robust)")
    axes.legend(frameon=False)


def _fraud(report: Report, axes: Axes) -> None:
    found = report["fraud"]
    rules = sorted(found["rules"], key=lambda name: -found["rules"][name]["pr_auc"])
    axes.barh(
        ["the fraud model", *rules],
        [found["model"]["pr_auc"], *(found["rules"][name]["pr_auc"] for name in rules)],
        color=[STRONG] + [PALE] * len(rules),
    )
    axes.invert_yaxis()
    axes.axvline(found["model"]["prevalence"], color=LINE, linestyle="--", label="guessing")
    axes.set_xlabel("PR-AUC on later months")
    axes.legend(frameon=False)
