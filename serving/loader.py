"""A release over the store, loaded and proven while another one answers."""

import logging
from pathlib import Path

from features.bank import TextBank
from features.text import EMBEDDINGS, encoder_id
from models.bundle import Bundle
from models.engine import Engine, bank_for
from models.golden import check_golden
from serving.follower import Follower
from serving.store import Store

logger = logging.getLogger(__name__)


class Loader:
    """Makes engines over the ``store``, each with the follower that keeps it up with the store."""

    def __init__(self, home: Path, store: Store) -> None:
        self._cache, self._store = home / EMBEDDINGS, store

    def first(self, release: Path) -> Follower:
        """The engine of the release in that folder, over what the store holds.

        Raises InputError: CONFLICT for a release whose files, models, encoder or golden rows are not what they were
        where it was trained, UNAVAILABLE when the store does not answer.
        """
        bundle = Bundle.load(release)
        return self._over(bundle, proven(release, bundle, bank_for(bundle, self._cache)))

    def beside(self, release: Path, served: Follower) -> Follower:
        """The same with the texts that a ``served`` engine has read."""
        bundle = Bundle.load(release)
        bank = served.engine.bank
        if encoder_id(bank.encoder) != bundle.encoder_id:
            bank = bank_for(bundle, self._cache)
        return self._over(bundle, proven(release, bundle, bank))

    def _over(self, bundle: Bundle, bank: TextBank) -> Follower:
        with self._store.reading() as now:
            since = now.number()
        return Follower(Engine(bundle, self._store, bank), self._store, since)


def proven(release: Path, bundle: Bundle, bank: TextBank) -> TextBank:
    """``bank``, after the release's golden rows were answered with its encoder as they should be."""
    if unproven := check_golden(release, bundle, bank.encoder):
        logger.warning("release %s is from before golden rows: %s not proven", release.name, ", ".join(unproven))
    return bank
