# %% [markdown]
# # From nothing to ranked creators
#
# A marketplace of three hundred simulated creators, every model trained on it, one brief ranked, and the scores behind
# the answer. Each claim of the prose is asserted at the end.

# %%
import json
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from features.source import InMemory
from features.text import EMBEDDINGS
from models.engine import Engine
from models.registry import Registry, local_champion
from training.simulate import simulate
from training.train import train
from training.world import WORLD_1

home = Path(tempfile.mkdtemp())
market = simulate(WORLD_1, creators=300, briefs=100, days=150, rng=np.random.default_rng(1))
print({name: len(table) for name, table in market.tables.items()})

# %% [markdown]
# ## Train, promote, load
#
# Training registers a challenger release in MLflow under `home`; promotion makes it the champion, which is what an
# engine loads. What the data did not allow to train is null in the versions.

# %%
version = train(market.tables, home, seed=1)
Registry(home).promote(version)
engine = Engine.load(local_champion(home), InMemory(market.tables), home / EMBEDDINGS)
print(engine.models())

# %% [markdown]
# ## Rank a brief
#
# The brief is written in English; creators who write in other languages are found as well, because the text encoder is
# multilingual. Every reason is a contribution of the ranker itself.

# %%
brief = {
    "title": "Iced matcha",
    "description": "Cozy summer recipes with our new matcha powder, honest taste, no studio.",
    "content_labels": ["food"],
    "objective": "AWARENESS",
    "budget": 5000,
    "currency": "USD",
    "creators_wanted": 5,
}
answer = engine.rank({"brief": brief, "limit": 10, "explain": True})
for result in answer["results"][:3]:
    print(result["rank"], result["creator_id"], result["credit"]["score"], [r["text"] for r in result["reasons"]])
print(json.dumps(answer["candidates"]))

# %% [markdown]
# ## Score and reasons of the first ten

# %%
totals = pd.DataFrame(
    [
        {"creator": result["creator_id"], "code": reason["code"], "contribution": reason["contribution"]}
        for result in answer["results"]
        for reason in result["reasons"]
    ]
)
order = [result["creator_id"] for result in answer["results"]]
table = totals.pivot_table(index="creator", columns="code", values="contribution", fill_value=0).reindex(order)
axes = table.plot.barh(stacked=True, figsize=(9, 5))
axes.invert_yaxis()
axes.set_xlabel("contribution to the score")
axes.set_title("Why these creators: the ranker's three largest contributions")
plt.tight_layout()
plt.savefig(home / "reasons.png")

# %% [markdown]
# ## Credit of the first
#
# A newcomer's credit starts at 500; every point away from it has an event of the ledger behind it.

# %%
credit = engine.credit({"creator_ids": [answer["results"][0]["creator_id"]]})["results"][0]
print(credit["score"], credit["band"], [reason["text"] for reason in credit["reasons"]])

# %% [markdown]
# ## What was claimed

# %%
ranks = [result["rank"] for result in answer["results"]]
scores = [result["score"] for result in answer["results"]]
languages = {row.creator_id: row.language for row in market.tables["creators"].itertuples()}
assert ranks == list(range(1, 11))
assert scores == sorted(scores, reverse=True)
assert all(reason["contribution"] > 0 for result in answer["results"] for reason in result["reasons"])
assert {languages[result["creator_id"]] for result in answer["results"]} - {"en"}, "only English creators were found"
assert credit["reasons"] or credit["score"] == 500
assert engine.models()["models"]["release"] == version
assert (home / "reasons.png").stat().st_size > 10_000
