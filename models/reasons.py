"""Turning a model's own contributions into sentences: one code and one text per feature, for what raises a score."""

from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd

MOST = 3
# What a positive contribution of the feature says; {v} is the feature's value for this creator.
TEXTS = {
    "text_cosine": "Bio and videos speak of what the brief describes (similarity {v:.2f})",
    "reference_cosine": "Videos resemble the reference captions (similarity {v:.2f})",
    "lexical_cosine": "Uses the brief's own words (overlap {v:.2f})",
    "tower_score": "Close to creators whom similar briefs chose (match {v:.2f})",
    "label_overlap": "Content labels match the brief's ({v:.0%})",
    "style_overlap": "Content style matches the brief's ({v:.0%})",
    "format_overlap": "Content format matches the brief's ({v:.0%})",
    "brand_label_share": "Works in a field this brand usually hires ({v:.0%} of its creators)",
    "brand_similarity": "Resembles creators this brand has hired (similarity {v:.2f})",
    "brand_lexical": "Uses the words of creators this brand has hired (overlap {v:.2f})",
    "brand_jobs": "Jobs done for this brand before: {v:.0f}",
    "brand_failures": "Jobs of this brand that failed: {v:.0f}",
    "brand_interest": "This brand looked closer {v:.1f} times as often as usual when shown this creator",
    "all_interest": "Brands wanted this creator {v:.1f} times as often as usual when shown it",
    "brand_size_gap": "About as large as creators this brand has hired",
    "lookalike_brands": "Hired by brands with similar briefs (weight {v:.2f})",
    "lookalike_tastes": "Hired by brands with this brand's taste (weight {v:.2f})",
    "lookalike_partners": "Hired by brands that share creators with this brand (weight {v:.2f})",
    "audience_age": "{v:.0%} of the audience is of the wanted age",
    "audience_gender": "{v:.0%} of the audience is of the wanted gender",
    "audience_country": "{v:.0%} of the audience is in the wanted countries",
    "audience_language": "{v:.0%} of the audience speaks the wanted languages",
    "audience_interest": "{v:.0%} of the audience has the wanted interests",
    "language_match": "Writes in a wanted language",
    "country_match": "Lives in a wanted country",
    "price_to_budget": "Price is {v:.0%} of the budget per creator",
    "cost_per_mille": "Asks {v:.2f} US dollars per thousand views",
    "followers_in_range": "Followers are in the wanted range",
    "objective": "Fits the campaign's objective",
    "followers_count": "{v:,.0f} followers",
    "median_views": "{v:,.0f} median views",
    "engagement_rate": "{v:.1%} of viewers react",
    "followers_growth": "Followers changed by {v:+.1%} in four weeks",
    "videos_count": "{v:,.0f} videos published",
    "following_ratio": "Follows {v:.2f} accounts per follower",
    "price_usd": "Asks {v:,.0f} US dollars",
    "acceptance_rate": "Accepts {v:.0%} of invitations",
    "completion_rate": "Completes {v:.0%} of jobs",
    "mean_rating": "Rated {v:.1f} of 5 by brands",
    "jobs": "Jobs taken so far: {v:.0f}",
    "open_orders": "Open orders: {v:.0f}",
    "recent_invitations": "Invitations in the last 30 days: {v:.0f}",
    "credit_score": "Credit score {v:.0f}",
    "fraud_probability": "Probability of fake engagement {v:.0%}",
}
# Counts and flags, of which zero says that there is nothing to tell, whatever a model made of it.
COUNTED = frozenset(
    "brand_jobs brand_failures language_match country_match followers_in_range followers_count median_views "
    "videos_count jobs open_orders recent_invitations".split()
)


class Reason(TypedDict):
    """A code (the feature's name in capitals), its text and its share of the score's margin."""

    code: str
    text: str
    contribution: float


def top_reasons(features: pd.DataFrame, margins: npt.NDArray[np.floating], most: int = MOST) -> list[list[Reason]]:
    """Per row of ``features`` (k, p) the ``most`` largest positive ``margins`` (k, p), largest first.

    A value that is not known and a count or flag of zero are no reasons, though a model may have learned from them.
    """
    values = features.to_numpy(np.float64)
    nothing = np.isnan(values) | ((values == 0) & features.columns.isin(list(COUNTED)))
    told = np.where(nothing, 0.0, margins)
    order = np.argsort(-told, axis=1, kind="stable")[:, :most]
    return [
        [_reason(features.columns[j], values[i, j], told[i, j]) for j in order[i] if told[i, j] > 0]
        for i in range(len(features))
    ]


def _reason(name: str, value: float, margin: float) -> Reason:
    return Reason(code=name.upper(), text=TEXTS[name].format(v=value), contribution=float(margin))
