from features.recent import Recent


def test_what_was_not_asked_for_or_told_for_longest_goes_first() -> None:
    kept = Recent[int](3)
    for number in range(3):
        kept.keep({number: number})
    kept.keep({0: 10})
    assert kept.get(1, lambda: -1) == 1
    kept.keep({3: 3})
    assert kept.values() == [10, 1, 3]
