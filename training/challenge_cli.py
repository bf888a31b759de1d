"""``creatormatch challenge``: a release beside the champion, in the shadow or in an experiment."""

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: creatormatch challenge 3 --shadow 0.1 --experiment new-towers --share 0.5"


def challenge(
    version: Annotated[str | None, typer.Argument(help="A release; the challenger by default.")] = None,
    shadow: Annotated[float, typer.Option(min=0.0, max=1.0, help="Of the rank requests, unseen by who asks.")] = 0.0,
    experiment: Annotated[str | None, typer.Option(help="Its name decides which brands are in which arm.")] = None,
    share: Annotated[float, typer.Option(min=0.0, max=1.0, help="Of the brands that the challenger answers.")] = 0.5,
    home: Annotated[Path, typer.Option(envvar="CREATORMATCH_HOME", help="The data directory.")] = Path("data"),
) -> None:
    """Try a release beside the champion; without --shadow and --experiment none is tried any more."""
    from models.challenge import Challenge, Experiment, write_challenge
    from models.registry import CHALLENGER, Registry

    if not shadow and experiment is None:
        write_challenge(home, None)
        typer.echo("no release is tried beside the champion")
        return
    chosen = Registry(home).fetch(version or CHALLENGER).name
    write_challenge(home, Challenge(chosen, shadow, None if experiment is None else Experiment(experiment, share)))
    typer.echo(f"release {chosen} is tried beside the champion")
