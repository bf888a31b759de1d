"""What creators and brands write: phrases of seven languages filled with the words of their topics."""

import numpy as np

from training.simulate.base import SUBTOPICS, TOPIC_NAMES, Floats, Ints, Words, draw
from training.simulate.creators import Population
from training.world import PHRASES, TOPICS, World, material

LANGUAGES = tuple(material(PHRASES))
WORDS_PER_SUBTOPIC = 3


def _lexicon() -> Words:
    """(subtopics, languages, words) of the topic material."""
    topics = material(TOPICS)
    return np.array(
        [
            [topics[topic][language][place].split("|") for language in LANGUAGES]
            for topic in TOPIC_NAMES
            for place in range(SUBTOPICS)
        ],
        dtype=object,
    )


def language_index(languages: Words) -> Ints:
    """Places in :data:`LANGUAGES`."""
    return np.array([LANGUAGES.index(language) for language in languages], dtype=np.int64)


def words(subtopics: Ints, languages: Words, rng: np.random.Generator) -> Words:
    """A random word of each subtopic in each language."""
    return _lexicon()[subtopics, language_index(languages), rng.integers(WORDS_PER_SUBTOPIC, size=len(subtopics))]


def fill(kind: str, languages: Words, rng: np.random.Generator, **slots: Words) -> list[str]:
    """A random phrase of that kind in each language, its slots filled row by row."""
    phrases, choice = material(PHRASES), rng.random(len(languages))
    rows = [dict(zip(slots, row, strict=True)) for row in zip(*slots.values(), strict=True)]
    return [
        phrases[language][kind][int(part * len(phrases[language][kind]))].format_map(row).strip()
        for language, part, row in zip(languages, choice, rows, strict=True)
    ]


def topical(world: World, shares: Floats, rng: np.random.Generator) -> Ints:
    """A subtopic for each row of shares; now and then any other."""
    anything = rng.integers(shares.shape[1], size=len(shares))
    return np.where(rng.random(len(shares)) < world.creators.off_topic, anything, draw(shares, rng))


def bios(world: World, people: Population, rng: np.random.Generator) -> list[str]:
    """A bio each, from two of the creator's subtopics."""
    a, b = (words(topical(world, people.subtopics, rng), people.language, rng) for _ in range(2))
    return fill("bio", people.language, rng, a=a, b=b)


def captions(world: World, shares: Floats, languages: Words, rng: np.random.Generator) -> list[str]:
    """A caption for each row of subtopic shares."""
    a, b = (words(topical(world, shares, rng), languages, rng) for _ in range(2))
    noise = np.array(fill("noise", languages, rng, a=a), dtype=object)
    return fill("caption", languages, rng, a=a, b=b, noise=noise)
