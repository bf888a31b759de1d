"""What the events that move credit are called."""

import pandas as pd

# By the code of an event; {v} is the rating or the assessed value.
TEXTS = {
    "CONTENT_SUBMITTED_ON_TIME": "Content submitted on time",
    "CONTENT_SUBMITTED_LATE": "Content submitted late",
    "PUBLISHED_ON_TIME": "Published as agreed",
    "PUBLISHED_LATE": "Published late",
    "SETTLED": "Order completed and settled",
    "CANCELLED_BY_CREATOR": "Order cancelled by the creator",
    "DEFAULTED": "Order not delivered",
    "TRAINING_PASSED": "Training passed",
    "VIOLATION_CONFIRMED_1": "Minor violation confirmed",
    "VIOLATION_CONFIRMED_2": "Violation confirmed",
    "VIOLATION_CONFIRMED_3": "Severe violation confirmed",
    "FRAUD_CONFIRMED": "Fake engagement confirmed",
    "RATED": "Rated {v:g} of 5 by a brand",
    "ASSESSED_AUTHENTICITY": "Authenticity assessed at {v:.0%}",
    "ASSESSED_INTERACTION": "Interaction quality assessed at {v:.0%}",
}
# What can change credit beside them, at a moment of its history.
CHANGES = {
    "VIOLATION_OVERTURNED": "Violation overturned",
    "FRAUD_CLEARED": "Cleared of fake engagement",
    "POLICY_CHANGED": "New credit policy",
    "SUSPENSION_ENDED": "Suspension ended",
    "PROBATION_ENDED": "Limit after a suspension ended",
}


def described(code: str, measure: float, at: pd.Timestamp) -> str:
    """The event as a sentence without its end, with the date."""
    return f"{(TEXTS | CHANGES)[code].format(v=measure)} on {at:%Y-%m-%d}"
