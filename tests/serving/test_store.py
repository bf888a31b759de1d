from datetime import datetime

import pandas as pd
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from features import columns as c
from features import schema
from features.errors import InputError
from features.source import about
from features.tables import read_tables, write_tables
from serving.database import open_engine
from serving.opening import open_store
from serving.store import Ranking
from tests.serving.fakes import make_store, open_store_at

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
def store(tmp_path, url):
    return open_store_at(make_store(tmp_path, url=url))


def test_upserts_add_to_the_history_and_the_same_moment_again_replaces(store, url):
    day1, day2 = T("2025-01-01"), T("2025-01-02")
    for day, bio, shares in (
        (day1, "a", [("ana", "F", 1.0, day1)]),
        (day2, "b", [("ana", "M", 1.0, day2)]),
        (day2, "c", [("ana", "F", 0.5, day2), ("ana", "X", 0.5, day2)]),
    ):
        with store.writing() as it:
            it.upsert(creators({"creator_id": "ana", "observed_at": day, "bio": bio}), audience(*shares))
    read = read_tables(url)
    assert read["creators"].loc[read["creators"][c.CREATOR_ID] == "ana", c.BIO].dropna().tolist() == ["a", "c"]
    assert list(read["audience"][c.BUCKET]) == ["F", "F", "X"]


def test_a_dated_row_takes_the_place_of_an_undated_one(tmp_path, url):
    undated = audience(("ana", "F", 1.0, None), ("bo", "F", 1.0, None))
    write_tables({"creators": creators({"creator_id": "ana"}, {"creator_id": "bo"}), "audience": undated}, url)
    day = T("2025-01-01")
    store = open_store_at(open_store(tmp_path, url))
    with store.writing() as it:
        it.upsert(creators({"creator_id": "ana", "observed_at": day}), audience(("ana", "M", 1.0, day)))
    read = read_tables(url)
    assert read["creators"][[c.CREATOR_ID, c.OBSERVED_AT]].values.tolist() == [["bo", pd.NaT], ["ana", day]]
    assert read["audience"][[c.CREATOR_ID, c.BUCKET]].values.tolist() == [["bo", "F"], ["ana", "M"]]


def test_a_deleted_creator_is_gone_from_every_table(store, url):
    with store.writing() as it:
        it.append_events(events(event("e1"), event("e2", "bo")))
        it.upsert(creators(), audience(("ana", "F", 1.0, T("2025-01-01"))))
        it.delete(["ana", "nobody"])
        assert it.known_creators(["ana", "bo", "nobody"]) == {"bo"}
    read = read_tables(url)
    assert [len(read[name]) for name in ("creators", "audience", "collaboration_events")] == [1, 0, 1]


def test_of_a_deleted_creator_the_ledger_keeps_what_happened_and_forgets_what_was_written(store, url):
    said = events(event("e1", note="Ana lives in Izmir"), event("e2", "bo", note="Bo does not", collaboration_id="k"))
    with store.writing() as it:
        it.append_events(said)
        it.delete(["ana"])
        assert list(it.events_about(said[:1])[c.NOTE].isna()) == [True]
        it.upsert(creators({"creator_id": "ana", "observed_at": T("2025-02-01")}), audience())
    read = read_tables(url)["collaboration_events"].set_index(c.EVENT_ID)[c.NOTE]
    assert read.isna().to_dict() == {"e1": True, "e2": False}


def test_what_was_erased_is_not_in_the_file_either(tmp_path):
    path = tmp_path / "store.sqlite"
    store = open_store_at(make_store(tmp_path))
    with store.writing() as it:
        it.append_events(events(event("e1", note="Ana lives in Izmir")))
    assert any(b"Izmir" in one.read_bytes() for one in tmp_path.glob("store.sqlite*"))
    with store.writing() as it:
        it.delete(["ana"])
    store.close()
    assert b"Izmir" not in path.read_bytes()
    assert [one.name for one in tmp_path.glob("store.sqlite*")] == [path.name]


@pytest.mark.parametrize("change", ["UPDATE ledger SET rating = 5", "DELETE FROM ledger"])
def test_the_database_refuses_to_change_or_remove_an_event(store, url, change):
    with store.writing() as it:
        it.append_events(events(event("e1")))
    engine = open_engine(url)
    with pytest.raises(DBAPIError, match="only ever added to"), engine.begin() as connection:
        connection.exec_driver_sql(change)
    engine.dispose()
    assert len(read_tables(url)["collaboration_events"]) == 1


def test_events_about_a_batch_are_those_of_its_creators_collaborations_and_references(store):
    stored = [
        event("same-creator"),
        event("same-collaboration", "bo", collaboration_id="k"),
        event("referred", "bo"),
        event("other", "bo"),
    ]
    batch = events(event("new", collaboration_id="k", refers_to="referred"))
    with store.writing() as it:
        it.append_events(events(*stored))
        assert set(it.events_about(batch)[c.EVENT_ID]) == {"same-creator", "same-collaboration", "referred"}


def test_every_value_of_an_event_comes_back_as_it_was(store, url):
    told = {"note": "çay 🍵 شاي", "rating": 4.5, "received_at": T("2025-01-01 12:00:00.123456"), "amount": 1e15}
    sent = events(event("e1", **told), event("e2"))
    with store.writing() as it:
        it.append_events(sent)
    with store.reading() as it:
        pd.testing.assert_frame_equal(it.events_about(sent), sent)
    pd.testing.assert_frame_equal(read_tables(url)["collaboration_events"], sent)


