"""A catalogue as a folder of files: built once, mapped by every process that serves it, its pages shared."""

from pathlib import Path

from features.audience import Shares
from features.interest import Interest, Positions
from features.lexical import Champions
from features.mapped import load, save
from features.prices import Asked, Prices
from features.state import State, World
from features.tags import Lists, Tags, Words
from models.catalogue import Catalogue
from models.exclusivity import Rivals
from models.index import VectorIndex

CLASSES = (State, World, Interest, Positions, Champions, Asked, Prices, Shares, Lists, Tags, Words, Rivals)
CELLS = "cells.faiss"
KEPT = ("as_of", "latest", "tables", "state", "engaged", "fraud", "credit", "dealings", "rivals", "gone")
DERIVED = ("champions", "by_id")  # of the state: what takes long to derive


def save_catalogue(catalogue: Catalogue, folder: Path) -> None:
    """Writes a ``served`` catalogue without recent creators into ``folder``, which must not be there."""
    if catalogue.recent:
        raise ValueError("only a catalogue that was just built can be kept")
    parts = {name: getattr(catalogue, name) for name in KEPT}
    derived = {name: getattr(catalogue.state, name) for name in DERIVED}
    save(parts | {"derived": derived}, folder)
    catalogue.index.save(folder / CELLS)


def load_catalogue(folder: Path) -> Catalogue:
    """What :func:`save_catalogue` wrote; nobody can write to its arrays."""
    parts = load(folder, CLASSES)
    state = parts["state"]
    state.__dict__.update(parts.pop("derived"))  # where functools.cached_property keeps what it has derived
    cells = folder / CELLS
    return Catalogue(**parts, index=VectorIndex(state.ids, state.vectors, cells if cells.exists() else None))
