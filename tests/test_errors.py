"""Errors: each survives the trip between processes, and says its sentence."""

import pickle

import pytest

from core import errors

SAMPLES = [
    errors.BadSetting("LONGTAIL_WORKERS", "many", "Use a number."),
    errors.BadInput("ratings.csv, row 3", "rating 'x' is not a number", "Correct it."),
    errors.BadVariant(["beta is negative", "lr is 0"]),
    errors.Unknown("sampler", "dnss", ("rns", "dns")),
    errors.SourceUnreachable("ml-100k", ["mirror: no such folder", "official: timed out"]),
    errors.DamagedArtifact("metrics.parquet", "its checksum differs"),
    errors.RunFailed("The loss became infinite", "Lower lr."),
    errors.Cancelled(),
]


def test_every_error_has_a_sample():
    def leaves(kind):
        return {kind} if not kind.__subclasses__() else set().union(*map(leaves, kind.__subclasses__()))

    defined_here = {kind for kind in leaves(errors.LabError) if kind.__module__ == errors.__name__}
    assert defined_here == {type(sample) for sample in SAMPLES}


@pytest.mark.parametrize("error", SAMPLES, ids=lambda e: type(e).__name__)
def test_survives_pickling(error):
    again = pickle.loads(pickle.dumps(error))  # as loky does with an exception of a child
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


@pytest.mark.parametrize("error", SAMPLES, ids=lambda e: type(e).__name__)
def test_is_refused_or_failed(error):
    assert error.exit_code == (2 if isinstance(error, errors.Refused) else 1)
    assert str(error).endswith((".", "?")) or isinstance(error, errors.BadVariant)


def test_unknown_names_the_nearest():
    assert str(errors.Unknown("sampler", "auc-ns", ("rns", "auc_ns"))) == (
        "There is no sampler 'auc-ns'. Did you mean auc_ns?"
    )
    assert str(errors.Unknown("sampler", "AUC-NS", ("rns", "auc_ns"))).endswith("Did you mean auc_ns?")
    assert "Known: a, b." in str(errors.Unknown("sampler", "zzz", ("a", "b")))
    assert str(errors.Unknown("run", "zzz")) == "There is no run 'zzz'."


def test_bad_variant_takes_one_sentence_or_many():
    assert errors.BadVariant("only this").reasons == ("only this",)
    assert str(errors.BadVariant(["this", "that"])) == "this\nthat"
