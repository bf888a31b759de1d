"""``creatormatch pull``: what was promoted on another machine is served from this one's data directory."""

import time
from pathlib import Path
from typing import Annotated

import typer

from features.errors import InputError

EXAMPLE = "Example: creatormatch pull --every 5"
Home = Annotated[Path, typer.Option(envvar="CREATORMATCH_HOME", help="The data directory that services here read.")]
Every = Annotated[
    float | None, typer.Option(min=0.1, metavar="SECONDS", help="Look again and again, until stopped; else once.")
]


def pull(every: Every = None, home: Home = Path("data")) -> None:
    """Copy the registry's champion here and have it served.

    Of use where CREATORMATCH_REGISTRY names an MLflow tracking server, beside services on machines that nobody promotes
    on. With --every a registry that is down or a release that is damaged is told, and what was served before stays.
    """
    from models.registry import Registry

    registry, pulled = Registry(home), None
    while True:
        try:
            if registry.champion() != pulled:
                pulled = registry.pull()
                typer.echo(f"release {pulled} is the champion here")
        except InputError as error:
            if every is None:
                raise
            typer.echo(f"creatormatch: {error.message}", err=True)
        if every is None:
            return
        time.sleep(every)
