"""Groups of creators who lift each other: pods.

The contract keeps accounts and creators apart, so what can be seen depends on the data. Where a platform has one space
of ids for both, an ``account_id`` may be a creator's own and a pod is a ring of creators who engage with each other
(:func:`reciprocal_pods`). Where it has not, the accounts of a pod's members are just accounts, and a pod shows as
creators served by the same circle of accounts (:func:`circles`), as a ring that one seller serves does: the graph
alone cannot tell these two apart.
"""

import numpy as np
import pandas as pd
from scipy import sparse

from features import columns as c
from features.graph.acts import Acts, Ints, connected, crowded, together
from features.graph.chance import beyond_chance, surprise
from features.graph.evidence import Evidence, Group

CROWD = 50  # creators of one account
FEWEST = 3  # creators; two who like each other are no ring


def reciprocal_pods(events: pd.DataFrame) -> list[Group]:
    """Rings of at least FEWEST creators in which each is in mutual engagement with two others or more: the connected
    parts of the 2-core of mutual edges (Seidman, 1983). Empty where no ``account_id`` is a ``creator_id``. ``strength``
    is the share of the pairs that are mutual."""
    creators = pd.Index(events[c.CREATOR_ID].unique())
    own = events[events[c.ACCOUNT_ID].isin(creators) & (events[c.ACCOUNT_ID] != events[c.CREATOR_ID])]
    acts = Acts.of(own)
    source = acts.creators.get_indexer(acts.accounts)
    known = source[acts.account] >= 0
    size = len(acts.creators)
    edges = sparse.csr_matrix((np.ones(known.sum()), (source[acts.account[known]], acts.creator[known])), (size, size))
    mutual = core(edges.minimum(edges.T).astype(bool).astype(np.float64), 2)
    evidence = Evidence(own, acts)
    found = [
        evidence.group("POD", _own(acts, ring), ring, _density(mutual, ring)) for ring in connected(mutual, FEWEST)
    ]
    return sorted(found, key=lambda one: (-len(one.creators), one.creators))


def circles(events: pd.DataFrame) -> list[Group]:
    """Groups of at least FEWEST creators that :func:`shared_accounts` connects beyond chance, with the accounts that
    acted on two or more of them; ``strength`` is the largest surprise inside. Largest groups first."""
    acts = Acts.of(events)
    links, engaged, evidence = shared_accounts(acts), acts.matrix().tocsc(), Evidence(events, acts)
    links = sparse.csr_matrix(links.multiply(links >= beyond_chance(len(acts.creators))))
    found = []
    for circle in connected(links, FEWEST):
        busy = np.flatnonzero(np.asarray(engaged[:, circle].sum(axis=1)).ravel() >= 2)
        found.append(evidence.group("CIRCLE", busy, circle, float(links[circle].max())))
    return sorted(found, key=lambda one: (-len(one.creators), one.creators))


def shared_accounts(acts: Acts) -> sparse.csr_matrix:
    """(creators, creators) the surprise at how many accounts two creators have in common, where two or more."""
    served, size = acts.matrix().tocoo(), len(acts.creators)
    incidence = crowded(served.col, served.row, size, CROWD)
    common = together(incidence, 2).tocoo()
    return sparse.csr_matrix((surprise(incidence, common), (common.row, common.col)), shape=common.shape)


def core(adjacency: sparse.csr_matrix, k: int) -> sparse.csr_matrix:
    """The edges of the k-core: nodes with fewer than ``k`` neighbours are taken out until none is left."""
    while True:
        degree = np.diff(adjacency.indptr)
        if not ((degree > 0) & (degree < k)).any():
            return adjacency
        keep = sparse.diags((degree >= k).astype(np.float64))
        adjacency = sparse.csr_matrix(keep @ adjacency @ keep)
        adjacency.eliminate_zeros()


def _own(acts: Acts, creators: Ints) -> Ints:
    """The accounts of these creators."""
    return acts.accounts.get_indexer(acts.creators[creators])


def _density(adjacency: sparse.csr_matrix, places: Ints) -> float:
    """Share of the pairs that are joined."""
    return float(adjacency[places][:, places].sum() / (len(places) * (len(places) - 1)))
