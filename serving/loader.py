"""A release over the store, loaded and proven while another one answers."""

import logging
from pathlib import Path

from features.bank import TextBank
from features.tables import read_tables
from features.text import EMBEDDINGS, encoder_id
from models.bundle import Bundle
from models.engine import Engine, bank_for
from models.golden import check_golden
from serving.follower import Follower
from serving.store import Store

logger = logging.getLogger(__name__)


class Loader:
    """Makes engines over the ``store`` at ``url``, each with the follower that keeps it up with the store."""

    def __init__(self, home: Path, url: str, store: Store) -> None:
        self._cache, self._url, self._store = home / EMBEDDINGS, url, store

    def first(self, release: Path) -> Follower:
        """The engine of the release in that folder, over what the store holds.

        Raises InputError: CONFLICT for a release whose files, models, encoder or golden rows are not what they were
        where it was trained, UNAVAILABLE when the store does not answer.
        """
        bundle = Bundle.load(release)
        bank = proven(release, bundle, bank_for(bundle, self._cache))
        with self._store.reading() as now:
            since = now.number()
        return Follower(Engine(bundle, read_tables(self._url), bank), self._store, since)

    def beside(self, release: Path, served: Follower) -> Follower:
        """The same over what a ``served`` engine holds, rows and texts: beside busy threads, a thread that reads a
        database waits for its turn at every row."""
        bundle = Bundle.load(release)
        bank = served.engine.bank
        if encoder_id(bank.encoder) != bundle.encoder_id:
            bank = bank_for(bundle, self._cache)
        proven(release, bundle, bank)
        tables, since = served.held()
        return Follower(Engine(bundle, tables, bank), self._store, since)


def proven(release: Path, bundle: Bundle, bank: TextBank) -> TextBank:
    """``bank``, after the release's golden rows were answered with its encoder as they should be."""
    if unproven := check_golden(release, bundle, bank.encoder):
        logger.warning("release %s is from before golden rows: %s not proven", release.name, ", ".join(unproven))
    return bank
