"""Streams of random numbers: one a purpose, from the seed alone."""

from core.models.streams import PURPOSES, streams


def test_the_same_seed_gives_the_same_streams_and_purposes_differ():
    first, again, other = ({p: g.integers(0, 2**63) for p, g in streams(seed).items()} for seed in (5, 5, 6))
    assert first == again
    assert len({*first.values(), *other.values()}) == 2 * len(PURPOSES)


def test_the_order_of_purposes_is_part_of_every_result():
    assert PURPOSES == ("init", "order", "negatives", "bootstrap")
