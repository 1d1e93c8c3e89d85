"""Saved decisions: they come back, beside a queue, and survive what is wrong with the file."""

from dataclasses import replace

import pytest

from core.decisions import store
from core.decisions.rule import Rule
from core.errors import BadInput, Unknown
from core.jobs.queue import Queue
from core.settings import Settings

ROW = {"split": "test", "metric": "ndcg@10", "value": 0.4, "low": 0.39, "high": None}
ONE = store.Decision(
    "ds", Rule("give_up", 1, "ndcg@10", "aplt@10"), "v1", "AUC-NS β 0.1", "v0", "RNS", [ROW], "said <b>so</b>"
)


def test_what_is_saved_comes_back_newest_first(settings: Settings) -> None:
    assert store.decisions(settings) == []
    first = store.save(settings, ONE)
    second = store.save(settings, replace(ONE, dataset="other", baseline=None))
    assert store.decisions(settings) == [second, first]
    assert store.decisions(settings, "ds") == [first] and store.decision(settings, second.id) == second
    assert replace(first, id=0, saved=0.0) == ONE


@pytest.mark.parametrize("queue_first", [True, False])
def test_it_lives_beside_the_queue(settings: Settings, queue_first: bool) -> None:
    if queue_first:
        Queue(settings)
    kept = store.save(settings, ONE)
    queue = Queue(settings)
    assert queue.jobs() == [] and store.decisions(settings) == [kept]


def test_a_deleted_one_can_be_restored(settings: Settings) -> None:
    kept = store.save(settings, ONE)
    assert store.delete(settings, kept.id) == kept and store.decisions(settings) == []
    store.restore(settings, kept)
    store.restore(settings, kept)
    assert store.decisions(settings) == [kept]


def test_unknown_numbers_and_long_notes_are_told(settings: Settings) -> None:
    with pytest.raises(Unknown):
        store.decision(settings, 7)
    with pytest.raises(Unknown):
        store.delete(settings, 7)
    with pytest.raises(BadInput, match="characters"):
        store.save(settings, replace(ONE, note="x" * 5000))


def test_a_file_that_is_no_database_is_told(settings: Settings) -> None:
    settings.cache.mkdir(parents=True, exist_ok=True)
    settings.state.write_bytes(b"not a database, only text that is long enough to be looked at" * 20)
    with pytest.raises(BadInput, match="cannot be read"):
        store.decisions(settings)
