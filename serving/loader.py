"""A release over the store, loaded and proven while another one answers."""

import logging
from pathlib import Path

from features.bank import TextBank
from features.text import EMBEDDINGS, encoder_id
from models.bundle import Bundle
from models.engine import Engine, bank_for
from models.golden import check_golden
from models.shelf import load_catalogue
from serving.ahead import WORTH, begin, begin_beside
from serving.follower import Follower
from serving.shelves import LARGE, MOST_BEHIND, Shelves
from serving.store import Store

# What a first ranking computes of everyone takes seconds where there are a million, and requests would wait for it.
FIRST = {"brief": {"title": "A first brief"}, "filters": {"min_followers": 0}, "limit": 1}

logger = logging.getLogger(__name__)


class Loader:
    """Makes engines over the ``store``, each with the follower that keeps it up with the store."""

    def __init__(self, home: Path, store: Store, shelves: Shelves) -> None:
        self._home, self._cache, self._store, self._shelves = home, home / EMBEDDINGS, store, shelves

    def first(self, release: Path) -> Follower:
        """The engine of the release in that folder, over what the store holds.

        Raises InputError: CONFLICT for a release whose files, models, encoder or golden rows are not what they were
        where it was trained, UNAVAILABLE when the store does not answer.
        """
        bundle = Bundle.load(release)
        return self._over(release, bundle, proven(release, bundle, bank_for(bundle, self._cache)), by_id=True)

    def beside(self, release: Path, served: Follower, by_id: bool = True) -> Follower:
        """The same with the texts that a ``served`` engine has read; whether it is asked about creators ``by_id``."""
        bundle = Bundle.load(release)
        bank = served.engine.bank
        if encoder_id(bank.encoder) != bundle.encoder_id:
            bank = bank_for(bundle, self._cache)
        return self._over(release, bundle, proven(release, bundle, bank), by_id)

    def _over(self, release: Path, bundle: Bundle, bank: TextBank, by_id: bool) -> Follower:
        kept = self._kept(release)
        with self._store.reading() as now:
            since = kept[1] if kept else now.number()
        folder = kept[0] if kept else None
        engine = Engine(bundle, self._store, bank, load_catalogue(folder) if folder else None)
        engine.rank(FIRST)
        if by_id and engine.catalogue.size >= WORTH:
            self._begin_ahead(release, engine, folder)
        return Follower(engine, self._store, since)

    def _begin_ahead(self, release: Path, engine: Engine, folder: Path | None) -> None:
        url, catalogue = self._store.url, engine.catalogue
        try:
            if folder:
                engine.read_ahead(begin_beside(folder, release, url, catalogue.size))
            else:
                engine.read_ahead(begin(self._home, release, url, catalogue))
        except OSError:
            logger.exception("answers about single creators are made when they are asked for, not ahead")

    def _kept(self, release: Path) -> tuple[Path, int] | None:
        """The catalogue to map: the newest, or a new one where too many creators have changed since; None where there
        are so few creators that each worker builds its own."""
        kept = self._shelves.newest(release.name)
        with self._store.reading() as now:
            if kept and now.changed(kept[1]) <= MOST_BEHIND // 2:
                return kept
            large, number = kept or now.creators() >= LARGE, now.number()
        return self._shelves.build(release, number) if large else None


def proven(release: Path, bundle: Bundle, bank: TextBank) -> TextBank:
    """``bank``, after the release's golden rows were answered with its encoder as they should be."""
    if unproven := check_golden(release, bundle, bank.encoder):
        logger.warning("release %s is from before golden rows: %s not proven", release.name, ", ".join(unproven))
    return bank
