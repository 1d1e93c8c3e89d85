"""Settings: defaults, each variable's type and range, and the sentence for a value that cannot be used."""

from dataclasses import fields

import pytest

from core.errors import BadSetting
from core.settings import PROJECT, Settings, read_settings, usable_cores


def test_defaults_need_no_variable():
    settings = read_settings({})
    assert settings.cache == PROJECT / "cache"
    assert settings.autostart
    assert settings.workers == usable_cores()


def test_an_empty_variable_counts_as_unset():
    assert read_settings({"LONGTAIL_WORKERS": " ", "LONGTAIL_CACHE": ""}) == read_settings({})


def test_every_path_lies_below_the_cache(tmp_path):
    settings = read_settings({"LONGTAIL_CACHE": str(tmp_path)})
    paths = [n for n, v in vars(Settings).items() if isinstance(v, property)]
    assert len(paths) >= 8
    assert all(getattr(settings, name).is_relative_to(tmp_path) for name in paths)


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("LONGTAIL_AUTOSTART", "0", "autostart", False),
        ("LONGTAIL_AUTOSTART", "Yes", "autostart", True),
        ("LONGTAIL_DATASET_MIRROR", "http://localhost:1/x", "dataset_mirror", "http://localhost:1/x"),
        ("LONGTAIL_WORKERS", "3", "workers", 3),
        ("LONGTAIL_DEVICE", "CPU", "device", "cpu"),
        ("LONGTAIL_IDLE_SECONDS", "0.5", "idle_seconds", 0.5),
        ("LONGTAIL_DUCKDB_MEMORY", "512mb", "duckdb_memory", "512MB"),
        ("LONGTAIL_DUCKDB_MEMORY", "3G", "duckdb_memory", "3GB"),
        ("LONGTAIL_DEBUG", "on", "debug", True),
    ],
)
def test_reads(variable, value, field, expected):
    assert getattr(read_settings({variable: value}), field) == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LONGTAIL_AUTOSTART", "maybe"),
        ("LONGTAIL_WORKERS", "many"),
        ("LONGTAIL_DEVICE", "gpu"),
        ("LONGTAIL_WORKERS", "0"),
        ("LONGTAIL_WORKERS", "1.5"),
        ("LONGTAIL_WORKERS", "nan"),
        ("LONGTAIL_IDLE_SECONDS", "-1"),
        ("LONGTAIL_DUCKDB_MEMORY", "lots"),
        ("LONGTAIL_DUCKDB_MEMORY", "0GB"),
        ("LONGTAIL_DUCKDB_THREADS", "inf"),
        ("LONGTAIL_FETCH_TIMEOUT", "0"),
    ],
)
def test_refuses(variable, value):
    with pytest.raises(BadSetting, match=f"{variable}='{value}' cannot be used. Use "):
        read_settings({variable: value})


def test_every_field_is_documented():
    lines = (PROJECT / "core" / "settings.py").read_text().splitlines()
    for field in fields(Settings):
        at = next(i for i, line in enumerate(lines) if line.startswith(f"    {field.name}:"))
        assert lines[at + 1].strip().startswith('"""'), field.name
