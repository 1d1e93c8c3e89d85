"""From an empty cache to an exported report, by clicks alone, on MovieLens 100K: from data to a decision that is kept.

One walk in each theme. Its server has nothing but a folder to fetch from: the data set, the runs and the decision are
made by what is clicked. The last step asks the command line for the same report, byte for byte.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.charts import palette
from core.settings import PROJECT
from tests import realdata
from tests.browser.contrast import GROUND, SMALL_TEXT, WORDS, contrast
from tests.browser.harness import MARKS, Visit, new_visit, serving
from tests.conftest import KERNELS

pytestmark = pytest.mark.browser

EPOCHS = "20"
RUNS = 13  # RNS and three strengths of AUC-NS with three seeds each; most popular has no chance in it
PATIENCE = 300  # seconds: two cores train it in a quarter of that
WHY = "The lists reach further, and nobody notices."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty cache, but for compiled kernels."""
    KERNELS.mkdir(parents=True, exist_ok=True)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "numba").symlink_to(KERNELS)
    return tmp_path / "cache"


@pytest.fixture
def empty_address(folder: Path, browser_at_hand: None) -> Iterator[str]:
    """The app over it. It fetches from a folder, and from nowhere else."""
    mirror = str(realdata.ml_100k().parent)
    variables = {"LONGTAIL_DATASET_MIRROR": mirror, "LONGTAIL_OFFLINE": "1", "LONGTAIL_IDLE_SECONDS": "1"}
    with serving(folder, **variables, LONGTAIL_WORKERS="2") as address:
        yield address


@pytest.mark.timeout(900)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_an_empty_cache_to_a_report(
    browser: Any, empty_address: str, folder: Path, tmp_path: Path, scheme: str
) -> None:
    visit = new_visit(browser, empty_address, scheme)
    visit.open()
    assert "Begin with a data set" in visit.text()
    fetch_the_data(visit)
    plan_a_sweep(visit)
    train_it(visit)
    see_the_points(visit)
    filter_by_a_drag(visit)
    pin_two(visit)
    grey_what_misses_a_target(visit)
    sentence = decide(visit)
    report = save_report(visit, tmp_path)
    compare(visit)
    look_at_users(visit)
    open_the_link(visit, browser, scheme)
    read_offline(browser, report, sentence, scheme)
    assert report.read_bytes() == by_command(folder, tmp_path, visit).read_bytes()
    visit.clean()


# ---------------------------------------------------------------- steps


def fetch_the_data(visit: Visit) -> None:
    """Data: fetch, wait, look."""
    visit.act(visit.page.get_by_test_id("stMain").get_by_role("link", name="Open Data").click)
    assert "No data set is prepared yet" in visit.text()
    visit.page.get_by_role("button", name="Fetch", exact=True).first.click()  # MovieLens 100K stands first
    visit.page.get_by_test_id("stDataFrame").wait_for(timeout=60_000)
    visit.settle()
    visit.act(visit.page.get_by_role("tab", name="Look").click)
    for told in ("943", "1,682", "100,000", "The long tail", "Gini of popularity"):
        assert told in visit.text()


def plan_a_sweep(visit: Visit) -> None:
    """Sweep: a preset, and what is to differ from it; the plan follows, and nothing starts."""
    visit.menu("Sweep")
    press(visit, "Quick look")
    click(visit, visit.page.locator(".st-key-method_one_bp_auc_ns label"))
    strengths = visit.page.locator(".st-key-strength_auc_ns input")
    strengths.click()
    click(visit, visit.page.get_by_role("option", name="0.2", exact=True))
    strengths.press("Escape")
    choose(visit, "Seeds", "3", visit.page.get_by_test_id("stMain"))
    unfold(visit, "Settings: tested defaults unless changed")
    fill(visit, "epochs", EPOCHS)
    assert "Changed in the settings: epochs 20." in visit.text()
    assert (
        f"{RUNS} runs: 0 cached, 0 under way, {RUNS} to train, time is measured once it runs on 2 cores" in visit.text()
    )
    assert "5 settings, 3 seeds of each in which chance plays a part, on MovieLens 100K" in visit.text()
    assert "1 done" in visit.text()  # the data set's preparation


def train_it(visit: Visit) -> None:
    """Jobs: started by one button; they move by themselves, and a toast says when they are done."""
    press(visit, f"Train {RUNS} runs")
    jobs = visit.page.get_by_test_id("stMain")
    jobs.get_by_text(re.compile(r"\d running")).first.wait_for(timeout=60_000)
    assert visit.page.get_by_role("button", name="Cancel all").is_visible()
    began = time.monotonic()
    visit.page.get_by_test_id("stToast").filter(has_text="done").wait_for(timeout=PATIENCE * 1000)
    assert time.monotonic() - began < PATIENCE
    visit.settle()
    assert f"{RUNS} done" in visit.text()


