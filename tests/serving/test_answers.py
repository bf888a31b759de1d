import pytest
from pydantic import ValidationError

from serving.fraud_answers import FraudScore

KNOWN = {
    "creator_id": "ana", "fraud_probability": 0.5, "risk_score": 700, "compared_with": "QUIET", "risk_level": "HIGH",
    "recommended_action": "REVIEW", "confidence": 0.1, "insufficient_data": False, "reason_codes": [],
    "innocent_explanations": [],
    "model_version": "1", "policy_version": "1", "data_as_of": "2026-01-01T00:00:00",
}  # fmt: skip
UNKNOWN = {
    "fraud_probability": None,
    "risk_score": None,
    "compared_with": None,
    "risk_level": None,
    "insufficient_data": True,
}


def test_a_creator_of_whom_too_little_is_known_has_no_number_and_no_level():
    FraudScore.model_validate(KNOWN)
    FraudScore.model_validate(KNOWN | UNKNOWN)
    with pytest.raises(ValidationError):
        FraudScore.model_validate(KNOWN | {"fraud_probability": 1.5})
