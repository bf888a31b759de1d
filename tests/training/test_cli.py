"""The command line: one clear line and exit code 2 for every mistake, JSON alone where JSON is asked for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.errors import InputError
from features.text import DEFAULT_ENCODER
from models import release
from models.challenge import Challenge, Experiment, read_challenge
from models.registry import Registry
from training import cli, console

COMMANDS = (
    "simulate", "validate", "train", "evaluate", "promote", "rollback", "models", "rank", "fraud", "credit", "serve",
    "fit-credit", "benchmark", "challenge", "pull",
)  # fmt: skip


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The line on standard error of a command that must end with exit code 2 and print nothing else."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["creatormatch", *arguments])
        cli.main()
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out, printed.err.count("\n")) == (2, "", 1), printed.err
    assert printed.err.startswith("creatormatch: ")
    return printed.err


def request_in(folder: Path, content: str | bytes) -> Path:
    path = folder / "brief.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def register(home: Path, weights: str) -> str:
    registry, folder = Registry(home), home / "made" / "credit"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.json").write_text(weights)
    meta = release.Meta("credit", "features-1", None, "data-1", 7, {}, {"inputs": {}, "outputs": {"score": "double"}})
    version = registry.log_model(folder, meta)
    return registry.register_release(release.build_manifest({"credit": folder}, {"credit": version}, "2026-01-01"))


def test_help_names_every_command() -> None:
    assert all(command in CliRunner().invoke(cli.app, ["--help"]).output for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str) -> None:
    assert f"Example: creatormatch {command}" in CliRunner().invoke(cli.app, [command, "--help"]).output


def test_help_needs_no_heavy_import() -> None:
    code = "import sys, training.cli; print(*{'mlflow', 'torch', 'lightgbm', 'pandas', 'bentoml'} & {*sys.modules})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


def test_model_names_are_those_of_a_release() -> None:
    assert tuple(cli.ModelName) == release.NAMES


def test_default_encoder_is_that_of_the_features() -> None:
    assert cli.ENCODER == DEFAULT_ENCODER


def test_encoder_is_chosen_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "creators.csv").write_text("creator_id\na\n")
    home = str(tmp_path / "home")
    assert "encoder: is not to be had here" in refusal(capsys, "train", str(tmp_path), "--encoder", "", "--home", home)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing command"),
        (["frobnicate"], "frobnicate"),
        (["rank"], "DIR"),
        (["rank", "data", "--brief", "x", "--frob"], "--frob"),
        (["rank", "data", "--brief", "missing.json"], "missing.json"),
        (["simulate", "--out", "x", "--days", "100000"], "--days"),
        (["simulate", "--out", "x", "--creators", "100000000"], "--creators"),
        (["simulate", "--out", "x", "--briefs", "100000000"], "--briefs"),
        (["fraud", "nowhere"], "nowhere"),
        (["fraud", "nowhere", "--plot", "x.png"], "--plot: name one creator"),
        (["fraud", "nowhere", "--plot", "x.pdf", "--creator", "a"], "--plot: name one creator"),
        (["train", "nowhere"], "nowhere"),
        (["train", "nowhere", "--only", "oracle"], "oracle"),
        (["evaluate", "nowhere"], "nowhere"),
        (["validate", "nowhere"], "nowhere"),
        (["serve", "--port", "0"], "--port"),
        (["serve"], "run train, then promote"),
        (["promote", "7"], "holds no releases"),
        (["rollback"], "holds no releases"),
        (["models", "--home", "nohome"], "nohome: holds no releases; run train first"),
        (["models", "--home", "/dev/null"], "/dev/null"),
        (["benchmark", "mind-reading", "--data", "x"], "mind-reading"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistake_is_one_line_and_exit_code_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said in refusal(capsys, *arguments)
    assert not [*tmp_path.iterdir()]


def test_installed_command_ends_with_exit_code_2_too(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "creatormatch"), "rank", "nowhere", "--brief", "missing.json"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)


def test_simulated_marketplace_is_valid_and_a_wrong_cell_is_named(tmp_path: Path) -> None:
    out = tmp_path / "market"
    sizes = ["--creators", "30", "--briefs", "5", "--days", "30"]
    assert CliRunner().invoke(cli.app, ["simulate", "--out", str(out), *sizes]).output == f"wrote {out}\n"
    valid = CliRunner().invoke(cli.app, ["validate", str(out)])
    assert (valid.exit_code, valid.output) == (0, f"{out} keeps the data contract\n")
    (out / "creators.parquet").unlink()
    (out / "creators.csv").write_text("creator_id,followers_count,country_code\na,10,US\nb,-5,XX\n")
    found = CliRunner().invoke(cli.app, ["validate", str(out)])
    assert found.exit_code == 2
    assert all(
        any(column in line and value in line for line in found.output.splitlines())
        for column, value in [("followers_count", "-5"), ("country_code", "XX")]
    )


def test_releases_are_promoted_listed_and_rolled_back(tmp_path: Path) -> None:
    home = ["--home", str(tmp_path)]
    for weights in "ab":
        register(tmp_path, weights)
        assert CliRunner().invoke(cli.app, ["promote", *home]).exit_code == 0
    assert CliRunner().invoke(cli.app, ["rollback", *home]).output == "release 1 is the champion\n"
    listed = CliRunner().invoke(cli.app, ["models", *home]).output.splitlines()
    assert listed[0].split() == ["release", "created_at", "aliases", "credit"]
    assert [line.split() for line in listed[1:]] == [
        ["2", "2026-01-01", "challenger", "2"],
        ["1", "2026-01-01", "champion", "1"],
    ]
    tried = CliRunner().invoke(cli.app, ["challenge", "2", "--shadow", "0.1", "--experiment", "words", *home])
    assert tried.output == "release 2 is tried beside the champion\n"
    assert read_challenge(tmp_path) == Challenge("2", 0.1, Experiment("words", 0.5))
    assert CliRunner().invoke(cli.app, ["challenge", *home]).exit_code == 0
    assert read_challenge(tmp_path) is None


def test_a_share_is_of_an_experiment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal(capsys, "challenge", "--share", "0.5", "--shadow", "0.1", "--home", str(tmp_path))
    assert "--share: is of an experiment" in said


def test_serve_says_which_data_it_misses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register(tmp_path, "a")
    Registry(tmp_path).promote()
    assert "--data: nothing was served" in refusal(capsys, "serve", "--home", str(tmp_path))
    assert "nowhere" in refusal(capsys, "serve", "--home", str(tmp_path), "--data", "nowhere")


def test_serve_refuses_a_release_made_for_other_features(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register(tmp_path, "a")
    Registry(tmp_path).promote()
    (tmp_path / "creators.csv").write_text("creator_id\na\n")
    said = refusal(capsys, "serve", "--home", str(tmp_path), "--data", str(tmp_path))
    assert "made for other features; train again" in said


def test_a_creators_history_is_drawn_and_told(
    home: Path, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["fraud", str(dataset), "--home", str(home), "--creator", "c000001"]
    plot = tmp_path / "history.png"
    told = CliRunner().invoke(cli.app, [*arguments, "--plot", str(plot)]).output
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert told.endswith(f"wrote {plot}\n")
    answer = json.loads(CliRunner().invoke(cli.app, [*arguments, "--json"]).output)
    (result,) = answer["results"]
    assert all(reason["text"] in told for reason in result["reason_codes"] + result["innocent_explanations"])
    assert "no such creator" in refusal(capsys, *arguments[:-1], "nobody")
    assert str(tmp_path) in refusal(capsys, *arguments, "--plot", str(tmp_path / "nowhere" / "x.png"))


@pytest.mark.parametrize(
    "command", [["train"], ["evaluate"], ["rank", "--brief", "brief.json"], ["fraud"], ["credit"], ["serve"]]
)
def test_commands_refuse_data_that_would_falsify_every_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    register(tmp_path, "a")
    Registry(tmp_path).promote()
    monkeypatch.chdir(tmp_path)
    request_in(tmp_path, "{}")
    (tmp_path / "creators.csv").write_text("creator_id\na\n")
    (tmp_path / "exchange_rates.csv").write_text("currency,date,usd\nEUR,2099-01-01,1.1\n")
    name, *rest = command
    source = ["--data", "."] if name == "serve" else ["."]
    assert "exchange_rates.date, row 0: is after now" in refusal(capsys, name, *source, *rest, "--home", ".")


def test_data_directory_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(tmp_path, "a")
    monkeypatch.setenv("CREATORMATCH_HOME", str(tmp_path))
    assert "challenger" in CliRunner().invoke(cli.app, ["models"]).output


def test_brief_may_stand_alone_or_in_a_request(tmp_path: Path) -> None:
    brief = {"title": "Té 抹茶 شاي 🍵", "budget": 500}
    for content in (brief, {"brief": brief}, {"brief": brief, "filters": None}):
        path = request_in(tmp_path, json.dumps(content, ensure_ascii=False))
        assert console.read_request(path) == {"brief": brief}


def test_whole_request_is_read(tmp_path: Path) -> None:
    request = {
        "brief": {}, "limit": 3,
        "filters": {
            "languages": ["en"], "min_followers": 10, "max_fraud_probability": None,
            "audience": [{"dimension": "age", "buckets": ["18-24"], "min_share": 0.3}],
        }, "pin_creator_ids": ["a"],
        "bids": [{"creator_id": "a", "amount": 1.5, "currency": "EUR"}], "diversity": 0, "seed": 1, "explain": True,
    }  # fmt: skip
    assert console.read_request(request_in(tmp_path, json.dumps(request))) == request


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", '"brief"', '{"budget": NaN}', '{"budget": -Infinity}', '{"budget": 1e999}',
        '{"title": "a\\u0000b"}', '{"title": "a\0b"}', b"\xff\xfe{}", "[" * 100_000, '{"budget": ' + "9" * 5000 + "}",
        '{"title": "' + "x" * 1_000_000 + '"}', '{"brief": {}, "filters": {"languages": ["\\ud800"]}}',
    ],
    ids=lambda content: repr(content[:20]),
)  # fmt: skip
def test_file_that_is_no_request_is_refused(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(InputError, match=r"brief\.json: "):
        console.read_request(request_in(tmp_path, content))


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ({"brief": []}, "brief"),
        ({"limit": 0}, "limit"),
        ({"filters": {"languages": "en"}}, "filters.languages"),
        ({"filters": {"country_codes": ["US", "XX"]}}, "filters.country_codes.1"),
        ({"bids": [{"creator_id": ["a"], "amount": 1, "currency": "EUR"}]}, "bids.0.creator_id"),
        ({"limt": 3}, "limt"),
    ],
    ids=str,
)
def test_field_that_is_none_of_a_request_is_refused_by_name(
    tmp_path: Path, field: dict[str, object], named: str
) -> None:
    with pytest.raises(InputError, match=f"^{named}: "):
        console.read_request(request_in(tmp_path, json.dumps({"brief": {}} | field)))


def test_ranked_list_reads_with_and_without_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    known = {
        "rank": 1, "creator_id": "a", "score": 1.5, "success_probability": 0.25, "credit": {"score": 640.0},
        "price": {"amount": 180.0, "currency": "USD"}, "fraud": {"risk_level": "LOW"},
        "reasons": [{"text": "Speaks the language"}, {"text": "Fits the budget"}],
    }  # fmt: skip
    unknown = {
        "rank": 2, "creator_id": "b", "score": 0.5, "success_probability": None, "credit": {"score": None},
        "price": None, "fraud": {"risk_level": None}, "reasons": [],
    }  # fmt: skip
    console.emit({"results": [known, unknown]}, False, console.ranked_row)
    first, second = capsys.readouterr().out.splitlines()[1:]
    assert " ".join(first.split()) == "1 a 1.5 0.25 180 USD 640 LOW Speaks the language; Fits the budget"
    assert second.split()[:4] == ["2", "b", "0.5", "-"]


def test_json_answer_is_alone_and_strict(capsys: pytest.CaptureFixture[str]) -> None:
    console.emit_json({"results": [{"text": "抹茶"}]})
    assert capsys.readouterr().out == '{"results": [{"text": "抹茶"}]}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        console.emit_json({"score": float("nan")})
