"""The look of methods: the same everywhere, no two alike, readable on both grounds, for colour-blind people too."""

import itertools
import re

import numpy as np
import pytest

from core.charts import marks, palette
from core.models.choices import BASELINES, LISTS, LOSSES, METHODS, SAMPLERS
from core.models.combinations import trainable
from core.models.variant import make_variant

LIGHT, DARK = "#FCFBF8", "#15191B"  # the grounds of .streamlit/config.toml
TRAINED = [*sorted({make_variant("d", **cell.choices).method for cell in trainable()}), "pop_penalty"]
BASE = [*SAMPLERS, *(loss for loss in LOSSES if loss != "bpr"), "pop_penalty"]
KINDS = [palette.SAMPLER_STYLE, palette.LOSS_STYLE]

# Machado, Oliveira and Fernandes 2009, table for severity 1
PROTANOPIA = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
DEUTERANOPIA = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]


def linear(colour):
    """Red, green and blue as amounts of light."""
    channels = np.array([int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    """Relative luminance as WCAG 2 defines it."""
    return linear(colour) @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def oklab(light):
    """Ottosson 2020: equal distances look equally far apart."""
    lms = np.array(
        [[0.4122215, 0.5363325, 0.0514460], [0.2119035, 0.6806995, 0.1073970], [0.0883025, 0.2817188, 0.6299787]]
    )
    lab = [[0.2104543, 0.7936178, -0.0040720], [1.9779985, -2.4285922, 0.4505937], [0.0259040, 0.7827718, -0.8086758]]
    return np.array(lab) @ np.cbrt(lms @ np.clip(light, 0, 1))


def apart(one, other, seen=None):
    """How far two colours are from each other; seen: through whose eyes."""
    eyes = np.eye(3) if seen is None else np.array(seen)
    return np.linalg.norm(oklab(eyes @ linear(one)) - oklab(eyes @ linear(other)))


def test_every_sampler_and_loss_has_its_row():
    assert set(palette.SAMPLER_STYLE) == set(SAMPLERS)
    assert set(palette.LOSS_STYLE) == set(LOSSES) - {"bpr"}


def test_no_two_trained_methods_look_alike():
    """All that combine: encoder, sampler, loss and updater, and what re-ranks them."""
    styles = [palette.style(method) for method in TRAINED]
    assert len(TRAINED) == 2 * 2 * len(SAMPLERS) * len(LOSSES) + 1
    assert len({(style.colour, style.shape) for style in styles}) == len(styles)


def test_base_methods_differ_by_shape_alone():
    """For whoever sees no colour; hollow and split ones too."""
    look = [f"{before}{name}" for name in BASE[:-1] for before in ("", "one_bp+", "lightgcn+", "lightgcn+one_bp+")]
    shapes = [palette.style(method).shape for method in [*look, "pop_penalty"]]
    assert len(set(shapes)) == len(shapes) == 4 * 13 + 1


def test_base_methods_differ_by_colour():
    colours = [palette.style(method).colour for method in BASE]
    assert min(apart(a, b) for a, b in itertools.combinations(colours, 2)) > 0.1


@pytest.mark.parametrize("seen", [PROTANOPIA, DEUTERANOPIA], ids=["protanopia", "deuteranopia"])
def test_methods_of_one_kind_differ_for_colour_blind_people(seen):
    for table in KINDS:
        colours = [colour for colour, _ in table.values()]
        assert min(apart(a, b, seen) for a, b in itertools.combinations(colours, 2)) > 0.035


def test_a_combination_has_its_losses_shape_in_its_samplers_colour():
    both, loss, sampler = (palette.style(name) for name in ("ips_cn+dns", "ips_cn", "dns"))
    assert (both.colour, both.shape) == (sampler.colour, loss.shape)
    assert palette.style("one_bp+ips_cn+dns").colour == sampler.colour
    assert palette.style("one_bp+ips_cn+dns").shape == palette.style("one_bp+ips_cn").shape


def test_updater_and_encoder_keep_the_colour():
    for name in BASE[:-1]:
        for before in ("one_bp+", "lightgcn+", "lightgcn+one_bp+"):
            assert palette.style(f"{before}{name}").colour == palette.style(name).colour


def test_the_accents_belong_to_no_method():
    colours = {palette.style(method).colour for method in TRAINED}
    assert min(apart(accent, colour) for accent in (palette.A, palette.B) for colour in colours) > 0.1


def test_hot_and_cold_items_look_like_no_method_and_no_accent():
    """The lists of A and B and their items stand beside each other."""
    accents, methods = (palette.A, palette.B), {palette.style(method).colour for method in TRAINED}
    for colour in (palette.HOT, palette.COLD):
        assert min(apart(colour, accent) for accent in accents) > 0.15
        assert min(apart(colour, method) for method in methods) > 0.07
        assert min(contrast(colour, ground) for ground in (LIGHT, DARK)) > 3.5
    for seen in (None, PROTANOPIA, DEUTERANOPIA):
        assert apart(palette.HOT, palette.COLD, seen) > 0.2


@pytest.mark.parametrize("ground", [LIGHT, DARK])
def test_colours_stand_out_on_both_grounds(ground):
    for method in TRAINED:
        assert contrast(palette.style(method).colour, ground) > 2.5, method
    assert contrast(palette.NEUTRAL, ground) > 4


def test_words_beside_the_data_are_readable_on_their_ground():
    assert contrast(palette.QUIET_ON_LIGHT, LIGHT) > 4.5
    assert contrast(palette.QUIET_ON_DARK, DARK) > 4.5
    assert palette.QUIET_ON_LIGHT in palette.QUIET.expr
    assert palette.QUIET_ON_DARK in palette.QUIET.expr


def test_references_are_grey_and_the_penalty_is_no_reference():
    references = [palette.style(name) for name in BASELINES if name != "pop_penalty"]
    assert {(style.colour, style.dashed) for style in references} == {(palette.NEUTRAL, False)}
    assert palette.style("pop_penalty").colour != palette.NEUTRAL
    assert [name for name in [*BASELINES, *BASE] if palette.style(name).dashed] == ["pop_penalty"] * 2


def test_added_lists_have_the_grey_of_references_and_a_shape_of_their_own():
    added = palette.style(LISTS)
    assert (added.colour, added.dashed) == (palette.NEUTRAL, False)
    assert added.shape not in {palette.style(method).shape for method in [*TRAINED, *BASELINES]}
    assert palette.in_order([LISTS, "ease", "rns", "random"]) == ["rns", "random", "ease", LISTS]


def test_an_unknown_method_always_looks_the_same():
    assert palette.style("one_bp+no_such") == palette.style("one_bp+no_such")
    assert palette.style("no_such").colour.startswith("#")


def test_scales_name_what_they_colour():
    scale = palette.colour_scale(["rns", "auc_ns"], ["RNS", "AUC-NS"]).to_dict()
    assert scale == {"domain": ["RNS", "AUC-NS"], "range": [palette.BLUE, palette.VERMILION]}
    assert palette.shape_scale(["rns"]).to_dict() == {"domain": ["rns"], "range": [marks.CIRCLE.path()]}


def test_methods_come_in_one_order():
    given = ["ease", "lightgcn+rns", "one_bp+auc_ns", "no_such", "ips_cn+dns", "bc", "pop_penalty", "auc_ns", "rns",
             "most_popular", "one_bp+infonce", "rns"]  # fmt: skip
    assert palette.in_order(given) == [
        "rns", "auc_ns", "bc", "no_such", "ips_cn+dns", "one_bp+auc_ns", "one_bp+infonce", "lightgcn+rns",
        "pop_penalty", "most_popular", "ease",
    ]  # fmt: skip
    assert palette.in_order(reversed(METHODS)) == [
        *list(METHODS)[:13], "one_bp+dns", "one_bp+auc_ns", "one_bp+infonce",
    ]  # fmt: skip


# ---------------------------------------------------------------- the geometry of marks


def area(path):
    """The filled area of an SVG path of straight lines: holes run the other way round and count against it."""
    total = 0.0
    for contour in path.removesuffix("Z").split("Z"):
        points = [tuple(map(float, pair.split(","))) for pair in contour.removeprefix("M").split("L")]
        around = zip(points, points[1:] + points[:1], strict=True)
        total += sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in around) / 2
    return total


SHAPES = {name: shape for name, shape in vars(marks).items() if isinstance(shape, marks.Shape)}


def test_a_square_by_hand():
    square = marks.Shape((((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)),), wall=0.25)
    assert square.path() == "M-1,-1L1,-1L1,1L-1,1Z"
    assert square.path(hollow=True) == "M-1,-1L1,-1L1,1L-1,1ZM-.75,.75L.75,.75L.75,-.75L-.75,-.75Z"
    assert area(square.path()) == 4
    assert area(square.path(hollow=True)) == 4 - 1.5**2
    assert area(square.path(split=True)) == pytest.approx(4 - 2 * 2 * marks.GAP)
    assert area(square.path(hollow=True, split=True)) == pytest.approx(4 - 1.5**2 - 4 * 0.25 * marks.GAP)


@pytest.mark.parametrize("name", SHAPES)
def test_every_mark_has_a_hole_and_a_gap_that_can_be_seen(name):
    """Of a mark of ten pixels a hole of a square pixel, and a gap that takes an eleventh away."""
    shape = SHAPES[name]
    solid, hollow, split = area(shape.path()), area(shape.path(hollow=True)), area(shape.path(split=True))
    assert 1 < solid < 4
    assert 0.12 * solid < hollow < 0.85 * solid
    assert split < 0.91 * solid
    assert 0 < area(shape.path(hollow=True, split=True)) < hollow


@pytest.mark.parametrize("name", SHAPES)
def test_paths_are_short_numbers_within_reach(name):
    for path in (SHAPES[name].path(hollow, split) for hollow in (False, True) for split in (False, True)):
        numbers = re.findall(r"-?\d*\.?\d+", path)
        assert max(abs(float(number)) for number in numbers) <= 1.3
        assert re.fullmatch(r"[MLZ\d.,-]+", path)
