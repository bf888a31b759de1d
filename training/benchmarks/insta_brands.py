"""insta-brands: real brands and creators, trained on the past, scored on later collaborations.

Protocol: captions are timeless (only half of the future collaborators have one before the brief's date), so their
``create_time`` is set before the first event; candidates are creators with a caption who have not published for the
brief before. The scores are those of the data's own ``score.py``, whose folder ``test/`` is read by it alone.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from features import columns as c
from features.bank import TextBank
from features.errors import bad
from features.schema import Tables
from features.tables import read_tables
from features.text import EmbeddingCache, load_encoder
from models.engine import Engine
from training.fit import bundle_of, fit

DEPTH = 100
SEED = 0


def run(data: Path, cache: Path) -> dict[str, object]:
    """Trains on the folder ``data``, ranks DEPTH creators for each of its briefs and answers what ``score.py`` prints.

    Raises InputError when the folder is not insta-brands.
    """
    if not (data / "score.py").is_file():
        raise bad("--data", "needs the insta-brands folder, which holds score.py", str(data))
    tables = protocol(read_tables(data))
    bank = TextBank(load_encoder(), EmbeddingCache(cache), progress=True)
    trained = fit(tables, bank, seed=SEED, progress=True)
    engine = Engine(bundle_of(trained, bank), tables, bank)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ranked.csv"
        rank_all(engine, tables).to_csv(path, index=False)
        done = subprocess.run(
            [sys.executable, data / "score.py", path, data], capture_output=True, text=True, check=True
        )
    words = done.stdout.split()
    return dict(zip(words[::2], map(float, words[1::2]), strict=True)) | {"validation": trained.metrics["ranker"]}


def protocol(tables: Tables) -> dict[str, pd.DataFrame]:
    """The tables as the data's split has them: captions are timeless, brands share a clock, the silent are no
    candidates.

    The data were split brand by brand: a brief is ranked with the whole past of every other brand in sight, whatever
    its date. So time here is how much of a brand's past has happened, the same for all; else training would see, at a
    date, far less of other brands than ranking does.

    Captions that name a brand were left out of the data, so to have none marks a brand's partner: 59 % of the past ones
    have none, and 15 % of all. No candidate is without, so a model that learned from them would learn a trap.
    """
    events, creators = tables["collaboration_events"], tables["creators"]
    start, end = events[c.EVENT_TIME].min(), events[c.EVENT_TIME].max()
    by_brand = events.groupby(c.BRIEF_ID)[c.EVENT_TIME]
    passed = by_brand.rank(method="first") / by_brand.transform("size")
    silent = ~creators[c.CREATOR_ID].isin(tables["videos"][c.CREATOR_ID])
    return dict(tables) | {
        "briefs": tables["briefs"].assign(**{c.CREATED_AT: end}),
        "collaboration_events": events.assign(**{c.EVENT_TIME: (start + passed * (end - start)).dt.floor("s")}),
        "videos": tables["videos"].assign(**{c.CREATE_TIME: start}),
        "creators": creators.assign(**{c.ONBOARDING_STATUS: creators[c.ONBOARDING_STATUS].mask(silent, "NOT_IN")}),
    }


def rank_all(engine: Engine, tables: Tables) -> pd.DataFrame:
    """brief_id, creator_id, rank of the first DEPTH candidates of every brief."""
    done = tables["collaboration_events"].groupby(c.BRIEF_ID)[c.CREATOR_ID].agg(list)
    lists = []
    for brief in tqdm(tables["briefs"].to_dict("records"), "ranking"):
        given = {name: value for name, value in brief.items() if isinstance(value, list) or not pd.isna(value)}
        excluded = list(done.get(brief[c.BRIEF_ID], []))
        results = engine.rank({"brief": given, "limit": DEPTH, "exclude_creator_ids": excluded})["results"]
        lists.append(pd.DataFrame(results)[[c.CREATOR_ID, "rank"]].assign(**{c.BRIEF_ID: brief[c.BRIEF_ID]}))
    return pd.concat(lists)
