import json

import pytest

from features.errors import Detail, InputError, bad
from serving.answers import ErrorAnswer
from serving.errors import STATUS, response


@pytest.mark.parametrize(("code", "status"), STATUS.items())
def test_every_code_has_its_status_and_the_one_shape(code, status):
    answer = response(bad("brief.budget", "must be at least 0", -5, code))
    assert answer.status_code == status
    assert ErrorAnswer.model_validate_json(answer.body).error.model_dump() == {
        "code": code,
        "message": "brief.budget: must be at least 0 (got -5)",
        "details": [{"field": "brief.budget", "problem": "must be at least 0", "value": -5.0}],
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (float("nan"), "nan"), (float("-inf"), "-inf"), ("x" * 5_000_000, "x" * 200), ([1] * 9, "9 values"),
        ({"a": 1}, "1 fields"), (10**400, "1" + "0" * 199), (None, None), (True, True), (object, "<class 'object'>"),
    ],
)  # fmt: skip
def test_values_that_json_cannot_hold_or_that_are_long_are_told_in_short(value, shown):
    answer = response(InputError("no", [Detail(field="f", problem="p", value=value)]))
    assert json.loads(answer.body)["error"]["details"][0]["value"] == shown


def test_401_says_how_and_429_says_when():
    assert response(InputError("", code="UNAUTHENTICATED")).headers["www-authenticate"] == "Bearer"
    assert response(InputError("", code="RESOURCE_EXHAUSTED")).headers["retry-after"] == "1"
