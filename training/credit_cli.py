"""``creatormatch fit-credit``: a new credit policy from what ledgers hold."""

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: creatormatch fit-credit data/sample --version credit-ours --out credit_policy.json"


def fit_credit(
    sources: Annotated[
        list[str], typer.Argument(metavar="DIR...", help="Folders with one file per table, or SQL URLs.")
    ],
    version: Annotated[str, typer.Option(help="The name of the new policy.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
) -> None:
    """Fit credit's priors and weights to what collaborations came to, and, of a single DIR, how severely brands rate.

    What is fitted, within which bounds, is told in docs/credit.md; read the numbers before you serve them.
    """
    from features.errors import bad
    from features.validation import read_usable, wall_clock
    from models.credit import load_policy
    from training.credit.document import write_policy
    from training.credit.fit import fitted

    ledgers = [read_usable(source, wall_clock())["collaboration_events"] for source in sources]
    try:
        policy = fitted(ledgers, load_policy())
    except ValueError as problem:
        raise bad("collaboration_events", str(problem), ", ".join(sources)) from problem
    write_policy(policy, version, out)
    typer.echo(f"wrote {out}")
