"""How long credit takes to compute anew for everyone, and how much memory, as the ledger grows.

Every creator has 50 events in 200 days, the same kinds for all at times of their own: four whole collaborations with a
contract's due date and amount, two for each of two brands, ten assessments, a training, and a violation, which one in
ten appeals and sees overturned.
"""

import resource
import time
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.schema import COLLABORATION_EVENTS, CREATORS, conform, empty
from models.credit import credit_answers, credit_scores, load_policy
from training.benchmarks.training_scale import alone, exponent

SIZES = (10_000, 30_000, 100_000)
ASKED = 1000
WHOLE = (
    "INVITED", "ACCEPTED", "CONTRACTED", "CONTENT_SUBMITTED", "CONTENT_APPROVED", "PUBLISHED", "METRICS_REPORTED",
    "SETTLED", "RATED",
)  # fmt: skip
COLLABORATIONS = 4
BRANDS = 1000
APPEALED = ("APPEAL_OPENED", "VIOLATION_OVERTURNED")
CONDUCT = ("TRAINING_PASSED", "VIOLATION_CONFIRMED", *APPEALED)
KINDS = WHOLE * COLLABORATIONS + CONDUCT + ("ASSESSED",) * 10
"""The events of one creator; nine in ten have further trainings in the place of APPEALED."""
START, DAYS, TERM = pd.Timestamp("2026-01-01"), 200.0, 12.0
AS_OF = START + pd.Timedelta(days=DAYS)
GIGABYTE = 1024**2  # of the kilobytes in which Linux counts ru_maxrss
Floats = npt.NDArray[np.float64]


def run() -> dict[str, object]:
    """What :func:`measure` finds for each of SIZES, in a process of its own, and the exponents of growth in events."""
    sizes = [alone(measure, creators) for creators in SIZES]
    costs = {name: [size[name] for size in sizes] for name in sizes[0]}
    return {
        "sizes": sizes,
        "exponents": {name: exponent(costs["events"], costs[name]) for name in ("cpu_seconds", "scoring_gb")},
    }


def measure(creators: int) -> dict[str, float]:
    """Seconds, by the clock and of the processor, to score all creators anew, and the processor's for whole answers of
    ASKED creators out of this ledger in one call; the most memory of this process, once the ledger was made and once
    all were scored."""
    events, policy = ledger(creators, np.random.default_rng(0)), load_policy()
    ids = pd.Index(events[c.CREATOR_ID].unique())
    held = _peak()
    began, cpu = time.perf_counter(), time.process_time()
    credit_scores(events, policy, AS_OF, ids)
    seconds, used, peak = time.perf_counter() - began, time.process_time(), _peak()
    credit_answers(events, empty(CREATORS), policy, AS_OF, ids[:ASKED].to_list())
    answered = time.process_time()
    return {
        "creators": creators,
        "events": len(events),
        "seconds": seconds,
        "cpu_seconds": used - cpu,
        "making_gb": held,
        "scoring_gb": peak,
        "answers_cpu_seconds": answered - used,
    }


def ledger(creators: int, rng: np.random.Generator) -> pd.DataFrame:
    """The ledger of so many creators, in order of time."""
    place = np.tile(np.arange(len(KINDS)), creators)
    creator = np.repeat(np.arange(creators), len(KINDS))
    kind = np.array(KINDS)[place]
    kind[np.isin(kind, APPEALED) & (creator % 10 > 0)] = "TRAINING_PASSED"
    day = _days(creators, rng).ravel()
    order = np.argsort(day, kind="stable")
    frame = pd.DataFrame(
        {
            c.EVENT_ID: pd.Series(np.arange(len(day))).astype("str"),
            c.CREATOR_ID: ("c" + pd.Series(creator).astype("str")),
            c.EVENT_TYPE: kind,
            c.EVENT_TIME: START + pd.to_timedelta(day, unit="D"),
            c.COLLABORATION_ID: _collaborations(creator, place),
            c.BRAND_ID: _brands(creator, place),
            c.AMOUNT: np.where(kind == "CONTRACTED", 200.0, np.nan),
            c.CURRENCY: pd.Series("USD", range(len(kind))).where(kind == "CONTRACTED"),
            c.REFERS_TO: _findings(creator, kind),
            c.DUE_AT: pd.Series(START + pd.to_timedelta(day + TERM, unit="D")).where(kind == "CONTRACTED"),
            c.RATING: np.where(kind == "RATED", rng.integers(1, 6, len(kind)), np.nan),
            c.SEVERITY: np.where(kind == "VIOLATION_CONFIRMED", 1.0, np.nan),
            c.FACTOR: np.where(place % 2, "AUTHENTICITY", "INTERACTION"),
            c.VALUE: np.where(kind == "ASSESSED", rng.random(len(kind)), np.nan),
        }
    )
    return conform(frame.iloc[order].reset_index(drop=True), COLLABORATION_EVENTS)


def _days(creators: int, rng: np.random.Generator) -> Floats:
    """(creators, kinds): the day of each event; those of one collaboration, and of one finding, in their order."""
    days = rng.uniform(0, DAYS, (creators, len(KINDS)))
    ends = [len(WHOLE) * number for number in range(COLLABORATIONS + 1)]
    ends.append(ends[-1] + len(CONDUCT))
    for start, end in pairwise(ends):
        days[:, start:end] = np.sort(days[:, start:end], axis=1)
    return days


def _collaborations(creator: npt.NDArray[np.int64], place: npt.NDArray[np.int64]) -> pd.Series:
    number = pd.Series(creator * COLLABORATIONS + place // len(WHOLE)).astype("str")
    return ("k" + number).where(place < len(WHOLE) * COLLABORATIONS)


def _brands(creator: npt.NDArray[np.int64], place: npt.NDArray[np.int64]) -> pd.Series:
    """A creator's first two orders are of one brand, the last two of another."""
    number = pd.Series((creator + place // (2 * len(WHOLE))) % BRANDS).astype("str")
    return ("b" + number).where(place < len(WHOLE) * COLLABORATIONS)


def _findings(creator: npt.NDArray[np.int64], kind: npt.NDArray[np.str_]) -> pd.Series:
    """The violation that an appeal or its overturning is about."""
    finding = pd.Series(creator * len(KINDS) + KINDS.index("VIOLATION_CONFIRMED")).astype("str")
    return finding.where(np.isin(kind, APPEALED))


def _peak() -> float:
    """The most memory that this process ever had, in gigabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIGABYTE
