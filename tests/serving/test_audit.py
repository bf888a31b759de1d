"""Who read whose fraud evidence."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from features.errors import InputError
from serving.audit import KEPT, Audit
from serving.auth import Auth, Caller, hash_key
from serving.keys import Key
from serving.layout import AUDIT
from serving.store import Store
from tests.serving.fakes import make_client, make_store, open_store_at

RISK = Caller("desk", frozenset({"risk"}))


def rows(store: Store) -> list[tuple[str, str, list[str], int]]:
    with store.noting() as connection:
        found = connection.execute(AUDIT.select()).all()
    return [(row.caller, row.route, json.loads(row.subjects), row.dropped) for row in found]


def test_every_read_of_evidence_leaves_a_row_and_no_other_read_does(tmp_path, url):
    store = open_store_at(make_store(tmp_path, url=url))
    keys = [Key(name=f"{one}-desk", sha256=hash_key(one), scopes=frozenset({one})) for one in ("platform", "risk")]
    client = make_client(tmp_path, Auth(keys), url=url)
    asked = [("risk", "/v1/fraud/score", ["ana"]), ("risk", "/v1/creators/profile", ["bo", "ana"])]
    others = [("platform", "/v1/creators/profile", ["ana"]), ("platform", "/v1/fraud/score", ["ana"])]
    for secret, path, ids in [
        *asked,
        *others,
        ("risk", "/v1/credit", ["ana"]),
        ("risk", "/v1/fraud/score", ["no one"]),
    ]:
        shown = {"authorization": f"Bearer {secret}", "x-request-id": "r1"}
        client.post(path, json={"creator_ids": ids}, headers=shown)
    client.app.state.books.settle()
    assert rows(store) == [("risk-desk", path, ids, 0) for _, path, ids in asked]


def test_a_row_names_the_request_and_its_time(tmp_path):
    store = open_store_at(make_store(tmp_path))
    client = make_client(tmp_path)
    client.post("/v1/fraud/score", json={"creator_ids": ["ana"]}, headers={"x-request-id": "r1"})
    client.app.state.books.settle()
    with store.noting() as connection:
        (row,) = connection.execute(AUDIT.select()).all()
    assert (row.caller, row.request_id) == ("loopback", "r1")
    assert abs(row.at - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=1)


def test_rows_wait_while_the_store_is_away_and_what_is_too_many_is_told(tmp_path, caplog):
    path, away = tmp_path / "store.sqlite", tmp_path / "away"
    url = make_store(tmp_path)
    audit = Audit(open_store_at(url), most=2)
    path.rename(away)
    path.mkdir()
    for one in range(5):
        audit.record(RISK, "/v1/fraud/score", {"results": [{"creator_id": str(one)}]})
    with pytest.raises(InputError):
        audit.settle()
    assert "3 reads of fraud evidence are not in the audit" in caplog.text
    path.rmdir()
    away.rename(path)
    audit.settle()
    assert rows(open_store_at(url)) == [
        ("desk", "/v1/fraud/score", ["0"], 0), ("desk", "/v1/fraud/score", ["1"], 0), ("", "dropped", [], 3),
    ]  # fmt: skip


@pytest.mark.parametrize(("age", "kept"), [(KEPT + timedelta(days=1), 0), (KEPT - timedelta(days=1), 1)])
def test_rows_are_kept_for_their_time(tmp_path, age, kept):
    store = open_store_at(make_store(tmp_path))
    with store.noting() as connection:
        at = datetime.now(UTC).replace(tzinfo=None) - age
        row = {"at": at, "caller": "a", "route": "r", "subjects": "[]", "dropped": 0}
        connection.execute(AUDIT.insert(), row)
    Audit(store).settle()
    assert len(rows(store)) == kept