def test_an_event_id_is_there_once_and_a_failed_batch_leaves_nothing(store):
    def append(*rows):
        with store.writing() as it:
            it.append_events(events(*rows))

    append(event("e1"))
    with pytest.raises(IntegrityError):
        append(event("e2"), event("e1"))
    with store.reading() as it:
        assert list(it.events_about(events(event("e1")))[c.EVENT_ID]) == ["e1"]


def test_a_ranking_is_remembered(store):
    ranking = Ranking("r", '{"brief_id": "q"}', None, datetime(2025, 1, 1))
    store.remember([ranking])
    store.remember([ranking, Ranking("s", "{}", "7", datetime(2025, 1, 1))])  # the first time was not heard of
    with store.reading() as it:
        assert it.ranking("r") == ranking
        assert it.ranking("other") is None


def test_feedback_is_written_whole_or_not_at_all(store, url):
    brief = schema.conform(pd.DataFrame({c.BRIEF_ID: ["q"]}), schema.BRIEFS)
    rows = {c.BRIEF_ID: "q", c.CREATOR_ID: ["ana", "bo"], c.SHOWN_AT: T("2025-01-01"), c.POSITION: 1.0}
    shown = schema.conform(pd.DataFrame(rows).assign(**{c.RANKING_ID: "r"}), schema.IMPRESSIONS)
    wrong = brief.assign(**{c.BRIEF_ID: "p", c.CONTENT_LABELS: [["a|b"]]})
    for outcome in ("NONE", "CLICKED"):
        with store.writing() as it:
            it.write_feedback(brief, shown.assign(**{c.OUTCOME: outcome}))
    with pytest.raises(InputError), store.writing() as it:
        it.write_feedback(wrong, shown.assign(position=2.0))
    with store.reading() as it:
        assert list(it.impressions_of("r")[c.OUTCOME]) == ["CLICKED", "CLICKED"]
        assert it.impressions_of("other").empty
    read = read_tables(url)
    assert list(read["briefs"][c.BRIEF_ID]) == ["q"]
    assert list(read["impressions"][c.POSITION]) == [1.0, 1.0]


def test_a_label_and_its_event_are_written_both_or_neither(store, url):
    label = schema.conform(pd.DataFrame([{"creator_id": "ana", "is_fake": 1.0}]), schema.FRAUD_LABELS)
    with store.writing() as it:
        it.append_labels(label, events(event("e1")))
    with pytest.raises(IntegrityError), store.writing() as it:
        it.append_labels(label, events(event("e1")))
    tables = read_tables(url)
    assert (len(tables["fraud_labels"]), len(tables["collaboration_events"])) == (1, 1)
    with store.reading() as it:
        assert list(it.labels_about(label)[c.CREATOR_ID]) == ["ana"]


def test_news_are_those_whom_the_writes_since_were_about(store):
    with store.writing() as it:
        it.append_events(events(event("e1"), event("e2", "bo")))
    with store.reading() as it:
        since = it.number()
        assert it.news(since).creator_ids == []
    with store.writing() as it:
        it.append_events(events(event("e3")))
    with store.writing() as it:
        it.delete(["bo"])
    with store.reading() as it:
        news = it.news(since)
        own = about(it, news.creator_ids)
    assert (news.number, sorted(news.creator_ids)) == (since + 2, ["ana", "bo"])
    assert list(own["creators"][c.CREATOR_ID]) == ["ana"]
    assert set(own["collaboration_events"][c.EVENT_ID]) == {"e1", "e3"}


def test_a_deletion_is_news_of_those_whom_the_same_accounts_engaged_with(tmp_path, url):
    acts = [("bot", "ana"), ("bot", "bo"), ("fan", "bo"), ("fan", "cy"), ("other", "di")]
    engagements = pd.DataFrame(acts, columns=[c.ACCOUNT_ID, c.CREATOR_ID])
    engagements = engagements.assign(**{c.ACTION: "LIKE", c.EVENT_TIME: pd.Timestamp("2025-05-01")})
    people = pd.DataFrame({c.CREATOR_ID: ["ana", "bo", "cy", "di"]})
    write_tables(schema.complete({"creators": people, "engagements": engagements}), url)
    store = open_store_at(open_store(tmp_path, url))
    with store.writing() as it:
        it.delete(["ana"])
    with store.reading() as it:
        assert sorted(it.news(0).creator_ids) == ["ana", "bo"]
        assert sorted(it.where("engagements", c.ACCOUNT_ID, ["bot"])[c.CREATOR_ID]) == ["bo"]


def test_a_write_that_failed_is_no_news(store):
    with store.reading() as it:
        since = it.number()
    with pytest.raises(IntegrityError), store.writing() as it:
        it.append_events(events(event("e1"), event("e1")))
    with store.reading() as it:
        assert it.number() == since


def test_a_reading_sees_one_moment_though_others_write(store, url):
    other = open_store_at(url)
    with store.reading() as it:
        before = it.number()
        with other.writing() as another:
            another.append_events(events(event("e1")))
        assert it.number() == before
        assert it.where("collaboration_events", c.CREATOR_ID, ["ana"]).empty


def test_a_database_that_stops_answering_is_one_clear_error(tmp_path):
    url = make_store(tmp_path)
    store = open_store_at(url)
    (tmp_path / "store.sqlite").unlink()
    (tmp_path / "store.sqlite").mkdir()
    with pytest.raises(InputError, match="the store does not answer") as caught, store.writing():
        pass
    assert caught.value.code == "UNAVAILABLE"
