"""What a brief calls its product."""

import pytest

from features.briefs import names, without
from tests.features.market import brief


@pytest.mark.parametrize(
    ("title", "description", "found"),
    [
        ("NimbusBrew, iced tea", "Our NimbusBrew steeps tea.", ["NimbusBrew"]),
        ("NimbusBrew：不用等的冰茶", "把茶叶放进NimbusBrew冷泡瓶", ["NimbusBrew"]),
        ("Чай Нимбус", "Наш Нимбус", ["Нимбус"]),
        ("iced tea", "Our iced tea", []),
        ("شاي مثلج", "شاي مثلج", []),
        ("NimbusBrew", None, []),
    ],
)
def test_a_name_has_a_capital_and_stands_in_title_and_description(title, description, found):
    assert names(brief(title=title, description=description)) == found


def test_only_whole_words_are_left_out():
    assert without("Nim, NimbusBrew茶 and Nimbus", ["NimbusBrew", "Nim"]) == ", 茶 and Nimbus"
    assert without("as it is", []) == "as it is"
