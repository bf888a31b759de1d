import hashlib

import pandas as pd
import pytest

from features import columns as c
from features import schema
from features.errors import InputError
from features.tables import read_tables, write_tables
from serving.opening import import_dataset, open_store, url_of
from tests.serving.fakes import open_store_at
from tests.serving.test_store import T, audience, creators, event, events


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
    url = open_store(tmp_path, str(tmp_path / "data"))
    with open_store_at(url).writing() as store:
        store.upsert(creators({"creator_id": "new", "observed_at": T("2025-01-01")}), audience())
    assert open_store(tmp_path, str(tmp_path / "data")) == url
    assert list(read_tables(url)["creators"][c.CREATOR_ID]) == ["ana", "new"]
    broken = schema.complete(
        {"creators": creators({"creator_id": "ana"}), "collaboration_events": events(event("e"), event("e"))}
    )
    write_tables(broken, tmp_path / "broken")
    with pytest.raises(InputError, match="event_id"):
        open_store(tmp_path, str(tmp_path / "broken"))
    assert open_store(tmp_path, None) == url


def test_a_folder_that_changed_since_its_import_is_told_to_the_log(tmp_path, caplog):
    folder = tmp_path / "data"
    write_tables({"creators": creators({"creator_id": "ana"})}, folder)
    path = open_store(tmp_path, str(folder)).removeprefix("sqlite:///")
    open_store(tmp_path, str(folder))
    assert not caplog.records
    write_tables({"creators": creators({"creator_id": "ana"}, {"creator_id": "bo"})}, folder)
    open_store(tmp_path, str(folder))
    assert [f"{folder} has changed since" in one and f"delete {path}" in one for one in caplog.messages] == [True]


def test_every_dataset_has_a_store_of_its_own_and_the_last_one_is_the_default(tmp_path):
    for name in ("one", "two"):
        write_tables({"creators": creators({"creator_id": name})}, tmp_path / name)
    urls = [open_store(tmp_path, str(tmp_path / name)) for name in ("one", "two", "one")]
    assert urls[0] == urls[2] != urls[1]
    assert open_store(tmp_path, None) == urls[0]


def test_without_data_there_is_no_store(tmp_path):
    with pytest.raises(InputError, match="name a dataset"):
        open_store(tmp_path, None)


def test_a_sql_url_is_the_store_itself_and_is_not_kept(tmp_path, url):
    write_tables({"creators": creators({"creator_id": "ana"})}, tmp_path / "data")
    open_store(tmp_path, str(tmp_path / "data"))
    write_tables({"creators": creators({"creator_id": "bo"})}, url)
    for _ in range(2):
        assert open_store(tmp_path, url) == url
    with open_store_at(url).writing() as store:
        store.append_events(events(event("e1", "bo")))
    assert list(read_tables(url)["collaboration_events"][c.EVENT_ID]) == ["e1"]
    with pytest.raises(InputError, match="name a dataset"):
        open_store(tmp_path, None)


def test_a_database_that_was_imported_by_an_earlier_version_is_not_served_beside_its_copy(tmp_path, url):
    write_tables({"creators": creators({"creator_id": "ana"})}, url)
    copy = tmp_path / "stores" / f"{hashlib.sha256(url.encode()).hexdigest()[:12]}.sqlite"
    copy.parent.mkdir()
    copy.touch()
    with pytest.raises(InputError, match="was imported before, and written to since"):
        open_store(tmp_path, url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+psycopg://ana:secret@/x?host=/nowhere", "the database refuses"),
        ("postgresql+nonsense://ana:secret@/x", "is no usable SQL URL"),
        ("sqlite:////nowhere/x.sqlite", "no such database file"),
        ("mysql+pymysql://ana:secret@host/x", "SQLite or PostgreSQL"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_clear_error_without_the_password(tmp_path, url, said):
    with pytest.raises(InputError, match=said) as caught:
        open_store(tmp_path, url)
    assert "secret" not in caught.value.message


def test_an_empty_database_says_what_it_lacks(tmp_path, url):
    if url.startswith("sqlite"):
        (tmp_path / "store.sqlite").touch()
    with pytest.raises(InputError, match="no table creators"):
        open_store(tmp_path, url)
