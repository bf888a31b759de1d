"""The ``creatormatch`` command. What is slow to import is imported by the command that needs it: --help is quick."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError
from features.memory import return_freed_arrays
from training import benchmark_cli, challenge_cli, credit_cli, registry_cli

if TYPE_CHECKING:
    import pandas as pd

    from features.schema import Tables
    from models.engine import Engine

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Ranks creators for a brand's brief, tells fake engagement, keeps an explainable credit score.",
)
app.add_typer(benchmark_cli.app, name="benchmark")
app.command("fit-credit", epilog=credit_cli.EXAMPLE)(credit_cli.fit_credit)
app.command(epilog=registry_cli.EXAMPLE)(registry_cli.pull)
app.command(epilog=challenge_cli.EXAMPLE)(challenge_cli.challenge)


class ModelName(StrEnum):
    """The models of a release, see :data:`models.release.NAMES`."""

    TOWERS = "towers"
    RANKER = "ranker"
    SUCCESS = "success"
    FRAUD = "fraud"
    ACCOUNTS = "accounts"
    COMMENTS = "comments"
    CREDIT = "credit"


class WorldName(StrEnum):
    """The frozen world, or one drawn from the stated ranges."""

    WORLD_1 = "world-1"
    RANDOM = "random"


Source = Annotated[str, typer.Argument(metavar="DIR", help="A folder with one file per table, or a SQL URL.")]
Home = Annotated[
    Path,
    typer.Option(envvar="CREATORMATCH_HOME", help="The data directory: registry, releases and the service's store."),
]
Only = Annotated[
    ModelName | None,
    typer.Option(help="Change just this model of the champion; towers, ranker and success go together."),
]
Seed = Annotated[int, typer.Option(min=0, help="Equal seeds give equal results.")]
Json = Annotated[bool, typer.Option("--json", help="Print what the API would answer, and nothing else.")]
HOME = Path("data")
GRACE_S = 25  # for requests in flight when the service is stopped; orchestrators kill after 30
ENCODER = "use-multilingual-v3"  # features.text.DEFAULT_ENCODER, without its imports


def main() -> None:
    """Runs the command line; a user's mistake is one line on standard error and exit code 2."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return_freed_arrays()
    try:
        sys.exit(app(standalone_mode=False))
    except InputError as error:
        _fail(error.message)
    except typer.TyperException as error:
        _fail(f"{error.format_message()} (creatormatch --help shows the commands, COMMAND --help an example)")
    except OSError as error:
        _fail(str(error))


def _fail(message: str) -> None:
    typer.echo(f"creatormatch: {' '.join(message.split())}", err=True)
    sys.exit(2)


@app.command(epilog="Example: creatormatch simulate --out data/sample --creators 2000 --briefs 200 --days 180 --seed 7")
def simulate(
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    creators: Annotated[int, typer.Option(min=1, max=100_000)] = 2000,
    briefs: Annotated[int, typer.Option(min=1, max=100_000)] = 600,
    days: Annotated[int, typer.Option(min=1, max=3650)] = 180,
    seed: Seed = 7,
    world: WorldName = WorldName.WORLD_1,
) -> None:
    """Write a simulated marketplace; its truth is in truth/."""
    import numpy as np

    from training import simulate as simulation
    from training.world import WORLD_1, random_world

    rng = np.random.default_rng(seed)
    parameters = WORLD_1 if world is WorldName.WORLD_1 else random_world(rng)
    simulation.write(simulation.simulate(parameters, creators=creators, briefs=briefs, days=days, rng=rng), out)
    typer.echo(f"wrote {out}")


@app.command(epilog="Example: creatormatch validate data/sample")
def validate(source: Source) -> None:
    """Report every violation of the data contract.

    Each with its table, column, row, value and remedy; exit code 2 if there is one.
    """
    from features.validation import report, violations, wall_clock

    found = violations(source, wall_clock())
    typer.echo(report(found) if found else f"{source} keeps the data contract")
    raise typer.Exit(2 if found else 0)


@app.command(epilog="Example: creatormatch train data/sample --only fraud")
def train(
    source: Source,
    only: Only = None,
    encoder: Annotated[
        str, typer.Option(metavar="NAME_OR_PATH", help="Of texts: a sentence-transformers id or folder.")
    ] = ENCODER,
    seed: Seed = 7,
    home: Home = HOME,
) -> None:
    """Train all models into a new release, the challenger."""
    tables = _read(source)
    from training.train import train as run  # seconds, that a wrong DIR should not cost

    version = run(tables, home, seed=seed, only=only, progress=True, encoder_name=encoder)
    typer.echo(f"release {version} is the challenger; creatormatch promote makes it the champion")


@app.command(epilog="Example: creatormatch evaluate data/sample --model release@champion")
def evaluate(
    source: Source,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME@ALIAS", help="A model on the data that came after those it learned from."),
    ] = None,
    home: Home = HOME,
) -> None:
    """Measure models on what they have not seen; write JSON, plots and HTML.

    By default models are trained anew on the first 70 % of the briefs and measured on the later ones. NAME is release,
    for everything, or towers, ranker, success or fraud, for what that model says; ALIAS is champion, challenger or a
    release's version.
    """
    tables = _read(source)
    from training.evaluation.report import evaluate as run  # seconds, that a wrong DIR should not cost

    folder = run(source, tables, home, model)
    typer.echo(f"wrote {folder / 'report.html'}")


@app.command(epilog="Example: creatormatch promote 3")
def promote(
    version: Annotated[str | None, typer.Argument(help="A release; the challenger by default.")] = None,
    only: Only = None,
    home: Home = HOME,
) -> None:
    """Check a release and make it the champion: it is served."""
    from models.registry import Registry

    typer.echo(f"release {Registry(home).promote(version, only)} is the champion")


