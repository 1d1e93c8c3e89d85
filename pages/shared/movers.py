"""Which items A and B show: by popularity decile, how unequally, and which gain and lose most.

Here: two cards of the Compare page. Not here: the numbers (core/warehouse/compare.py, who_pays.py), the charts.
"""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from core.charts import compare_lorenz, exposure
from core.charts import who_pays as groups
from core.charts.text import capitalised
from core.warehouse import compare, queries, who_pays
from pages.shared import charts, lists, server, tables, words
from pages.shared.pair import Pair

MOVERS = "movers"
ROWS = (10, 25, 100)
SIDE_BY_SIDE = 400  # pixels: narrower, and what stands side by side stands below each other


def exposure_card(pair: Pair, shown: compare.Shown) -> None:
    """Which items are shown: by decile, and how unequally."""
    here = pair.here
    st.header("Which items are shown")
    st.caption(f"{words.plain(capitalised(pair.where))}.")
    deciles = server.ask(who_pays.by_decile, pair.variants, pair.k, here.split)
    named = deciles.assign(label=deciles["variant"].map(pair.names), baseline=False)
    grid = st.grid(2, gap="medium", min_column_width=SIDE_BY_SIDE)
    with grid.cell():
        st.markdown("**Exposure by popularity decile**")
        said = exposure.takeaway(named, here.split)
        drawn = exposure.exposure(named, groups.colours(named, pair.pins), here.split)
        charts.chart(drawn, "exposure", said, deciles, "Exposure by popularity decile")
        st.caption(words.plain(said))
    with grid.cell():
        st.markdown("**How unequally: Lorenz curves**")
        data = f"Data, {queries.counted_on(here.protocol).replace('+', ' and ')}"
        names = {compare.DATA: data, **dict(zip(("first", "second"), pair.names.values(), strict=True))}
        said = compare_lorenz.takeaway(shown.lorenz, names)
        drawn = compare_lorenz.lorenz(shown.lorenz, names, f"Thin line: all items alike. {capitalised(pair.where)}")
        charts.chart(drawn, "lorenz", said, shown.lorenz, "Lorenz curves of exposure")
        st.caption(words.plain(said))


def movers_card(pair: Pair, shown: compare.Shown) -> None:
    """The items whose exposure changes most."""
    items = shown.items
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.header("Items that gain and lose most exposure", width="stretch")
        most = st.segmented_control(
            "Rows", ROWS, default=ROWS[0], format_func=lambda n: f"{n} rows", key=MOVERS, bind="query-params",
            required=True, label_visibility="collapsed",
        )  # fmt: skip
    most = most if most in ROWS else ROWS[0]
    top = max(0.01, float(items[["first", "second"]].max().max()))
    grid = st.grid(2, gap="medium", min_column_width=SIDE_BY_SIDE)
    for title, up in (("Gain from A to B", True), ("Lose from A to B", False)):
        moved = items[items["change"] > 0] if up else items[items["change"] < 0]
        moved = moved.sort_values(["change", "item_id"], ascending=[not up, True])
        with grid.cell():
            st.markdown(f"**{title}**")
            if moved.empty:
                st.caption("No item.")
            else:
                _movers(pair, moved.head(most), top, "gain" if up else "lose")
                st.caption(f"Showing {min(most, len(moved))} of {words.count(len(moved), 'item')}.")
    st.caption(
        f"In percent of the users with something held out, mean over seeds. {words.plain(capitalised(pair.where))}. "
        f"{_by_chance(pair)}"
    )
    every = items[items["change"] != 0].sort_values("change", ascending=False)
    name = f"compare-items-{pair.here.facts['name']}-{pair.here.split}"
    tables.download(every, name, "items_file", f"All {words.count(len(every), 'item')} that move")


def _by_chance(pair: Pair) -> str:
    """What the mark of all seeds is worth."""
    seeds = [int(pair.row(variant)["seeds"]) for variant in pair.variants]
    if min(seeds) < 2:
        return "With one run of a setting there is no telling which of these another seed would show again."
    chance = 2 / math.comb(sum(seeds), seeds[0])
    return (
        "✓: every seed of the one shows it to more users than every seed of the other, which by chance alone happens "
        f"to {words.percent(chance)} of items."
    )


def _movers(pair: Pair, moved: pd.DataFrame, top: float, key: str) -> None:
    """One of the two tables."""
    config = st.column_config
    shown = pd.DataFrame(
        {
            "Title": lists.titles(moved),
            "Percentile": lists.percentiles(moved),
            "A": moved["first"],
            "B": moved["second"],
            "Change": 100 * moved["change"],
            "Seeds": ["✓" if apart is not pd.NA and apart else "" for apart in moved["in_all_seeds"]],
        }
    )
    share = {
        side: config.ProgressColumn(side, format="percent", min_value=0, max_value=top, width=76, help=f"{side}: {n}")
        for side, n in zip("AB", pair.labels, strict=True)
    }
    columns = {
        "Title": config.TextColumn(width=176),
        "Percentile": config.NumberColumn("Pctl.", width=40, help=lists.PERCENTILE),
        **share,
        "Change": config.NumberColumn(format="%+.2f", width=62, help="B minus A, in percentage points of the users"),
        "Seeds": config.TextColumn(width=48, help="✓: so in every seed"),
    }
    if moved["in_all_seeds"].isna().all():
        shown = shown.drop(columns="Seeds")
    tables.table(
        shown, f"Items that {key} most exposure", columns, name=f"items-{key}", key=f"items_{key}", height="content"
    )