def see_the_points(visit: Visit) -> None:
    """Trade-off: a mark for each setting, and words for what they say."""
    visit.menu("Trade-off")
    assert len(visit.marks()) == 4
    assert "Showing 5 of 5 settings" in visit.text()
    assert "NDCG@10 against Cold share of the list (APLT@10) on MovieLens 100K, validation split" in visit.text()
    assert "better" in visit.text()


def filter_by_a_drag(visit: Visit) -> None:
    """A drag around the right of the chart leaves out what is left of it; a button brings it back."""
    plot = visit.page.locator("[data-testid=stVegaLiteChart] svg path.background").first.bounding_box()
    left, right = plot["x"] + 0.25 * plot["width"], plot["x"] + 0.99 * plot["width"]
    inside = [mark for mark in visit.marks() if mark[0] > left]
    assert len(inside) == 2
    visit.page.mouse.move(left, plot["y"] + 4)
    visit.page.mouse.down()
    visit.page.mouse.move(right, plot["y"] + plot["height"] - 4, steps=8)
    visit.act(visit.page.mouse.up)
    assert "Showing 2 of 5 settings, and the baseline, which the filter would leave out" in visit.text()
    assert len(visit.marks()) == 3
    assert 0.005 < float(visit.parameters()["within"].split()[1].split("..")[0]) < 0.03
    press(visit, "Show all")
    assert "Showing 5 of 5 settings" in visit.text()
    assert "within" not in visit.parameters()


def pin_two(visit: Visit) -> None:
    """A click on a mark pins A, the next pins B; the sidebar names both."""
    visit.click(mark_of(visit, "RNS, epochs 20"))
    visit.click(mark_of(visit, "AUC-NS β 0.05, epochs 20"))
    assert len({visit.parameters()["a"], visit.parameters()["b"]}) == 2
    for label in ("RNS, epochs 20", "AUC-NS β 0.05, epochs 20"):
        assert sidebar(visit).get_by_text(label).first.is_visible()
    who = visit.text().partition("Who pays")[2]
    assert "Pin a setting" not in who
    assert all(group in who for group in ("niche", "blockbuster"))


def grey_what_misses_a_target(visit: Visit) -> None:
    """A rule of the other kind: what does not reach the value is grey, and the pin is told so."""
    click(visit, sidebar(visit).get_by_role("radio", name="Target"))
    fill(visit, "Reach at least, cold share of the list (APLT@10)", "0.02")
    assert greys(visit) == {"RNS", "DNS (AUC-NS β 0)"}
    assert "A does not keep to the rule" in sidebar(visit).inner_text()
    assert visit.parameters()["rule"] == "Target"


def decide(visit: Visit) -> str:
    """Budget: the recommendation, chosen on validation; saved, and its test figures are told. The sentence to copy."""
    click(visit, sidebar(visit).get_by_role("radio", name="Budget"))
    fill(visit, "Give up at most, % of NDCG@10", "10")
    assert greys(visit) == {"AUC-NS β 0.2"}
    assert "AUC-NS β 0.05, epochs 20 chosen on validation" in visit.text()
    assert "give up at most 10 % of the NDCG@10 of RNS" in visit.text()
    assert "test split" not in visit.text()  # two pins alone do not tell it
    press(visit, "Save as decision")
    visit.page.get_by_label("Why (if you like)").fill(WHY)
    click(visit, visit.page.get_by_role("button", name="Save, and show the test figures"))
    assert "decided" in visit.text()
    assert WHY in visit.text()
    sentence = visit.page.get_by_test_id("stCode").last.inner_text().strip()
    assert sentence.startswith("AUC-NS β 0.05, epochs 20 against RNS, epochs 20 on MovieLens 100K, test split: NDCG@10")
    return sentence


def save_report(visit: Visit, folder: Path) -> Path:
    """The report of what the page shows: now that it is decided, on test."""
    choose(visit, "Split", "test", sidebar(visit))
    assert "on MovieLens 100K, test split" in visit.text()
    with visit.page.expect_download(timeout=60_000) as saving:
        visit.page.get_by_role("button", name="Report", exact=True).click()
    assert saving.value.suggested_filename == "report-ml-100k.html"
    saving.value.save_as(folder / "page.html")
    return folder / "page.html"


def compare(visit: Visit) -> None:
    """Compare: by the link below the chart; what differs, metrics with verdicts, curves, items."""
    click(visit, visit.page.get_by_test_id("stMain").get_by_role("link", name="Compare A and B"))
    for told in ("What differs in their settings", "RNS, epochs 20", "AUC-NS β 0.05, epochs 20", "best epoch"):
        assert told in visit.text(), told
    assert visit.page.get_by_test_id("stVegaLiteChart").count() >= 3
    assert visit.page.get_by_test_id("stDataFrame").count() >= 2