@app.command(epilog="Example: creatormatch rollback --only ranker")
def rollback(only: Only = None, home: Home = HOME) -> None:
    """Make the previous champion the champion again."""
    from models.registry import Registry

    typer.echo(f"release {Registry(home).rollback(only)} is the champion")


@app.command(epilog="Example: creatormatch models")
def models(home: Home = HOME) -> None:
    """List the releases and the versions of their models."""
    from models.registry import Registry
    from training.console import emit_table

    emit_table(
        {key: listed[key] for key in ("release", "created_at")}
        | {"aliases": " ".join(listed["aliases"])}
        | {name: entry["version"] for name, entry in listed["models"].items()}
        for listed in Registry(home).models()
    )


@app.command(epilog="Example: creatormatch rank data/sample --brief brief.json --limit 10")
def rank(
    source: Source,
    brief: Annotated[Path, typer.Option(help="A JSON file: a brief, or a whole rank request.")],
    limit: Annotated[int | None, typer.Option(min=1, max=200, help="How many creators.")] = None,
    json: Json = False,
    home: Home = HOME,
) -> None:
    """Rank creators for a brief."""
    from training.console import emit, ranked_row, read_request

    request = read_request(brief) | ({} if limit is None else {"limit": limit})
    emit(_engine(_read(source), home).rank(request), json, ranked_row)


@app.command(epilog="Example: creatormatch fraud data/sample --creator c000001 --plot c000001.png")
def fraud(
    source: Source,
    creator: Annotated[str | None, typer.Option(help="Only this creator, with reasons.")] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw the creator's history, anomalies marked.")
    ] = None,
    json: Json = False,
    home: Home = HOME,
) -> None:
    """Score all creators for fake engagement, or one, with its history."""
    from training.console import emit, emit_table, evidence_rows, row_of

    if plot is not None and (creator is None or plot.suffix != ".png"):
        raise InputError(f"--plot: name one creator with --creator and a file that ends in .png (got {str(plot)!r})")
    tables = _read(source)
    engine = _engine(tables, home)
    answer = engine.fraud_score({"creator_ids": _ids(tables) if creator is None else [creator]})
    if creator is not None and plot is not None:
        from training.history_plot import history_plot

        plot.write_bytes(history_plot(*engine.fraud_history(creator), answer["results"][0]))
    emit(answer, json, row_of("creator_id", "fraud_probability", "risk_level", "recommended_action"))
    if creator is not None and not json:
        emit_table(evidence_rows(answer["results"][0]))
        if plot is not None:
            typer.echo(f"wrote {plot}")


@app.command(epilog="Example: creatormatch credit data/sample --creator c000001 --json")
def credit(
    source: Source,
    creator: Annotated[str | None, typer.Option(help="Only this creator.")] = None,
    json: Json = False,
    home: Home = HOME,
) -> None:
    """Show the credit score of all creators, or of one."""
    from training.console import emit, row_of

    tables = _read(source)
    answer = _engine(tables, home).credit({"creator_ids": _ids(tables) if creator is None else [creator]})
    emit(answer, json, row_of("creator_id", "score", "stars", "band", "order_status"))


@app.command(epilog="Example: creatormatch serve --data data/sample --port 3000")
def serve(
    data: Annotated[
        str | None, typer.Option(metavar="DIR", help="Imported when it is new; by default what was served last.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 3000,
    workers: Annotated[
        int, typer.Option(min=1, envvar="CREATORMATCH_WORKERS", help="Processes, each with the catalogue in memory.")
    ] = 1,
    home: Home = HOME,
) -> None:
    """Serve the champion over HTTP on this machine, until stopped."""
    settings = {"CREATORMATCH_HOME": str(home.resolve()), "BENTOML_DO_NOT_TRACK": "True"}
    # Workers keep their metrics there, and a service that starts empties it.
    settings["BENTOML_HOME"] = str(home.resolve() / "bentoml" / str(port))
    settings["CREATORMATCH_WORKERS"] = str(workers)
    if data is not None:
        settings["CREATORMATCH_DATA"] = data if "://" in data else str(Path(data).resolve())
    _servable(data, home)
    command = [sys.executable, "-m", "bentoml", "serve", "serving.service:CreatorMatch"]
    command += ["--working-dir", str(Path(__file__).parents[1]), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--timeout-graceful-shutdown", str(GRACE_S)]
    os.execve(sys.executable, command, os.environ | settings)  # in this process: who stops it stops the service


def _servable(data: str | None, home: Path) -> None:
    """Raises InputError for what would stop the service, whose own words are in a log between those of BentoML."""
    from models.registry import local_champion

    champion = local_champion(home)
    if data is not None:
        _read(data)
    elif not (home / "stores").is_dir():
        raise InputError("--data: nothing was served from this data directory yet; name a dataset", code="NOT_FOUND")
    from models.bundle import Bundle

    Bundle.load(champion)


def _read(source: str) -> "dict[str, pd.DataFrame]":
    """The dataset, if models can learn and answer from it."""
    from features.validation import read_usable, wall_clock

    return read_usable(source, wall_clock())


def _engine(tables: "Tables", home: Path) -> "Engine":
    """The champion over ``tables``, with the embeddings that training left."""
    from features.source import InMemory
    from features.text import EMBEDDINGS
    from models.engine import Engine
    from models.registry import local_champion

    return Engine.load(local_champion(home), InMemory(tables), home / EMBEDDINGS)


def _ids(tables: "Tables") -> list[str]:
    return list(tables["creators"]["creator_id"].unique())
