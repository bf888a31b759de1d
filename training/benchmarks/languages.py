"""Across languages: the same brief in eight languages should find mostly the same creators.

``languages.json`` holds 20 briefs written by hand in each language, idiomatic rather than word for word, on products
that the simulated marketplace does not know; invented product names stay as they are. The encoder was trained on seven
of the languages; Indonesian is reported apart. A share of common creators says little where everyone is always shown
the same ones, so the overlap of *different* briefs stands beside it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache as once
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from features import columns as c
from features.asof import data_as_of
from features.bank import TextBank
from features.pairs import PAIR_FEATURES, pair_features
from features.schema import complete
from features.tables import read_tables
from features.text import EmbeddingCache, load_encoder
from models.bundle import Bundle
from models.catalogue import Catalogue, build_catalogue
from models.eligibility import eligible
from models.engine import brief_row
from models.measures import Interval, bootstrap
from models.ranking import query_of, rank
from training.fit import bundle_of, fit

BRIEFS = Path(__file__).with_suffix(".json")
ENGLISH, UNTRAINED = "en", "id"
LANGUAGES = (ENGLISH, "zh", "es", "pt", "ja", "ar", "ko")
VARIANTS: dict[str, tuple[str, ...]] = {"text": (), "text_and_fields": (c.CONTENT_LABELS, c.TARGET_COUNTRIES)}
WORD = "Tiger"  # as good a product name as any, and a word that the encoder knows
DEPTH = 20
SEED = 0
Brief = Mapping[str, Any]
Lists = dict[str, dict[str, list[str]]]  # creator_ids by brief and language
Pairs = dict[str, dict[str, pd.DataFrame]]  # what the ranker sees, by brief and language


@dataclass(frozen=True)
class Market:
    """A release and the catalogue that it serves."""

    catalogue: Catalogue
    bundle: Bundle
    bank: TextBank

    def top(self, brief: Mapping[str, Any]) -> list[str]:
        """The creators of a rank answer, best first."""
        request = {"brief": brief, "limit": DEPTH}
        row = brief_row(request, self.catalogue.latest)
        answer = rank(self.catalogue, self.bundle, self.bank, request, row)
        return [str(result[c.CREATOR_ID]) for result in answer["results"]]

    def pairs(self, brief: Mapping[str, Any]) -> pd.DataFrame:
        """What the ranker sees of a brief and all eligible creators."""
        query = query_of(self.catalogue, self.bundle, self.bank, brief_row({"brief": brief}, self.catalogue.latest), {})
        return pair_features(query, self.catalogue.state, eligible(self.catalogue, {}).allowed.rows)


def run(data: Path, cache: Path) -> dict[str, object]:
    """Trains on the whole dataset in ``data`` and measures how far its answers depend on the brief's language."""
    tables = complete(read_tables(data))
    bank = TextBank(load_encoder(), EmbeddingCache(cache), progress=True)
    bundle = bundle_of(fit(tables, bank, seed=SEED, progress=True), bank)
    return evaluate(Market(build_catalogue(bundle, tables, data_as_of(tables), bank), bundle, bank), briefs())


@once
def briefs() -> list[Brief]:
    """The hand-written briefs: id, content_labels, target_countries, and ``texts`` (title, description) by language."""
    return [*json.loads(BRIEFS.read_text(encoding="utf-8"))]


def evaluate(market: Market, briefs: Sequence[Brief]) -> dict[str, object]:
    """Overlaps and their causes for the text alone and with structured fields; what a product's name moves; whether a
    wish for a language holds."""
    rows = eligible(market.catalogue, {}).allowed.count
    answer: dict[str, object] = {"briefs": len(briefs), "creators": rows, "by_chance": min(1.0, DEPTH / rows)}
    for name, fields in VARIANTS.items():
        asked = [(brief, language) for brief in briefs for language in (*LANGUAGES, UNTRAINED)]
        lists: Lists = {brief["id"]: {} for brief in briefs}
        pairs: Pairs = {brief["id"]: {} for brief in briefs}
        for brief, language in tqdm(asked, f"ranking {name}"):
            written = _written(brief, language, fields)
            lists[brief["id"]][language] = market.top(written)
            pairs[brief["id"]][language] = market.pairs(written)
        answer[name] = overlaps(lists) | {"causes": causes(market, pairs)}
        if not fields:
            answer["renamed"] = renamed(market, briefs, lists)
    return answer | {"asked_for_a_language": obedience(market, briefs)}


def overlap(one: Iterable[str], other: Iterable[str]) -> float:
    """Share of the longer list that both have; 0 for two empty ones."""
    left, right = {*one}, {*other}
    return len(left & right) / max(len(left), len(right), 1)


def overlaps(lists: Lists) -> dict[str, object]:
    """Means over briefs with bootstrap intervals, and by language; ``between_briefs`` is of different briefs in
    English."""
    rng = np.random.default_rng(SEED)
    means = across(lists, rng)
    by_language = {language: _interval(lists, [(ENGLISH, language)], rng)["mean"] for language in LANGUAGES[1:]}
    different = [overlap(one[ENGLISH], other[ENGLISH]) for one, other in combinations(lists.values(), 2)]
    return means | {"by_language": by_language, "between_briefs": float(np.mean(different))}


def across(lists: Lists, rng: np.random.Generator) -> dict[str, Interval]:
    """Mean overlaps of the lists of the same brief in two languages."""
    of = {
        "with_english": [(ENGLISH, language) for language in LANGUAGES[1:]],
        "all_pairs": [*combinations(LANGUAGES, 2)],
        "indonesian_with_english": [(ENGLISH, UNTRAINED)],
        "indonesian_with_all": [(language, UNTRAINED) for language in LANGUAGES],
    }
    return {name: _interval(lists, pairs, rng) for name, pairs in of.items()}


