"""Memory: what is refused, and what a machine or a container is found to have."""

import os

import pytest

from core.models import memory
from core.models.variant import make_variant

EASE = make_variant("d", baseline="ease")
PAGES = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def machine(tmp_path):
    """A machine's files: machine(meminfo=..., max=..., current=..., stat=...)."""

    def make(meminfo=None, **group):
        (tmp_path / "proc").mkdir()
        (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
        if meminfo:
            (tmp_path / "proc/meminfo").write_text(meminfo, "ascii")
        for name, text in group.items():
            (tmp_path / f"sys/fs/cgroup/memory.{name}").write_text(f"{text}\n", "ascii")
        return tmp_path

    return make


def test_half_of_the_memory_may_be_taken():
    needed = 12 * 1000**2
    assert memory.needed(EASE, 1000) == needed
    assert memory.refusal(EASE, 1000, 2 * needed) is None
    assert memory.refusal(EASE, 1000, 2 * needed - 1) is not None


def test_the_sentence_names_items_gigabytes_and_the_ways_out():
    said = memory.refusal(EASE, 40_981, 23_500_000_000)
    needed = 12 * 40_981**2 / 1e9
    assert f"EASE needs {needed:.1f} GB" in said
    assert "40,981 x 40,981 items" in said
    assert "half of the 23.5 GB that this machine has" in said
    assert "k-core" in said
    assert "item_knn" in said


def test_nothing_else_needs_a_matrix_of_item_pairs():
    for variant in (make_variant("d"), make_variant("d", baseline="item_knn"), make_variant("d", baseline="random")):
        assert memory.refusal(variant, 10**9, 1) is None


def test_a_machine_without_a_limit(machine):
    root = machine("MemTotal: 900 kB\nMemAvailable:    700 kB\n", max="max", current=10**6)
    assert memory.total(root) == PAGES
    assert memory.free(root) == 700 * 1024


def test_a_container_has_what_its_limit_leaves_and_its_file_cache(machine):
    meminfo = "MemAvailable: 7000 kB\n"
    root = machine(meminfo, max=5_000_000, current=3_000_000, stat="anon 1\ninactive_file 400000\nfile 9")
    assert memory.total(root) == 5_000_000
    assert memory.free(root) == 5_000_000 - (3_000_000 - 400_000)


def test_the_machine_may_have_less_than_the_container_is_allowed(machine):
    root = machine("MemAvailable: 700 kB\n", max=5_000_000, current=0)
    assert memory.free(root) == 700 * 1024


def test_a_system_that_does_not_tell(tmp_path):
    assert memory.total(tmp_path) == memory.free(tmp_path) == PAGES


def test_this_machine_has_some():
    assert 0 < memory.free() <= memory.total() <= PAGES
