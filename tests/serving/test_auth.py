import json

import pytest

from features.errors import InputError
from serving.auth import LOCAL, Auth, Key, hash_key, require

KEYS = Auth([Key(name="shop", sha256=hash_key("s3cret"), scopes=frozenset({"platform"}))])


def code(call, *arguments):
    with pytest.raises(InputError) as caught:
        call(*arguments)
    return caught.value.code


def test_a_key_opens_its_scopes_from_anywhere():
    caller = KEYS.caller("203.0.113.9", {"authorization": "Bearer s3cret", "host": "api.example"})
    assert (caller.name, caller.scopes) == ("shop", {"platform"})
    require(caller, frozenset({"platform", "risk"}))
    assert code(require, caller, frozenset({"risk"})) == "PERMISSION_DENIED"


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer wrong", "Basic s3cret", "s3cret", "Bearer é"])
def test_no_key_and_wrong_keys_are_unauthenticated_even_on_loopback(shown):
    assert code(KEYS.caller, "127.0.0.1", {"authorization": shown, "host": "127.0.0.1"}) == "UNAUTHENTICATED"


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost:3000", "[::1]:3000", "localhost"])
@pytest.mark.parametrize("client", ["127.0.0.1", "::1"])
def test_without_keys_this_machine_may_do_everything(client, host):
    assert Auth().caller(client, {"host": host}) is LOCAL


@pytest.mark.parametrize(
    ("client", "host"),
    [("203.0.113.9", "127.0.0.1"), ("127.0.0.1", "rebound.example:3000"), ("127.0.0.1", ""), (None, "localhost")],
)
def test_without_keys_nobody_else_may_call_nor_a_page_whose_name_was_rebound(client, host):
    assert code(Auth().caller, client, {"host": host}) == "PERMISSION_DENIED"


def test_keys_are_read_from_a_file(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps([{"name": "risk", "sha256": hash_key("k"), "scopes": ["risk"]}]))
    assert Auth.from_file(path).caller(None, {"authorization": "Bearer k"}).name == "risk"
    assert Auth.from_file(None).caller("127.0.0.1", {"host": "localhost"}) is LOCAL


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", '[{"name": "a", "sha256": "plain", "scopes": ["risk"]}]', '[{"name": "a", "scopes": ["root"]}]'],
)
def test_a_bad_keys_file_opens_nothing(tmp_path, content):
    path = tmp_path / "keys.json"
    path.write_text(content)
    assert code(Auth.from_file, path) == "INVALID_ARGUMENT"
    assert code(Auth.from_file, tmp_path / "missing.json") == "INVALID_ARGUMENT"
