"""The documents cannot drift: every command, option, setting and field is in them."""

import pytest

from core.cli.main import GROUPS
from core.models.choices import BASELINES, PROTOCOLS
from core.models.plan import read_plan
from core.settings import PROJECT, Settings
from tests.cli.test_main import commands
from tools.document_fields import documented

PAGE = (PROJECT / "docs" / "cli.md").read_text(encoding="utf-8")
COMMANDS = dict(commands())


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_is_documented(words):
    assert f"`{' '.join(words)}" in PAGE or f"python -m core {' '.join(words)}" in PAGE


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_option_is_documented(words):
    options = {option for action in COMMANDS[words]._actions for option in action.option_strings}
    assert {option for option in options - {"-h", "--help"} if f"`{option}" not in PAGE} == set()


def test_the_table_of_fields_is_up_to_date():
    assert documented(PAGE) == PAGE, "run python -m tools.document_fields"


@pytest.mark.parametrize("name", [*BASELINES, *PROTOCOLS])
def test_what_a_sweep_may_name_is_documented(name):
    assert f"`{name}`" in PAGE


def test_every_setting_is_documented(tmp_path):
    page = (PROJECT / "docs" / "settings.md").read_text(encoding="utf-8")
    documented_settings = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `LONGTAIL_")}
    assert documented_settings == set(Settings(cache=tmp_path).environment())


def test_the_example_plan_is_a_plan(tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(PAGE.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    assert [v.method for v in read_plan(plan).sweep.variants("d")] == ["most_popular", "dns", "auc_ns", "auc_ns"]


def test_every_group_of_commands_is_in_the_readme():
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    missing = {words[0] for words in COMMANDS if f"core {words[0]}" not in readme and f"`{words[0]}`" not in readme}
    assert missing == set()
    assert len({words[0] for words in COMMANDS}) >= len(GROUPS)
