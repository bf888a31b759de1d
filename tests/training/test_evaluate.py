"""``creatormatch evaluate`` from the command line to the page that a manager reads."""

import json
import re
import shutil
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from features.asof import exported
from features.errors import InputError
from features.tables import read_tables, write_tables
from models.registry import Registry
from tests.training.test_cli import refusal
from training.cli import app
from training.evaluation.cases import evidence, read_truth
from training.evaluation.page import page, table
from training.evaluation.report import LEAST, evaluate
from training.evaluation.subject import _until
from training.train import train

PLOTS = {"ranking", "retriever", "slices", "languages", "off_policy"}


def run(*arguments: str) -> tuple[dict[str, Any], Path]:
    """The report of a command that must succeed, and its folder."""
    done = CliRunner().invoke(app, ["evaluate", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    folder = Path(done.stdout.splitlines()[-1].removeprefix("wrote ")).parent
    return json.loads((folder / "report.json").read_text(encoding="utf-8")), folder


@pytest.fixture(scope="module")
def logged(dataset: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """Models trained anew on a marketplace without its truth, beside a champion that has seen all of it."""
    bare = tmp_path_factory.mktemp("logged") / "market"
    shutil.copytree(dataset, bare, ignore=shutil.ignore_patterns("truth"))
    own = shutil.copytree(home, tmp_path_factory.mktemp("logged") / "home")
    return run(str(bare), "--home", str(own))


@pytest.fixture(scope="module")
def early(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with two releases of models that saw the marketplace's first part only."""
    tables, truth = read_tables(dataset), read_truth(dataset)
    assert truth is not None
    folder = tmp_path_factory.mktemp("early")
    train(exported(tables, evidence(tables, truth["utility"]).cut), folder, seed=1)
    registry = Registry(folder)
    registry.promote()
    registry.register_release(registry.manifest())
    registry.promote()
    return folder


@pytest.fixture(scope="module")
def released(dataset: Path, early: Path) -> tuple[dict[str, Any], Path]:
    return run(str(dataset), "--home", str(early), "--model", "release@champion")


def test_a_log_is_measured_by_what_brands_did(logged: tuple[dict[str, Any], Path]) -> None:
    report, _ = logged
    assert report["data"]["relevance"] == "impressions"
    assert report["split"]["trained_until"] < report["split"]["first_brief"] <= report["split"]["last_brief"]
    assert report["split"]["briefs"] == report["matching"]["briefs"] >= LEAST
    assert set(report["matching"]["ranking"]) == {
        "ranked", "followers_count", "label_overlap", "text_cosine", "lexical_cosine", "bm25",
    }  # fmt: skip
    assert report["fraud"].get("known_from", "reviews") == "reviews"
    assert report["matching"]["share_of_oracle"] is None


def test_a_champion_that_has_seen_the_briefs_is_no_baseline_and_that_is_said(
    logged: tuple[dict[str, Any], Path],
) -> None:
    report, _ = logged
    assert "learned from data until" in report["subject"]["no_previous_champion"]
    assert any("no previous champion" in sentence for sentence in report["summary"])


def test_a_release_is_measured_on_what_came_after_its_data(released: tuple[dict[str, Any], Path]) -> None:
    report, _ = released
    assert report["data"]["relevance"] == "truth"
    assert report["subject"]["previous_champion"] == "1"
    assert report["split"]["trained_until"] < report["split"]["first_brief"]
    ranking = report["matching"]["ranking"]
    means = [{name: one["mean"] for name, one in ranking[method].items()} for method in ("previous_champion", "ranked")]
    assert means[0] == means[1], "they are the same models under two versions"
    assert report["matching"]["lead"]["previous_champion"] == {"mean": 0, "low": 0, "high": 0}
    assert ranking["followers_count"]["ndcg10"]["mean"] < ranking["ranked"]["ndcg10"]["mean"]
    assert 0 < report["matching"]["share_of_oracle"]["mean"] < 1
    assert "refused" in report["success"], "150 days leave no invitation that is later and 90 days old"


def test_the_folder_holds_plots_and_one_page(released: tuple[dict[str, Any], Path]) -> None:
    report, folder = released
    images = {path.stem for path in folder.glob("*.png")}
    assert images >= PLOTS
    assert all((folder / f"{name}.png").read_bytes().startswith(b"\x89PNG") for name in images)
    html = (folder / "report.html").read_text(encoding="utf-8")
    inlined = {b64decode(one) for one in re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", html)}
    assert inlined == {path.read_bytes() for path in folder.glob("*.png")}
    assert html.index(report["summary"][0][:40]) < html.index("<table>") < html.index("<img") < html.index("Method and")


class Elements(HTMLParser):
    """The elements of a page with their attributes, and what stays open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.open += [] if tag in ("meta", "img") else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("fixture", ["logged", "released"])
def test_the_page_loads_nothing_and_closes_what_it_opens(fixture: str, request: pytest.FixtureRequest) -> None:
    html = (request.getfixturevalue(fixture)[1] / "report.html").read_text(encoding="utf-8")
    elements = Elements(html)
    assert not elements.open
    assert {tag for tag, _ in elements.found}.isdisjoint({"script", "link", "iframe", "object", "base"})
    loaded = [
        value for _, attributes in elements.found for name, value in attributes.items() if name in ("src", "href")
    ]
    assert loaded
    assert all(str(value).startswith("data:image/png;base64,") for value in loaded)
    assert not re.search(r"https?://|//[a-z]|@import|url\(", re.sub(r'"data:[^"]+"', "", html))


def test_the_page_escapes_what_comes_from_data(released: tuple[dict[str, Any], Path]) -> None:
    evil = "<script>alert('a&b')</script>"
    text = json.dumps(released[0]).replace('"AWARENESS"', json.dumps(evil)).replace('"nano"', json.dumps(evil))
    report = json.loads(text)
    report["data"]["name"] = report["subject"]["name"] = report["summary"][0] = report["limits"][0] = evil
    html = page(report, {})
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(&#x27;a&amp;b&#x27;)") >= 7
    assert not Elements(html).open
    assert "<script" not in table(evil, [evil], [[evil]], evil)


def test_one_model_is_measured_alone(dataset: Path, early: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report, _ = run(str(dataset), "--home", str(early), "--model", "fraud@champion")
    assert report["fraud"]["known_from"] == "truth"
    assert report["fraud"]["model"]["pr_auc"] > 0
    assert not {"matching", "success", "off_policy"} & set(report)
    capsys.readouterr()
    said = refusal(capsys, "evaluate", str(dataset), "--home", str(early), "--model", "success@champion")
    assert "release 2 has no model success" in said


def test_collaborations_alone_are_enough(dataset: Path, tmp_path: Path) -> None:
    """No log, no labels, no statistics, no dates of snapshots: neither fraud nor past followers, and a report."""
    tables = read_tables(dataset)
    kept = {name: tables[name] for name in ("collaboration_events", "briefs")}
    creators = tables["creators"].sort_values("observed_at").drop_duplicates("creator_id", keep="last")
    creators = creators[creators["creator_id"].isin(kept["collaboration_events"]["creator_id"])]
    creators = creators[["creator_id", "bio", "content_labels", "language"]]
    events = kept["collaboration_events"]
    more = [
        events.assign(**{k: events[k] + n for k in ("event_id", "collaboration_id", "brief_id")}) for n in ("", "x")
    ]
    briefs = pd.concat([kept["briefs"], kept["briefs"].assign(brief_id=kept["briefs"]["brief_id"] + "x")])
    write_tables({"creators": creators, "collaboration_events": pd.concat(more), "briefs": briefs}, str(tmp_path / "d"))
    report, _ = run(str(tmp_path / "d"), "--home", str(tmp_path / "home"))
    assert report["data"] | {"static": True, "relevance": "collaborations", "impressions": 0} == report["data"]
    assert "refused" in report["fraud"]
    assert "refused" in report["off_policy"]
    assert any("no dates" in sentence for sentence in report["limits"])
    assert any("no log of what was shown" in sentence for sentence in report["limits"])


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("ranker", "write NAME@ALIAS"),
        ("oracle@champion", "write NAME@ALIAS"),
        ("release@", "write NAME@ALIAS"),
        ("credit@champion", "nothing of it is learned"),
        ("release@7", "release 7: not in the registry"),
        ("release@grandmaster", "release grandmaster: not in the registry"),
        ("release@champion", "release 1 (champion) learned from data until"),
    ],
)
def test_a_model_that_cannot_be_measured_is_refused(
    dataset: Path, home: Path, capsys: pytest.CaptureFixture[str], model: str, said: str
) -> None:
    assert said in refusal(capsys, "evaluate", str(dataset), "--home", str(home), "--model", model)
    assert not (home / "evaluations").exists()


def test_data_that_cannot_be_measured_on_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "creators.csv").write_text("creator_id\na\n")
    home = str(tmp_path / "home")
    assert f"at least {LEAST} briefs" in refusal(capsys, "evaluate", str(tmp_path), "--home", home)
    assert "nowhere" in refusal(capsys, "evaluate", "nowhere", "--home", home)
    said = refusal(capsys, "evaluate", str(tmp_path), "--home", home, "--model", "release@champion")
    assert "holds no releases" in said


def test_a_few_briefs_are_refused_before_anything_is_trained(dataset: Path, tmp_path: Path) -> None:
    tables = read_tables(dataset)
    few = tables["briefs"].head(3 * LEAST)["brief_id"]
    kept = {name: tables[name][tables[name]["brief_id"].isin(few)] for name in ("briefs", "impressions")}
    with pytest.raises(InputError, match=f"^briefs: an evaluation needs at least {LEAST} briefs"):
        evaluate(str(tmp_path), dict(tables) | kept, tmp_path)


def test_a_release_that_does_not_say_until_when_its_data_go_is_refused(home: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(home / "releases" / "1", tmp_path / "1")
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for entry in manifest["models"].values():
        del entry["data_as_of"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="made before releases kept the end of their data; train again"):
        _until(folder)
