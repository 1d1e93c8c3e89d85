"""Accessibility in a real browser: axe-core over every page in both themes, the words in charts, the keyboard alone.

axe-core's rules of impact "serious" and "critical" must hold. What lies in the page that Streamlit or Vega writes, and
that no app can reach, is listed in `BEYOND_REACH`, each with its reason; an entry that is not needed any more fails.
axe-core does not look at text in SVG, so the contrast of the charts' words is measured here.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.browser.contrast import GROUND, SMALL_TEXT, WORDS, contrast
from tests.browser.harness import VIEWS, Visit, new_visit, serving

pytestmark = pytest.mark.browser

SCHEMES = ("light", "dark")
PINS = {"a": "rns", "b": "auc_ns"}
SCENES = {
    **{title: f"{path}{'&' if '?' in path else '?'}{urlencode(PINS)}" for title, path in VIEWS.items()},
    "Nothing pinned": "compare",
    "A target": f"trade_off?{urlencode({**PINS, 'rule': 'Target', 'target': '0.05'})}",
    "On test": f"trade_off?{urlencode({**PINS, 'split': 'test'})}",
    "Another protocol": f"trade_off?{urlencode({'protocol': 'paper'})}",
}
"""Every page with both pins, and what is drawn in other states only."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """What an app cannot mend."""

    rule: str
    selector: str
    """Of the elements that are excused, and of no others."""
    reason: str
    schemes: tuple[str, ...] = SCHEMES


BEYOND_REACH = (
    Beyond(
        "list",
        "ul[data-testid=stSidebarNavItems]",
        "The navigation's list has a div around each section's entries; Streamlit draws it.",
    ),
    Beyond("listitem", "ul[data-testid=stSidebarNavItems] li", "The same div stands between the list and its entries."),
    Beyond(
        "svg-img-alt",
        "g.brush_brush, g.brush_brush_bg",
        "The two rectangles of a brush, empty until one drags: Vega-Lite has no place for a name or for hiding them "
        "from screen readers. What a drag does, the fields under Filter do, and they have names.",
    ),
    Beyond(
        "color-contrast",
        "[data-testid=stMain] [data-selected=true] p, [data-testid=stSliderThumbValue] p",
        "Streamlit writes chosen pills and a slider's value in the theme's primary colour, and white letters on it in "
        "chips and buttons. On a dark ground no colour has 4.5:1 to both: it has it to white (3.5:1 and more to the "
        "ground). A chosen pill also has a border, and its state is told to screen readers.",
        ("dark",),
    ),
)

AXE = """async (excuses) => {
  const found = await axe.run(document, {resultTypes: ['violations']});
  return found.violations.flatMap(v => v.nodes.map(n => ({
    rule: v.id, impact: v.impact, html: n.html.slice(0, 160), why: n.failureSummary,
    excused: excuses.findIndex(e => e.rule === v.id && document.querySelector(n.target[0])?.matches(e.selector)),
  })));
}"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one theme's visit to all scenes found."""

    scheme: str
    excuses: list[Beyond]
    nodes: list[tuple[str, dict[str, Any]]]
    """Scene, and what axe-core says of an element."""
    words: list[tuple[str, str, str, float]]
    """Scene, text, colour and opacity."""


@pytest.fixture(scope="module", params=SCHEMES)
def seen(request: pytest.FixtureRequest, browser: Any, address: str) -> Seen:
    """Every scene in that theme, opened once."""
    from axe_playwright_python.base import AXE_SCRIPT

    visit = new_visit(browser, address, request.param)
    found = Seen(request.param, [one for one in BEYOND_REACH if request.param in one.schemes], [], [])
    for title, path in SCENES.items():
        visit.open(path)
        visit.page.evaluate(AXE_SCRIPT)
        excuses = [{"rule": one.rule, "selector": one.selector} for one in found.excuses]
        found.nodes.extend((title, node) for node in visit.page.evaluate(AXE, excuses))
        found.words.extend((title, *word) for word in visit.page.evaluate(WORDS))
    visit.clean()
    return found


