"""``creatormatch challenge``: a release beside the champion, in the shadow or in an experiment."""

from pathlib import Path
from typing import Annotated

import typer

HALF = 0.5
EXAMPLE = "Example: creatormatch challenge 3 --shadow 0.1 --experiment new-towers --share 0.5"


def challenge(
    version: Annotated[str | None, typer.Argument(help="A release; the challenger by default.")] = None,
    shadow: Annotated[float, typer.Option(min=0.0, max=1.0, help="Of the rank requests, unseen by who asks.")] = 0.0,
    experiment: Annotated[str | None, typer.Option(help="Its name decides which brands are in which arm.")] = None,
    share: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Of the brands that the challenger answers; 0.5 by default.")
    ] = None,
    home: Annotated[Path, typer.Option(envvar="CREATORMATCH_HOME", help="The data directory.")] = Path("data"),
) -> None:
    """Try a release beside the champion; without --shadow and --experiment none is tried any more."""
    from features.errors import bad
    from models.challenge import Challenge, Experiment, write_challenge
    from models.registry import CHALLENGER, Registry

    if share is not None and not experiment:
        raise bad("--share", "is of an experiment; name it with --experiment", share)
    if not shadow and not experiment:
        write_challenge(home, None)
        typer.echo("no release is tried beside the champion")
        return
    chosen = Registry(home).fetch(version or CHALLENGER).name
    arms = Experiment(experiment, HALF if share is None else share) if experiment else None
    write_challenge(home, Challenge(chosen, shadow, arms))
    typer.echo(f"release {chosen} is tried beside the champion")