def look_at_users(visit: Visit) -> None:
    """Users: the next one, and the slider to another strength of B."""
    visit.menu("Users")
    first = visit.text()
    press(visit, "Next")
    assert "2 of 943 users" in visit.text()
    assert visit.text() != first
    slide = visit.page.get_by_test_id("stSlider").filter(has_text="Strength β of B")
    track = slide.locator("[data-orientation=horizontal]").first.bounding_box()
    visit.click((track["x"] + 0.98 * track["width"], track["y"] + track["height"] / 2))
    assert "List B is of AUC-NS β 0.2" in visit.text()
    assert visit.parameters()["strength"] == "0.2"


def open_the_link(visit: Visit, browser: Any, scheme: str) -> None:
    """The address alone shows the same pins, rule and user to somebody else."""
    again = new_visit(browser, visit.address, scheme)
    again.page.goto(visit.page.url)
    again.settle()
    assert again.shows(visit.text())
    assert again.parameters() == visit.parameters()
    assert {"a", "b", "user", "strength", "budget", "split"} <= again.parameters().keys()
    assert sidebar(again).get_by_label("Give up at most, % of NDCG@10", exact=True).input_value() == "10"
    assert sidebar(again).get_by_text("AUC-NS β 0.05, epochs 20").first.is_visible()
    again.clean()


def read_offline(browser: Any, report: Path, sentence: str, scheme: str) -> None:
    """The report in a browser without a network: it asks for nothing but itself, and has the decision."""
    page = browser.new_context(offline=True, color_scheme=scheme).new_page()
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(report.as_uri())
    words = " ".join(page.locator("body").inner_text().split())
    assert " ".join(sentence.split()) in words
    assert page.locator("svg").count() >= 2
    assert asked == [report.as_uri()]
    assert errors == []
    read_with_ease(page, scheme)
    page.context.close()


def read_with_ease(page: Any, scheme: str) -> None:
    """What axe-core says of the report, and the contrast of its charts' words."""
    from axe_playwright_python.base import AXE_SCRIPT

    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert not [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in {"serious", "critical"}]
    words = page.evaluate(WORDS)
    assert len(words) > 20
    assert not [text for text, fill, opacity in words if contrast(fill, opacity, GROUND[scheme]) < SMALL_TEXT]


def by_command(cache: Path, folder: Path, visit: Visit) -> Path:
    """The same report, asked for on the command line."""
    pins = [f"--{name}={visit.parameters()[name]}" for name in "ab"]
    file = folder / "command.html"
    command = [sys.executable, "-m", "core", "report", "ml-100k", f"--out={file}", *pins]
    subprocess.run(
        [*command, "--budget=10", "--split=test"],
        cwd=PROJECT, env={**os.environ, "LONGTAIL_CACHE": str(cache)}, check=True, capture_output=True,
    )  # fmt: skip
    return file


# ---------------------------------------------------------------- by hand


def click(visit: Visit, place: Any) -> None:
    """Click there, and wait for what it does."""
    visit.act(place.click)


def press(visit: Visit, name: str) -> None:
    """Click the button of that name on the page."""
    click(visit, visit.page.get_by_test_id("stMain").get_by_role("button", name=name, exact=True))


def unfold(visit: Visit, title: str) -> None:
    """Open a part of the page that is folded away."""
    visit.act(visit.page.get_by_test_id("stExpander").filter(has_text=title).locator("summary").click, asks=False)


def choose(visit: Visit, label: str, option: str, place: Any) -> None:
    """Choose from a select box of that part of the page, by the mouse."""
    box = place.get_by_role("combobox", name=label, exact=True)
    wanted = visit.page.get_by_role("option", name=option, exact=True)
    box.click()
    visit.page.wait_for_timeout(500)
    if not wanted.count():  # the first click has closed another list
        box.click()
    click(visit, wanted)


def fill(visit: Visit, label: str, text: str) -> None:
    """Type into a field, and leave it by Enter."""
    field = visit.page.get_by_label(label, exact=True)
    field.click()
    field.fill(text)
    visit.act(lambda: field.press("Enter"))


def sidebar(visit: Visit) -> Any:
    """Where what all pages share is chosen."""
    return visit.page.get_by_test_id("stSidebar")


def mark_of(visit: Visit, label: str) -> tuple[float, float]:
    """Where in the chart the mark of a setting is."""
    mark = visit.page.locator(MARKS).and_(visit.page.locator(f"[aria-label*='Setting: {label};']"))
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def greys(visit: Visit) -> set[str]:
    """Which settings are drawn as not keeping to the rule."""
    marks = [(mark.get_attribute("fill"), mark.get_attribute("aria-label")) for mark in visit.page.locator(MARKS).all()]
    labels = {re.search(r"Setting: (.+?)(, epochs \d+)?;", told)[1] for fill, told in marks if fill == palette.OUTSIDE}
    assert len(labels) < len(marks)
    return labels
