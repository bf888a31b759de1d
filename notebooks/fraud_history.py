# %% [markdown]
# # Bought or viral? Two histories of creators
#
# A jump in a creator's numbers may be bought, or earned by one video. This notebook simulates a marketplace, trains the
# fraud model on its reviews, and looks at two creators as a risk analyst would: one who bought followers, one who had a
# viral hit. Each claim of the prose is asserted at the end.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from features.asof import data_as_of, known
from features.fraud.history import Dossier
from models.fraud import fit_fraud, past_probabilities
from training.history_plot import history_plot
from training.simulate import simulate
from training.world import WORLD_1

folder = Path(tempfile.mkdtemp())
market = simulate(WORLD_1, creators=400, briefs=20, days=180, rng=np.random.default_rng(1))
tables, end = market.tables, data_as_of(market.tables)
model = fit_fraud(tables, label_known_by=end, rng=np.random.default_rng(0))

# %% [markdown]
# ## Scores and reasons of everyone
#
# The dossier holds the tables as they were known on the last day. Evidence and innocent explanations are made from it;
# the probability comes from the features alone.

# %%
seen = known(tables, end)
features, dossier = model.features(seen, end), Dossier.of(seen, end)
answers = {answer["creator_id"]: answer for answer in model.answers(features, "notebook", dossier)}
scores = pd.Series({one: answer["fraud_probability"] for one, answer in answers.items()}, dtype="float64")
print(scores.describe())

# %% [markdown]
# ## Who bought, who went viral
#
# The simulation knows: `campaigns` tells what each creator did and when. Of those who bought followers and did nothing
# else we take the one with the highest score; of those who only had a viral hit the one with the highest among those
# for whom something was found on a day of the hit. Only the simulation may look there; the model saw reviews alone.

# %%
campaigns = market.truth["campaigns"]
days = campaigns.assign(first=campaigns["period_start"].dt.floor("D"), last=campaigns["period_end"].dt.floor("D"))
alone = days[~days["creator_id"].duplicated(keep=False)].set_index("creator_id")
alone = alone[alone["first"] > end - pd.Timedelta(days=85)]


def found_on(creator: str) -> list[pd.Timestamp]:
    """The days of the campaign on which something innocent was found."""
    dates = [one["evidence"].get("date") for one in answers[creator]["innocent_explanations"]]
    found = [pd.Timestamp(date) for date in dates if date]
    return [date for date in found if alone.loc[creator, "first"] <= date <= alone.loc[creator, "last"]]


bought = scores[alone.index[alone["fraud_type"] == "BOUGHT_FOLLOWERS"]].idxmax()
viral = scores[[one for one in alone.index[alone["fraud_type"] == "VIRAL_HIT"] if found_on(one)]].idxmax()
print(alone.loc[[bought, viral], ["fraud_type", "first", "last", "intensity"]])

# %% [markdown]
# ## Their histories
#
# A full mark is a day of which a reason speaks; it is green where something innocent happened on that day. The lowest
# panel tells what this model says of the past from what was known then.


# %%
def draw(creator: str) -> Path:
    """The picture that ``creatormatch fraud DIR --creator ID --plot FILE.png`` makes."""
    (history,) = dossier.histories([creator])
    file = folder / f"{creator}.png"
    file.write_bytes(history_plot(history, past_probabilities(model, tables, creator, end), answers[creator]))
    plt.figure(figsize=(10, 10))
    plt.imshow(plt.imread(file))
    plt.axis("off")
    return file


pictures = [draw(bought), draw(viral)]

# %% [markdown]
# ## What the answers say
#
# The bought jump lies within the campaign; it has more than ten times the followers that the day's views usually
# bring, and nothing that explains it. Within the hit, a video, or views and likes that rose as much, stand beside the
# jump. The viral creator's probability is far lower, and what speaks for innocence was said without changing it.


# %%
def told(creator: str) -> pd.DataFrame:
    """A line for each reason and each innocent explanation."""
    answer = answers[creator]
    return pd.DataFrame(
        {
            "code": one["code"],
            "date": one["evidence"].get("peak_date", one["evidence"].get("date")),
            "text": one["text"],
        }
        for one in answer["reason_codes"] + answer["innocent_explanations"]
    )


for creator in (bought, viral):
    print(creator, round(scores[creator], 3))
    print(told(creator).to_string(index=False))

# %% [markdown]
# ## What was claimed

# %%
spike = next(one["evidence"] for one in answers[bought]["reason_codes"] if one["code"] == "FOLLOWER_SPIKE")
assert alone.loc[bought, "first"] <= pd.Timestamp(spike["peak_date"]) <= alone.loc[bought, "last"]
assert spike["days"][0]["value"] > 10 * spike["days"][0]["expected"]
assert not found_on(bought)
assert found_on(viral)
assert scores[bought] > 3 * scores[viral]
pd.testing.assert_series_equal(scores, model.predict(features), check_names=False)
assert all(picture.stat().st_size > 50_000 for picture in pictures)
