"""Accounts that act on the same creators at the same time, repeatedly: lockstep (CopyCatch, Beutel et al., WWW 2013) by
the similarity of action logs (SynchroTrap, Cao et al., CCS 2014)."""

import numpy as np
import pandas as pd
from scipy import sparse

from features.graph.acts import Acts, Ints, connected, crowded, together
from features.graph.chance import beyond_chance, surprise
from features.graph.evidence import Evidence, Group

WINDOW = pd.Timedelta(days=7)  # logs are samples: of a ring, one account a day is seen on a creator
CROWD = 50  # accounts in one window of one creator
REPEATED = 2  # creators in common; one is a coincidence
SIMILARITY = 0.2  # of at least so many of all that both did
FEWEST = 4  # accounts; of three, two links are enough to be connected


def lockstep_groups(events: pd.DataFrame) -> list[Group]:
    """Groups of at least FEWEST accounts that :func:`similarity` connects, with the creators on whom two or more of
    them acted together; ``strength`` is the mean Jaccard similarity. From rows of ``engagements``, largest groups
    first."""
    acts = Acts.of(events)
    similar, evidence = similarity(acts), Evidence(events, acts)
    found = [_group(evidence, members, similar) for members in connected(similar, FEWEST)]
    return sorted(found, key=lambda one: (-len(one.accounts), one.accounts))


def similarity(acts: Acts) -> sparse.csr_matrix:
    """(accounts, accounts) Jaccard similarity of the sets of (creator, window) in which two accounts acted, where they
    have REPEATED in common, reach SIMILARITY, and chance would not have made it so.

    Windows lie on two grids, half a window apart, and the more similar counts: acts within half a window of each other
    meet on one of them. Windows with more than CROWD accounts are cut, see :func:`features.graph.acts.crowded`.
    """
    grids = [_similar(_windows(acts, shift)) for shift in (0.0, 0.5)]
    return sparse.csr_matrix(grids[0].maximum(grids[1]))


def _similar(incidence: sparse.csr_matrix) -> sparse.csr_matrix:
    common, done = together(incidence, REPEATED).tocoo(), np.diff(incidence.indptr)
    jaccard = common.data / (done[common.row] + done[common.col] - common.data)
    kept = (jaccard >= SIMILARITY) & (surprise(incidence, common) >= beyond_chance(len(done)))
    return sparse.csr_matrix((jaccard[kept], (common.row[kept], common.col[kept])), shape=common.shape)


def _windows(acts: Acts, shift: float) -> sparse.csr_matrix:
    """(accounts, pairs of creator and window) where acted."""
    number = np.floor(acts.second / WINDOW.total_seconds() + shift).astype(np.int64)
    number -= number.min(initial=0)
    _, column = np.unique(acts.creator * (number.max(initial=0) + 1) + number, return_inverse=True)
    return crowded(acts.account, column, len(acts.accounts), CROWD)


def _group(evidence: Evidence, members: Ints, similar: sparse.csr_matrix) -> Group:
    met = _met(evidence.acts.part(evidence.by(members)))
    return evidence.group("LOCKSTEP", members, met, float(similar[members].data.mean()))


def _met(acts: Acts) -> Ints:
    """The creators on whom two accounts acted, one after the other, within half a window."""
    order = np.lexsort((acts.second, acts.creator))
    account, creator, second = acts.account[order], acts.creator[order], acts.second[order]
    soon = np.diff(second) <= WINDOW.total_seconds() / 2
    return np.unique(creator[1:][soon & (np.diff(creator) == 0) & (np.diff(account) != 0)])
