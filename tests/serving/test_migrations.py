import pandas as pd
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from features import columns as c
from features.errors import InputError
from features.schema import complete
from features.tables import read_tables, write_tables
from serving.database import open_engine
from serving.layout import METADATA, RANKINGS
from serving.migrations import VERSION_TABLE, migrate
from serving.opening import open_store
from tests.serving.fakes import make_store, open_store_at
from tests.serving.test_store import creators, event, events

TABLES = complete(
    {
        "creators": creators({"creator_id": "ana", "bio": "çay 🍵", "content_labels": ["food", "tea"]}),
        "collaboration_events": events(event("e1", note="شاي"), event("e2", rating=4.5)),
    }
)
RANKING = {"ranking_id": "r", "brief": "{}", "policy_version": None, "ranked_at": pd.Timestamp("2025-01-01")}


@pytest.fixture
def engine(url):
    opened = open_engine(url)
    yield opened
    opened.dispose()


def test_the_migrations_make_the_tables_that_the_store_reads(engine):
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []


def test_a_store_from_before_there_were_migrations_keeps_every_row(tmp_path, url, engine):
    write_tables(TABLES, url)
    with engine.begin() as connection:
        RANKINGS.create(connection)
        connection.execute(RANKINGS.insert(), RANKING)
        connection.exec_driver_sql(
            "CREATE UNIQUE INDEX collaboration_events_event_id ON collaboration_events (event_id)"
        )
    store = open_store_at(open_store(tmp_path, url))
    with store.writing() as it:
        assert it.ranking("r") is not None
        it.append_events(events(event("e3")))
    read = read_tables(url)
    pd.testing.assert_frame_equal(read["creators"], TABLES["creators"])
    assert list(read["collaboration_events"][c.EVENT_ID]) == ["e1", "e2", "e3"]
    pd.testing.assert_frame_equal(read["collaboration_events"][:2], TABLES["collaboration_events"])


def test_a_dataset_in_sql_without_most_columns_becomes_a_store(tmp_path, url, engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE creators (creator_id TEXT, city TEXT)")
        connection.exec_driver_sql("INSERT INTO creators VALUES ('ana', 'Izmir')")
    open_store(tmp_path, url)
    assert read_tables(url)["creators"][[c.CREATOR_ID, "city"]].values.tolist() == [["ana", "Izmir"]]


def test_every_revision_is_reached_from_the_first_without_loss(url, engine):
    migrate(engine, "0001")
    with engine.begin() as connection:
        events(event("e1", note="شاي")).to_sql("collaboration_events", connection, if_exists="append", index=False)
        connection.execute(RANKINGS.insert(), RANKING)
    for _ in range(2):
        migrate(engine)
    with engine.begin() as connection:
        assert connection.execute(sa.select(RANKINGS.c.ranking_id)).scalars().all() == ["r"]
        connection.exec_driver_sql("INSERT INTO creators (creator_id) VALUES ('ana')")
    pd.testing.assert_frame_equal(read_tables(url)["collaboration_events"], events(event("e1", note="شاي")))


def test_a_store_of_a_later_version_is_one_clear_error_and_stays_as_it_is(tmp_path, url, engine):
    make_store(tmp_path, url=url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(InputError, match="later version") as caught:
        open_store(tmp_path, url)
    assert caught.value.code == "CONFLICT"
    with engine.begin() as connection:
        assert connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar_one() == "9999"
