"""``creatormatch benchmark NAME``: one command for each benchmark, a module of :mod:`training.benchmarks`."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

HOME = Path("data")
Home = Annotated[Path, typer.Option(envvar="CREATORMATCH_HOME", help="The data directory, for its embeddings.")]
FOLDERS = {
    "candidates": "Tell what the narrow first stage costs on one simulated market.",
    "credit": "Foretell by credit which collaborations succeed, on simulated markets that nobody has seen.",
    "fraud": "Tell creators' fraud on simulated markets that nobody has seen.",
    "fraud-attacks": "Meet fraud that the model has not seen, and attackers who adapt.",
    "fraud-scale": "Score ever more creators for fraud: time and memory.",
    "graph": "Find groups that act together in simulated markets, and how time grows.",
    "insta-brands": "Rank real creators for real brands.",
    "instafake": "Tell fake accounts, in-domain and in shifted populations.",
    "languages": "Rank for the same brief in eight languages.",
    "lightgbm-rank": "Learn to rank LightGBM's own example.",
    "marketplace": "Match and tell fraud on one simulated market.",
    "markets": "Match on simulated markets that nobody has seen.",
    "success": "Hold success probabilities against what happened.",
    "tolokers": "Tell banned crowd workers in a graph.",
    "training-scale": "Train on ever larger markets: time and memory.",
    "tuning": "Tune the ranker on one simulated market.",
    "wishes": "Tell what diversity, exploration and the marketplace's rules cost.",
    "youtube-comments": "Tell spam under a video that was not learned from.",
}
"""The benchmarks that read one folder, by what they do."""

MADE_UP = {
    "credit-attacks": "Attack credit by made-up praise, revenge, abused trust and new identities.",
    "credit-careers": "Tell from careers how soon credit knows whom it has before it.",
    "credit-scale": "Compute credit anew for ever more creators with 50 events each: time and memory.",
}
"""The benchmarks that make up their data themselves, by what they do."""

app = typer.Typer(
    help="Learn a benchmark's past and score on its future.",
    epilog="Example: creatormatch benchmark insta-brands --data insta-brands",
)


def _of_a_folder(name: str) -> Callable[..., None]:
    def command(data: Annotated[Path, typer.Option(help="The benchmark's folder.")], home: Home = HOME) -> None:
        _print(_module(name).run(data, _embeddings(home)))

    return command


for _name, _help in FOLDERS.items():
    _example = f"Example: creatormatch benchmark {_name} --data {_name}"
    app.command(_name, help=_help, epilog=_example)(_of_a_folder(_name))


@app.command(epilog="Example: creatormatch benchmark accounts --train instafake --test elsewhere --base-rate 0.1")
def accounts(
    train: Annotated[Path, typer.Option(metavar="DIR", help="With the tables accounts and fraud_labels.")],
    test: Annotated[Path, typer.Option(metavar="DIR", help="The same of another population.")],
    base_rate: Annotated[float | None, typer.Option(min=0.001, max=0.999, help="The share of fakes in --test.")] = None,
) -> None:
    """Tell fake accounts: learn here, measure there."""
    _print(_module("accounts").run(train, test, base_rate))


def _of_nothing(name: str) -> Callable[[], None]:
    def command() -> None:
        _print(_module(name).run())

    return command


for _name, _help in MADE_UP.items():
    app.command(_name, help=_help, epilog=f"Example: creatormatch benchmark {_name}")(_of_nothing(_name))


@app.command(epilog="Example: creatormatch benchmark by-id --data data/sample")
def by_id(data: Annotated[Path, typer.Option(help="Creators for the promoted release.")], home: Home = HOME) -> None:
    """Answer by id, one creator at a time: computed from its rows, and told from what was kept."""
    _print(_module("by-id").run(data, home))


@app.command(epilog="Example: creatormatch benchmark ledger --url http://127.0.0.1:3000")
def ledger(
    url: Annotated[str, typer.Option(help="A running service; what it is told stays in its store.")],
) -> None:
    """Send events to a running service with eight writers: how many it acknowledges a second."""
    _print(_module("ledger").run(url))


@app.command(epilog="Example: creatormatch benchmark memory --url http://127.0.0.1:3000")
def memory(
    url: Annotated[str, typer.Option(help="A service on this machine; what it is told stays in its store.")],
    minutes: Annotated[float, typer.Option(min=0.5, max=600)] = 10,
) -> None:
    """Put mixed load on a running service: how the memory of its workers grows."""
    _print(_module("memory").run(url, minutes))


@app.command(epilog="Example: creatormatch benchmark comments --train here.csv --test there.csv")
def comments(
    train: Annotated[Path, typer.Option(metavar="CSV", help="With the columns comment_text, is_spam, and video_id.")],
    test: Annotated[Path, typer.Option(metavar="CSV", help="The same of other videos.")],
    home: Home = HOME,
) -> None:
    """Tell spam comments: learn here, measure there."""
    _print(_module("comments").run(train, test, _embeddings(home)))


def _module(name: str) -> Any:
    """The benchmark's module, imported when it is wanted: --help is quick."""
    return import_module(f"training.benchmarks.{name.replace('-', '_')}")


def _embeddings(home: Path) -> Path:
    from features.text import EMBEDDINGS

    return home / EMBEDDINGS


def _print(found: Mapping[str, object]) -> None:
    from training.console import emit_json

    emit_json(found)
