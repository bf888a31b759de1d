"""Keys in a file that changes under a service that runs."""

import json

import pytest
from prometheus_client import REGISTRY

from features.errors import InputError
from serving.auth import Auth, hash_key
from serving.keys import LOOK_EVERY_S, KeyFile, parse_keys


def row(secret: str, name: str = "shop", **more: object) -> dict[str, object]:
    return {"name": name, "sha256": hash_key(secret), "scopes": ["platform"]} | more


class Clock:
    """Moves past the next look whenever it is asked."""

    now = 0.0

    def __call__(self) -> float:
        self.now += LOOK_EVERY_S
        return self.now


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps([row("old")]))
    return path


def opens(auth: Auth, secret: str) -> bool:
    try:
        return auth.caller(None, {"authorization": f"Bearer {secret}"}).name == "shop"
    except InputError:
        return False


def test_a_key_is_replaced_without_a_restart_while_both_are_good(path):
    auth = Auth(KeyFile(path, Clock()))
    assert (opens(auth, "old"), opens(auth, "new")) == (True, False)
    path.write_text(json.dumps([row("old"), row("new")]))
    assert (opens(auth, "old"), opens(auth, "new")) == (True, True)
    path.write_text(json.dumps([row("new")]))
    assert (opens(auth, "old"), opens(auth, "new")) == (False, True)


def test_the_file_is_not_read_for_every_request(path):
    keys = KeyFile(path, lambda: 0.0)
    path.write_text(json.dumps([row("new")]))
    assert [key.sha256 for key in keys] == [hash_key("old")]


def test_a_broken_file_is_refused_said_once_and_the_old_keys_stay(path, caplog):
    keys = KeyFile(path, Clock())
    auth = Auth(keys)
    for content in ("[{", "[]"):
        path.write_text(content)
        caplog.clear()
        assert [opens(auth, "old") for _ in range(3)] == [True] * 3
        assert (len(caplog.records), keys.refused is not None) == (1, True)
        assert REGISTRY.get_sample_value("creatormatch_keys_refused") == 1
    path.unlink()
    assert opens(auth, "old")
    path.write_text(json.dumps([row("new")]))
    assert (opens(auth, "old"), opens(auth, "new"), keys.refused) == (False, True, None)
    assert REGISTRY.get_sample_value("creatormatch_keys_refused") == 0


@pytest.mark.parametrize(
    "rows",
    [
        {},
        [],
        [row("a") | {"sha256": "plain-secret"}],
        [row("a") | {"sha256": {"plain-secret": 1}}],
        [row("a", scopes=["root", "plain-secret"])],
        [row("a", scopes=[])],
        [row("a", not_after="plain-secret")],
        [row("a", name="")],
        [row("a", name="\x00")],
        [row("a"), row("a", name="another")],
    ],
)
def test_a_file_that_is_not_one_of_keys_opens_nothing_and_its_values_are_not_told(rows):
    with pytest.raises(InputError) as caught:
        parse_keys(json.dumps(rows).encode())
    assert caught.value.message.startswith("CREATORMATCH_KEYS: ")
    assert "plain-secret" not in f"{caught.value.message} {caught.value.details}"


def test_no_file_is_no_start(tmp_path):
    with pytest.raises(InputError, match="CREATORMATCH_KEYS: must be a readable file"):
        KeyFile(tmp_path / "missing.json")