def renamed(market: Market, briefs: Sequence[Brief], lists: Lists) -> dict[str, dict[str, Interval]]:
    """Under another product name (that of the ``next`` brief, a ``word`` that means something else, or ``none``): how
    much of the text's list as written stays in the ``same_language``, and :func:`across` the languages."""
    rng = np.random.default_rng(SEED)
    names = [product_name(brief) for brief in briefs]
    others = {"next": [*names[1:], names[0]], "word": [WORD] * len(names), "none": [""] * len(names)}
    answer = {}
    for what, new in others.items():
        found: Lists = {
            brief["id"]: _under(market, brief, *swap)
            for brief, *swap in tqdm(list(zip(briefs, names, new, strict=True)), f"renaming, {what}")
        }
        kept = [float(np.mean([overlap(by[one], found[id_][one]) for one in by])) for id_, by in lists.items()]
        answer[what] = {"same_language": bootstrap(kept, rng)} | across(found, rng)
    return answer


def product_name(brief: Brief) -> str:
    """The longest capitalised word of the English text that stands in every language's."""
    written = [" ".join(text.values()) for text in brief["texts"].values()]
    words = {word.strip(",:.") for word in " ".join(brief["texts"][ENGLISH].values()).split() if word[0].isupper()}
    return max((word for word in words if all(word in text for text in written)), key=len, default="")


def causes(market: Market, pairs: Pairs) -> dict[str, dict[str, float]]:
    """For each feature that the language moves: the overlap with English of the best by it ``alone``, and that of the
    ranker's best ``as_if_english``, were this feature (``words``: all that compare words) what it is in English.

    Of features whose ``as_if_english`` lies far above the overlap as it is (``""``), the language moves the list.
    """
    moved = [name for name in map(_name, PAIR_FEATURES) if any(_moves(by, name) for by in pairs.values())]
    words = [name for name in moved if name in ("lexical_cosine", "lookalike_brands")]
    groups: dict[str, list[str]] = {"": []} | {name: [name] for name in moved} | {"words": words}
    rankers = {name: _mean_with_english(market, pairs, names) for name, names in groups.items()}
    alone = {
        name: float(
            np.mean([overlap(_best(by[ENGLISH], name), _best(by[other], name)) for by, other in _others(pairs)])
        )
        for name in moved
    }
    return {"alone": alone, "as_if_english": rankers}


def obedience(market: Market, briefs: Sequence[Brief]) -> dict[str, dict[str, float]]:
    """By language that enough creators write in: the share of the English briefs' results in it unasked, and with
    ``target_languages``."""
    state = market.catalogue.state
    spoken = state.languages.series(state.ids).str.partition("-")[0]
    counts = spoken[eligible(market.catalogue, {}).allowed.flags].value_counts()
    answer = {}
    for language in (one for one in (*LANGUAGES, UNTRAINED) if counts.get(one, 0) >= DEPTH):
        written = [_written(brief, ENGLISH, ()) for brief in briefs]
        wishes = {
            "unasked": [market.top(brief) for brief in written],
            "target_languages": [market.top({**brief, c.TARGET_LANGUAGES: [language]}) for brief in written],
        }
        answer[language] = {
            name: float((spoken[[*chain.from_iterable(tops)]] == language).mean()) for name, tops in wishes.items()
        }
    return answer


def _under(market: Market, brief: Brief, name: str, new: str) -> dict[str, list[str]]:
    """The lists of the brief's texts by language, with ``new`` in the place of its product's ``name``."""
    return {
        language: market.top({field: said.replace(name, new) for field, said in text.items()})
        for language, text in brief["texts"].items()
    }


def _written(brief: Brief, language: str, fields: Sequence[str]) -> dict[str, Any]:
    return {**brief["texts"][language], **{field: brief[field] for field in fields}}


def _interval(lists: Lists, pairs: Sequence[tuple[str, str]], rng: np.random.Generator) -> Interval:
    values = [float(np.mean([overlap(by[one], by[other]) for one, other in pairs])) for by in lists.values()]
    return bootstrap(values, rng)


def _others(pairs: Pairs) -> list[tuple[dict[str, pd.DataFrame], str]]:
    """Every brief with each language that is not English, Indonesian apart."""
    return [(by, language) for by in pairs.values() for language in LANGUAGES[1:]]


def _moves(by: Mapping[str, pd.DataFrame], name: str) -> bool:
    return any(not by[ENGLISH][name].equals(by[language][name]) for language in LANGUAGES[1:])


def _best(pairs: pd.DataFrame, name: str) -> list[str]:
    return [*pairs[name].sort_values(ascending=False, kind="stable").index[:DEPTH]]


def _mean_with_english(market: Market, pairs: Pairs, names: Sequence[str]) -> float:
    """Overlap with English of the ranker's best, with the features ``names`` taken from the English brief."""
    ranker = market.bundle.ranker

    def best(frame: pd.DataFrame) -> list[str]:
        return _best(frame.assign(score=ranker.score(frame)), "score")

    tops = {id(by): best(by[ENGLISH]) for by in pairs.values()}
    return float(
        np.mean([overlap(tops[id(by)], best(by[lang].assign(**by[ENGLISH][[*names]]))) for by, lang in _others(pairs)])
    )


def _name(feature: object) -> str:
    return str(getattr(feature, "__name__", ""))
