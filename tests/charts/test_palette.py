"""The look of methods: the same everywhere, no two alike, readable on both grounds."""

import itertools

import pytest

from core.charts import palette
from core.models.choices import BASELINES, SAMPLERS
from core.models.variant import make_variant

LIGHT, DARK = "#FCFBF8", "#15191B"  # the grounds of .streamlit/config.toml


def luminance(colour):
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_method_has_its_row():
    methods = {make_variant("d", sampler=s, updater=u).method for s in SAMPLERS for u in ("two_bp", "one_bp")}
    methods |= {make_variant("d", baseline=b).method for b in BASELINES}
    assert methods <= set(palette.METHOD_STYLE)


def test_no_two_trained_methods_look_alike():
    trained = [style for method, style in palette.METHOD_STYLE.items() if method not in BASELINES]
    for one, other in itertools.combinations(trained, 2):
        assert (one.colour, one.shape) != (other.colour, other.shape)
    assert len({style.shape for style in trained}) == len(trained)  # by shape alone, for whoever sees no colour


def test_the_accents_belong_to_no_method():
    assert not {palette.A, palette.B} & {style.colour for style in palette.METHOD_STYLE.values()}


@pytest.mark.parametrize("ground", [LIGHT, DARK])
def test_colours_stand_out_on_both_grounds(ground):
    for method, style in palette.METHOD_STYLE.items():
        assert contrast(style.colour, ground) > 2.5, method
    assert contrast(palette.NEUTRAL, ground) > 4


def test_an_unknown_method_always_looks_the_same():
    assert palette.style("fair_static") == palette.style("fair_static")
    assert palette.style("fair_static").colour.startswith("#")


def test_scales_name_what_they_colour():
    scale = palette.colour_scale(["rns", "auc_ns"], ["RNS", "AUC-NS"]).to_dict()
    assert scale == {"domain": ["RNS", "AUC-NS"], "range": [palette.BLUE, palette.VERMILION]}
    assert palette.shape_scale(["rns"]).to_dict() == {"domain": ["rns"], "range": [palette.CIRCLE]}


def test_methods_come_in_the_palettes_order():
    assert palette.in_order(["zzz", "auc_ns", "rns", "aaa", "rns"]) == ["rns", "auc_ns", "aaa", "zzz"]
