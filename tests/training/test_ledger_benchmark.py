import pytest

from features.errors import InputError
from features.tables import read_tables
from tests.end_to_end.serve import free_port
from tests.serving.fakes import make_store
from tests.serving.server import start
from training.benchmarks import ledger


def test_it_counts_what_a_service_acknowledged(tmp_path):
    url, port = make_store(tmp_path, [f"c{i}" for i in range(30)]), free_port()
    service = start(url, port)
    try:
        found = ledger.run(f"http://127.0.0.1:{port}", seconds=0.3)
    finally:
        service.kill()
        service.wait()
    stored = len(read_tables(url)["collaboration_events"])
    assert found["creators"] == found["credit"]["creators"] == 30
    assert [one["batch"] for one in found["batches"]] == list(ledger.BATCHES)
    assert all(one["events_per_second"] > 0 for one in found["batches"])
    assert stored >= ledger.WRITERS * sum(ledger.BATCHES)


@pytest.mark.parametrize("url", ["127.0.0.1:3000", "https://127.0.0.1", "http://127.0.0.1:1"])
def test_where_no_service_answers_it_says_so(url):
    with pytest.raises(InputError, match="url: "):
        ledger.run(url)
