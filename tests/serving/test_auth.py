import pytest

from features.errors import InputError
from serving.auth import LOCAL, SCOPES, Auth, hash_key, require
from serving.keys import Key

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


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "via"])
def test_without_keys_no_proxy_may_pass_on_what_others_ask(header):
    assert code(Auth().caller, "127.0.0.1", {"host": "localhost", header: "127.0.0.1"}) == "PERMISSION_DENIED"


def test_admin_opens_everything():
    keys = Auth([Key(name="ops", sha256=hash_key("k"), scopes=frozenset({"admin"}))])
    assert keys.caller(None, {"authorization": "Bearer k"}).scopes == SCOPES


def test_a_key_opens_nothing_after_its_time():
    def key(not_after: str) -> Key:
        return Key(name="a", sha256=hash_key("k"), scopes=frozenset({"risk"}), not_after=not_after)

    shown = {"authorization": "Bearer k"}
    assert Auth([key("2199-01-01")]).caller(None, shown).name == "a"
    for past in ("2020-01-01T00:00:00", "2020-01-01T00:00:00+02:00"):
        assert code(Auth([key(past)]).caller, "127.0.0.1", shown | {"host": "localhost"}) == "UNAUTHENTICATED"
