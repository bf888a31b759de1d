"""How right each creator truly is for a brief. Nothing here depends on anyone's protected traits."""

from dataclasses import dataclass

import numpy as np

from training.simulate.audience import Audience
from training.simulate.base import SUBTOPICS, TOPIC_NAMES, Floats, standard
from training.simulate.briefs import Brands, Briefs
from training.simulate.creators import Population
from training.simulate.text import LANGUAGES
from training.world import World


@dataclass(frozen=True)
class Market:
    """All that utility depends on."""

    world: World
    people: Population
    audience: Audience
    houses: Brands

    def utility(self, asked: Briefs, row: int, rng: np.random.Generator) -> Floats:
        """(n,) utility of every creator for that brief, standardised over the catalogue."""
        w, brand = self.world.utility, asked.brand[row]
        raw = (
            self._topical(asked, row)
            + w.audience * self._audience(asked, row)
            + w.place * self._place(asked, row)
            + w.style * (self.people.styles[:, asked.style[row]] - 0.5)
            + w.form * (self.people.formats[:, asked.form[row]] - 1.0)
            - w.price * np.log(self.people.price / asked.budget[row]).clip(0, 2.5)
            + w.quality * self.people.quality
            + w.reliability * self.people.reliability
            + w.taste * (self.people.aesthetics @ self.houses.taste[brand]) / np.sqrt(self.world.creators.aesthetics)
            - w.size * np.abs(np.log(self.people.followers) - self.houses.tier[brand]).clip(0, 3)
            + w.noise * rng.normal(size=self.people.size)
        )
        return standard(raw)

    def _topical(self, asked: Briefs, row: int) -> Floats:
        """Talking of it at all counts most, hence the roots."""
        w, topic = self.world.utility, asked.subtopic[row] // SUBTOPICS
        about = self.people.subtopics[:, topic * SUBTOPICS : (topic + 1) * SUBTOPICS].sum(axis=1)
        return w.topic * np.sqrt(about) + w.subtopic * np.sqrt(self.people.subtopics[:, asked.subtopic[row]])

    def _audience(self, asked: Briefs, row: int) -> Floats:
        """Mean of the standardised shares of the wanted ages and genders."""
        ages = self.audience.shares["age"] @ asked.ages[row]
        parts = [ages]
        if not asked.genders[row].all():
            parts.append(self.audience.shares["gender"] @ asked.genders[row])
        return np.mean([standard(part).clip(-2, 2) for part in parts], axis=0)

    def _place(self, asked: Briefs, row: int) -> Floats:
        """For a local brief: the audience in its country, and those who understand its language; else nothing."""
        place = asked.country[row]
        if place < 0:
            return np.zeros(self.people.size)
        spoken = LANGUAGES.index(self.world.countries[place].language)
        return self.audience.shares["country"][:, place] + 0.6 * self.audience.shares["language"][:, spoken]


def label_flags(labels: list[list[str]]) -> Floats:
    """(n, topics) 1 where the label is listed."""
    return np.array([[float(topic in listed) for topic in TOPIC_NAMES] for listed in labels])
