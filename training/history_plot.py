"""One creator's history as a picture for a risk analyst: what the answer says and of which days, what came each day,
which days stand out and what explains them, and the probability at past month ends."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from features import columns as c
from features.errors import bad
from features.fraud.history import History
from models.fraud_evidence import METRICS
from models.fraud_innocence import on_days
from training.evaluation.plots import DPI, LINE, STRONG, UNDATED

LONGEST = 180  # days
GUILTY, INNOCENT, PAID, ELSEWHEN = "#c0392b", "#2e8b57", "#e0a030", "#f2f2f2"
PANELS = {
    "followers won a day": {"followers": STRONG},
    "views a day": {"views": STRONG},
    "likes\nper 100 views": {"likes": STRONG},
    "comments, shares\nper 100 views": {"comments": STRONG, "shares": LINE},
}
"""Label → the metrics drawn, with their colours."""
Answer = Mapping[str, Any]


def history_plot(history: History, past: "pd.Series[float]", answer: Answer) -> bytes:
    """A PNG of at most the last LONGEST days; ``past`` are the creator's probabilities by date, ``answer`` its fraud
    answer.

    Raises InputError where no daily statistics are known.
    """
    days, said = _days(history), _said(answer)
    figure = Figure(figsize=(10, 8.6 + 0.26 * len(said)), layout="constrained")
    heights = [0.4 + 0.26 * len(said), 2.2, 2.2, 1.6, 1.6, 1.2]
    timeline, *panels, last = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    _timeline(timeline, said)
    for axes, (label, colours) in zip(panels, PANELS.items(), strict=True):
        _series(axes, days, label, colours)
        _marks(axes, days, history, answer, tuple(colours))
    _probability(last, past)
    _dress(figure, history, answer, days)
    image = BytesIO()
    figure.savefig(image, format="png", dpi=DPI, metadata=UNDATED)
    return image.getvalue()


def _days(history: History) -> pd.DataFrame:
    """A row for each of the last days known, a column for each metric of PANELS, and ``paid``."""
    stats = history.window.tables["daily_stats"]
    stats = stats[stats[c.CREATOR_ID] == history.creator_id]
    stats = stats.assign(**{c.DATE: stats[c.DATE].dt.floor("D")}).drop_duplicates(c.DATE, keep="last")
    stats = stats.set_index(c.DATE).sort_index()
    if stats.empty:
        raise bad("--plot", "no daily statistics are known of this creator", history.creator_id)
    stats = stats.asfreq("D").iloc[-LONGEST:]
    paid, hundreds = stats[c.PAID_VIDEO_VIEWS].fillna(0), stats[c.VIDEO_VIEWS].where(stats[c.VIDEO_VIEWS] > 0) / 100
    rates = {name: stats[name] / hundreds for name in (c.LIKES, c.COMMENTS, c.SHARES)}
    won, organic = stats[c.FOLLOWERS_COUNT].diff(), stats[c.VIDEO_VIEWS] - paid
    return pd.DataFrame({"followers": won, "views": organic, "paid": paid} | rates)


def _said(answer: Answer) -> list[tuple[str, str, list[str], Mapping[str, Any]]]:
    """Code, colour, days and evidence of each reason, and of what speaks for innocence on a day."""
    reasons = [(one["code"], GUILTY, [*_dates(one["evidence"])], one["evidence"]) for one in answer["reason_codes"]]
    dated = [one for one in answer["innocent_explanations"] if "date" in one["evidence"]]
    return reasons + [(one["code"], INNOCENT, [one["evidence"]["date"]], one["evidence"]) for one in dated]


def _dates(evidence: Mapping[str, Any]) -> dict[str, None]:
    peak = [evidence["peak_date"]] if "peak_date" in evidence else []
    return dict.fromkeys(peak + [day["date"] for day in evidence.get("days", [])])


def _timeline(axes: Axes, said: list[tuple[str, str, list[str], Mapping[str, Any]]]) -> None:
    """A line for each code: over the days its evidence goes over, with a mark on those it names."""
    for place, (_, colour, dates, evidence) in enumerate(said):
        if "from" in evidence:
            ends = [pd.Timestamp(evidence[name]) for name in ("from", "to")]
            axes.plot(ends, [place, place], color=colour, alpha=0.25, linewidth=3, solid_capstyle="butt")
        axes.plot(pd.to_datetime(dates), [place] * len(dates), "o" if colour == GUILTY else "D", color=colour, ms=5)
    axes.set_yticks(range(len(said)), [code for code, *_ in said], fontsize=8)
    for label, (_, colour, *_) in zip(axes.get_yticklabels(), said, strict=True):
        label.set_color(colour)
    axes.set_ylim(len(said) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def _series(axes: Axes, days: pd.DataFrame, label: str, colours: Mapping[str, str]) -> None:
    for metric, colour in colours.items():
        axes.plot(days.index, days[metric], color=colour, linewidth=1.2, label=metric if len(colours) > 1 else None)
    if "views" in colours:
        total = days["views"] + days["paid"]
        axes.fill_between(days.index, days["views"], total, color=PAID, linewidth=0)
    if len(colours) > 1:
        axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 0.95), ncols=len(colours))
    axes.set_ylabel(label, fontsize=9)
    axes.set_ylim(bottom=min(0.0, float(np.nanmin([0.0, *days[[*colours]].min()]))))
    axes.yaxis.set_major_formatter(FuncFormatter(_short))


def _short(value: float, _: int) -> str:
    return f"{value / 1000:g}k" if abs(value) >= 1000 else f"{value:g}"


def _marks(axes: Axes, days: pd.DataFrame, history: History, answer: Answer, metrics: tuple[str, ...]) -> None:
    """A mark on each day that stands out: full where a reason speaks of it, green where something explains it."""
    spoken = {metric for one in answer["reason_codes"] for metric in METRICS.get(one["code"], ())}
    for one in history.anomalies:
        if one["metric"] in metrics and one["date"] in days.index:
            colour = INNOCENT if on_days(history, {one["day"]: []}) else GUILTY
            face = colour if one["metric"] in spoken else "white"
            value = days.loc[one["date"], one["metric"]]
            axes.plot([one["date"]], [value], "o", color=colour, markerfacecolor=face, ms=6, zorder=3)


def _probability(axes: Axes, past: "pd.Series[float]") -> None:
    known = past.dropna()
    axes.plot(known.index, known, "o-", color=LINE, ms=4, linewidth=1)
    for date, value in known.items():
        axes.annotate(_probable(value), (date, value), (0, 5), textcoords="offset points", ha="center", fontsize=8)
    axes.set(ylim=(0, 1.25), yticks=(0, 0.5, 1))
    axes.set_ylabel("fraud\nprobability", fontsize=9)


def _probable(value: float) -> str:
    """Two digits, and never certainty."""
    return "<0.01" if value < 0.01 else ">0.99" if value > 0.99 else f"{value:.2f}"


def _dress(figure: Figure, history: History, answer: Answer, days: pd.DataFrame) -> None:
    """Title, legend, dates, and the days before the window in grey."""
    half, first, start = pd.Timedelta(hours=12), days.index[0], history.window.dates[0]
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        if first < start:
            axes.axvspan(first - half, start - half, color=ELSEWHEN, zorder=-1)
        axes.set_xlim(first - half, history.window.dates[-1] + 5 * half)
    figure.align_ylabels(figure.axes[1:])
    locator = AutoDateLocator()
    figure.axes[-1].xaxis.set_major_locator(locator)
    figure.axes[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator))
    figure.suptitle(_title(answer), x=0.01, ha="left", fontsize=12)
    figure.legend(handles=_legend(), loc="outside lower left", ncols=3, frameon=False, fontsize=8)


def _title(answer: Answer) -> str:
    if answer["insufficient_data"]:
        return f"{answer['creator_id']}: too little is known for a score"
    probability, level = _probable(answer["fraud_probability"]), answer["risk_level"]
    return f"{answer['creator_id']}: fraud probability {probability}, {level}, as of {answer['data_as_of'][:10]}"


def _legend() -> list[Line2D | Patch]:
    def mark(colour: str, face: str, label: str) -> Line2D:
        return Line2D([], [], marker="o", linestyle="", color=colour, markerfacecolor=face, label=label)

    return [
        Line2D([], [], color=STRONG, label="seen (views: organic)"),
        Patch(color=PAID, label="views paid for openly"),
        Patch(color=ELSEWHEN, label="before the 90 days that are scored"),
        mark(GUILTY, GUILTY, "stands out, a reason speaks of it"),
        mark(INNOCENT, INNOCENT, "the same, with an innocent explanation of the day"),
        mark(LINE, "white", "stands out, no reason speaks of it"),
        Line2D([], [], marker="o", color=LINE, label="by the served model, from what was known then"),
    ]
