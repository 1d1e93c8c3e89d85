"""`runs export`: the folder, and what is refused."""

from tests.cli.conftest import Command


def test_it_writes_a_folder_once(reading: Command, tmp_path):
    run = reading("results", "tiny", "--format", "json").json[0]["run"]
    answer = reading("runs", "export", run[:10], tmp_path / "out", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["run"] == run
    assert answer.json["files"] == sorted(path.name for path in (tmp_path / "out").iterdir())
    again = reading("runs", "export", run, tmp_path / "out")
    assert again.code == 2
    assert "there already" in again.err


def test_an_unknown_run(reading: Command, tmp_path):
    answer = reading("runs", "export", "zzz", tmp_path / "out")
    assert answer.code == 2
    assert not (tmp_path / "out").exists()
