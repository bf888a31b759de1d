import sqlite3
from contextlib import closing
from datetime import datetime

import pandas as pd
import pytest
from pandas.errors import DatabaseError

from features import columns as c
from features import schema
from features.errors import InputError
from features.tables import read_tables, write_tables
from serving.store import Ranking, Store, import_dataset, open_store, url_of
from tests.serving.fakes import make_store

T = pd.Timestamp


def creators(*rows: dict[str, object]) -> pd.DataFrame:
    return schema.conform(pd.DataFrame(list(rows)), schema.CREATORS)


def audience(*rows: tuple[str, str, float, str]) -> pd.DataFrame:
    columns = [c.CREATOR_ID, c.BUCKET, c.SHARE, c.OBSERVED_AT]
    return schema.conform(pd.DataFrame(rows, columns=columns).assign(dimension="gender"), schema.AUDIENCE)


def event(event_id: str, creator_id: str = "ana", **more: object) -> dict[str, object]:
    return {
        "event_id": event_id,
        "creator_id": creator_id,
        "event_type": "INVITED",
        "event_time": T("2025-01-01"),
    } | more


def events(*rows: dict[str, object]) -> pd.DataFrame:
    return schema.conform(pd.DataFrame(list(rows)), schema.COLLABORATION_EVENTS)


@pytest.fixture
def path(tmp_path):
    return make_store(tmp_path)


@pytest.fixture
def store(path):
    opened = Store(path)
    yield opened
    opened.close()


def test_a_store_reads_back_as_the_dataset_it_was_made_from(tmp_path):
    rows = {"creator_id": "ana", "bio": "çay 🍵 شاي", "content_labels": ["food", "tea"], "followers_count": 12.0}
    tables = schema.complete({"creators": creators(rows), "collaboration_events": events(event("e1", rating=4.5))})
    write_tables(tables, tmp_path / "data")
    import_dataset(str(tmp_path / "data"), tmp_path / "store.sqlite")
    read = read_tables(url_of(tmp_path / "store.sqlite"))
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(read[name], frame)


def test_a_dataset_is_imported_once_and_half_an_import_is_none(tmp_path):
    write_tables({"creators": creators({"creator_id": "ana"})}, tmp_path / "data")
    path = open_store(tmp_path, str(tmp_path / "data"))
    Store(path).upsert(creators({"creator_id": "new", "observed_at": T("2025-01-01")}), audience())
    assert open_store(tmp_path, str(tmp_path / "data")) == path
    assert list(read_tables(url_of(path))["creators"][c.CREATOR_ID]) == ["ana", "new"]
    broken = schema.complete(
        {"creators": creators({"creator_id": "ana"}), "collaboration_events": events(event("e"), event("e"))}
    )
    write_tables(broken, tmp_path / "broken")
    with pytest.raises(InputError, match="event_id"):
        open_store(tmp_path, str(tmp_path / "broken"))
    assert open_store(tmp_path, None) == path


def test_a_folder_that_changed_since_its_import_is_told_to_the_log(tmp_path, caplog):
    folder = tmp_path / "data"
    write_tables({"creators": creators({"creator_id": "ana"})}, folder)
    path = open_store(tmp_path, str(folder))
    open_store(tmp_path, str(folder))
    assert not caplog.records
    write_tables({"creators": creators({"creator_id": "ana"}, {"creator_id": "bo"})}, folder)
    open_store(tmp_path, str(folder))
    assert [f"{folder} has changed since" in one and f"delete {path}" in one for one in caplog.messages] == [True]


def test_every_dataset_has_a_store_of_its_own_and_the_last_one_is_the_default(tmp_path):
    for name in ("one", "two"):
        write_tables({"creators": creators({"creator_id": name})}, tmp_path / name)
    paths = [open_store(tmp_path, str(tmp_path / name)) for name in ("one", "two", "one")]
    assert paths[0] == paths[2] != paths[1]
    assert open_store(tmp_path, None) == paths[0]


def test_without_data_there_is_no_store(tmp_path):
    with pytest.raises(InputError, match="name a dataset"):
        open_store(tmp_path, None)


def test_upserts_add_to_the_history_and_the_same_moment_again_replaces(store, path):
    day1, day2 = T("2025-01-01"), T("2025-01-02")
    for day, bio, shares in (
        (day1, "a", [("ana", "F", 1.0, day1)]),
        (day2, "b", [("ana", "M", 1.0, day2)]),
        (day2, "c", [("ana", "F", 0.5, day2), ("ana", "X", 0.5, day2)]),
    ):
        store.upsert(creators({"creator_id": "ana", "observed_at": day, "bio": bio}), audience(*shares))
    read = read_tables(url_of(path))
    assert read["creators"].loc[read["creators"][c.CREATOR_ID] == "ana", c.BIO].dropna().tolist() == ["a", "c"]
    assert list(read["audience"][c.BUCKET]) == ["F", "F", "X"]