@pytest.mark.timeout(600)
def test_axe_finds_nothing_serious_on_any_page(seen: Seen) -> None:
    grave = [(title, node) for title, node in seen.nodes if node["impact"] in {"serious", "critical"}]
    wrong = [f"{title}: {node['rule']}: {node['html']}\n{node['why']}" for title, node in grave if node["excused"] < 0]
    assert not wrong, "\n\n".join(wrong)
    assert {node["excused"] for _, node in grave} == set(range(len(seen.excuses))), "one is not needed any more"


@pytest.mark.timeout(600)
def test_the_words_in_charts_are_readable(seen: Seen) -> None:
    found = [(contrast(fill, opacity, GROUND[seen.scheme]), *rest, fill) for *rest, fill, opacity in seen.words]
    assert len(found) > 200
    pale = [
        f"{title}: {text!r} in {fill}: {reached:.2f}" for reached, title, text, fill in found if reached < SMALL_TEXT
    ]
    assert not pale, "\n".join(pale)


# ---------------------------------------------------------------- the keyboard


def test_pins_rule_and_decision_by_keyboard_alone(browser: Any, cache: Path, tmp_path: Path) -> None:
    """A decision is kept, so in a copy of the cache."""
    own = tmp_path / "cache"
    shutil.copytree(cache, own, symlinks=True)
    with serving(own) as address:
        visit = new_visit(browser, address)
        visit.open("trade_off")
        for label in ("RNS", "AUC-NS β 0.05"):
            pin_by_name(visit, label)
        assert {"a", "b"} <= visit.parameters().keys()
        reach(visit, "radio", "Budget")
        press(visit, "ArrowRight")
        press(visit, "Space")
        assert visit.parameters()["rule"] == "Target"
        press(visit, "ArrowLeft")
        press(visit, "Space")
        assert "rule" not in visit.parameters()
        reach(visit, "spinbutton", r"Give up at most, % of NDCG@10", "textbox")
        press(visit, "Control+a")
        visit.page.keyboard.type("30")
        press(visit, "Enter")
        assert visit.parameters()["budget"] == "30"
        reach(visit, "button", "Save as decision")
        press(visit, "Enter")
        reach(visit, "textbox", r"Why \(if you like\)")
        visit.page.keyboard.type("By keyboard.")
        reach(visit, "button", "Save, and show the test figures")
        press(visit, "Enter")
        assert "decided" in visit.text()
        assert "By keyboard." in visit.text()
        assert "test split" in visit.page.get_by_test_id("stCode").last.inner_text()
        visit.clean()


def pin_by_name(visit: Visit, label: str) -> None:
    """Type into the select box, and take what it offers."""
    reach(visit, "combobox", "Pin by name")
    visit.page.keyboard.type(label)
    visit.page.wait_for_timeout(300)
    press(visit, "Enter")


def press(visit: Visit, key: str) -> None:
    """Press it, and wait for what it does."""
    visit.act(lambda: visit.page.keyboard.press(key), asks=key.startswith(("Enter", "Space")))


FOCUS = """() => {
  const at = document.activeElement;
  const role = at.getAttribute('role') || {BUTTON: 'button', A: 'link', TEXTAREA: 'textbox'}[at.tagName]
    || (at.tagName === 'INPUT' ? {radio: 'radio', number: 'spinbutton'}[at.type] || 'textbox' : '');
  const by = (at.getAttribute('aria-labelledby') || '').split(' ').map(i => document.getElementById(i)?.textContent);
  const labels = [...(at.labels || [])].map(l => l.textContent);
  return [role, [at.getAttribute('aria-label'), ...by, ...labels, at.textContent].filter(Boolean).join(' ')];
}"""


def reach(visit: Visit, role: str, name: str, *also: str) -> None:
    """Go from element to element by Tab until that one has the focus; name: a pattern of it."""
    passed = []
    for _ in range(250):
        visit.page.keyboard.press("Tab")
        found, text = visit.page.evaluate(FOCUS)
        passed.append((found, text[:40]))
        if found in {role, *also} and re.search(name, text):
            return
    raise AssertionError(f"Tab does not reach {role} {name}: {passed[:80]}")
