"""What tests ask of an engine, and how they read its answers."""

from typing import Any

from models.engine import Engine

BRIEF = {
    "title": "Matcha latte 🍵",
    "description": "cozy recipe videos, honest taste",
    "language": "en",
    "objective": "AWARENESS",
    "content_labels": ["food"],
    "budget": 5000,
    "currency": "USD",
    "creators_wanted": 5,
    "target_countries": ["US", "JP"],
}
EVERYONE = 200


def ranked(engine: Engine, **request: Any) -> dict[str, Any]:
    return engine.rank({"brief": BRIEF, **request})


def ids_of(answer: dict[str, Any]) -> list[str]:
    return [one["creator_id"] for one in answer["results"]]


def every_page(engine: Engine) -> list[str]:
    found, token = [], None
    while True:
        page = engine.search({"page_size": 97, "page_token": token})
        found += ids_of(page)
        if (token := page["next_page_token"]) is None:
            return found


def codes(one: dict[str, Any]) -> set[str]:
    return {reason["code"] for reason in one["reasons"]}