def test_a_dated_row_takes_the_place_of_an_undated_one(tmp_path):
    undated = audience(("ana", "F", 1.0, None), ("bo", "F", 1.0, None))
    write_tables({"creators": creators({"creator_id": "ana"}, {"creator_id": "bo"}), "audience": undated}, tmp_path)
    path = open_store(tmp_path, str(tmp_path))
    day = T("2025-01-01")
    store = Store(path)
    store.upsert(creators({"creator_id": "ana", "observed_at": day}), audience(("ana", "M", 1.0, day)))
    store.close()
    read = read_tables(url_of(path))
    assert read["creators"][[c.CREATOR_ID, c.OBSERVED_AT]].values.tolist() == [["bo", pd.NaT], ["ana", day]]
    assert read["audience"][[c.CREATOR_ID, c.BUCKET]].values.tolist() == [["bo", "F"], ["ana", "M"]]


def test_a_deleted_creator_is_gone_from_every_table(store, path):
    store.append_events(events(event("e1"), event("e2", "bo")))
    store.upsert(creators(), audience(("ana", "F", 1.0, T("2025-01-01"))))
    store.delete(["ana", "nobody"])
    assert store.known_creators(["ana", "bo", "nobody"]) == {"bo"}
    read = read_tables(url_of(path))
    assert [len(read[name]) for name in ("creators", "audience", "collaboration_events")] == [1, 0, 1]


def test_events_about_a_batch_are_those_of_its_creators_collaborations_and_references(store):
    stored = [
        event("same-creator"),
        event("same-collaboration", "bo", collaboration_id="k"),
        event("referred", "bo"),
        event("other", "bo"),
    ]
    store.append_events(events(*stored))
    batch = events(event("new", collaboration_id="k", refers_to="referred"))
    assert set(store.events_about(batch)[c.EVENT_ID]) == {"same-creator", "same-collaboration", "referred"}


def test_an_event_id_is_there_once_and_a_failed_batch_leaves_nothing(store):
    store.append_events(events(event("e1")))
    with pytest.raises(DatabaseError):
        store.append_events(events(event("e2"), event("e1")))
    assert list(store.events_about(events(event("e1")))[c.EVENT_ID]) == ["e1"]


def test_a_ranking_is_remembered_and_a_store_from_before_there_were_rankings_learns_to(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE IF EXISTS rankings")
    store = Store(path)
    ranking = Ranking("r", '{"brief_id": "q"}', None, datetime(2025, 1, 1))
    store.remember(ranking)
    assert store.ranking("r") == ranking
    assert store.ranking("other") is None
    store.close()


def test_feedback_is_written_whole_or_not_at_all(store, path):
    brief = schema.conform(pd.DataFrame({c.BRIEF_ID: ["q"]}), schema.BRIEFS)
    rows = {c.BRIEF_ID: "q", c.CREATOR_ID: ["ana", "bo"], c.SHOWN_AT: T("2025-01-01"), c.POSITION: 1.0}
    shown = schema.conform(pd.DataFrame(rows).assign(**{c.RANKING_ID: "r"}), schema.IMPRESSIONS)
    for outcome in ("NONE", "CLICKED"):
        store.write_feedback(brief, shown.assign(**{c.OUTCOME: outcome}))
    assert list(store.impressions_of("r")[c.OUTCOME]) == ["CLICKED", "CLICKED"]
    assert store.impressions_of("other").empty
    with pytest.raises(InputError):
        store.write_feedback(brief.assign(**{c.BRIEF_ID: "p", c.CONTENT_LABELS: [["a|b"]]}), shown.assign(position=2.0))
    read = read_tables(url_of(path))
    assert list(read["briefs"][c.BRIEF_ID]) == ["q"]
    assert list(read["impressions"][c.POSITION]) == [1.0, 1.0]


def test_a_label_and_its_event_are_written_both_or_neither(path, store):
    label = schema.conform(pd.DataFrame([{"creator_id": "ana", "is_fake": 1.0}]), schema.FRAUD_LABELS)
    store.append_labels(label, events(event("e1")))
    with pytest.raises(DatabaseError):
        store.append_labels(label, events(event("e1")))
    tables = read_tables(url_of(path))
    assert (len(tables["fraud_labels"]), len(tables["collaboration_events"])) == (1, 1)
    assert list(store.labels_about(label)[c.CREATOR_ID]) == ["ana"]
