r"""The registry of metrics: what each is called, how it is read, and how its key is written.

Here: one row a metric; widgets, charts, tests, docs/metrics.md and the command line are derived from it.
Not here: how a metric is computed (accuracy.py, popularity.py, calibration.py, parity.py) and which function that is
(measure.py).
Plain Python only, so that whoever lists metrics waits for nothing.
A new metric is one pure function, one row here, one row in a table of measure.py, one row in docs/metrics.md.

Symbols of the equations: U the evaluated users (those with held-out items), R_u the first k items shown to user u,
T_u the user's held-out items, I the catalogue, H its hot items and C its cold ones, p_i the users who took item i in
train, c_i the lists that show item i, P_u the items user u took in train.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import Unknown

CUTOFFS = (5, 10, 20)
"""The list lengths that every run is measured at."""
EXPOSURE_CUTOFF = 10
"""The list length that exposure by decile is measured at."""

AUC_NS = "AUC-NS, arXiv 2306.01348"
GAP = "Abdollahpouri et al., 2019, arXiv 1907.13286"
LIFT = (
    r"\frac{\sum_{u \in G} \bar p(R_u) - \sum_{u \in G} \bar p(P_u)}{\sum_{u \in G} \bar p(P_u)},"
    r" \quad \bar p(S) = \frac{1}{|S|} \sum_{i \in S} p_i"
)
"""Of the users G."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row of the registry."""

    name: str
    """The key without cutoff, lower case."""
    title: str
    """Axis and column title, without cutoff."""
    unit: str
    """What one counts; empty for a share or another pure number."""
    range: tuple[float, float | None]
    """Smallest and largest value; None where the largest depends on the data or on k."""
    better: Literal["higher", "lower"]
    """Which direction is better, taken by itself."""
    kind: Literal["accuracy", "popularity"]
    """Which axis of the trade-off it belongs to."""
    at_k: bool = True
    """Is it measured at a list length? Then its key ends in @k."""
    per_user: bool = True
    """Does each user have a value, whose mean is the metric? Else it describes all lists together."""
    needs: Literal["lists", "scores"] = "lists"
    """Metrics that need scores are absent for lists made elsewhere."""
    equation: str
    r"""LaTeX, without dollar signs; see the symbols above."""
    empty: str
    """What counts where there is nothing to measure: nothing held out, nothing shown, an empty group."""
    ideal: float | None = None
    """The value that is free of bias, where a metric can pass it; `better` is then said down, or up, to it."""
    how_to_read: str
    """One or two plain sentences for an analyst."""
    source: str
    """Where the definition is from."""

    @property
    def direction(self) -> str:
        """Which direction is better, in words: "higher is better", "lower is better, down to 0"."""
        end = "" if self.ideal is None else f", {'up' if self.better == 'higher' else 'down'} to {self.ideal:g}"
        return f"{self.better} is better{end}"

    @property
    def range_text(self) -> str:
        """The range in words: "0 to 1", or "0 or more" where the largest value depends on the data."""
        low, high = self.range
        return f"{low:g} or more" if high is None else f"{low:g} to {high:g}"


ROWS = (
    Metric(
        name="precision", title="Precision", unit="", range=(0.0, 1.0), better="higher", kind="accuracy",
        equation=r"\frac{1}{|U|} \sum_u \frac{|R_u \cap T_u|}{k}",
        how_to_read="Of the k items shown, the share the user took. Users with few held-out items cannot reach 1.",
        empty="An empty place counts as a wrong item; an empty list has 0.",
        source="Cremonesi et al., RecSys 2010",
    ),
    Metric(
        name="recall", title="Recall", unit="", range=(0.0, 1.0), better="higher", kind="accuracy",
        equation=r"\frac{1}{|U|} \sum_u \frac{|R_u \cap T_u|}{|T_u|}",
        how_to_read="Of the items the user took, the share the list holds. Users who took more than k cannot reach 1.",
        empty="An empty list has 0.",
        source="Cremonesi et al., RecSys 2010",
    ),
    Metric(
        name="f1", title="F1", unit="", range=(0.0, 1.0), better="higher", kind="accuracy",
        equation=r"\frac{1}{|U|} \sum_u \frac{2 \, |R_u \cap T_u|}{k + |T_u|}",
        how_to_read="Balances precision and recall: high only where a list is both right and complete.",
        empty="An empty list has 0.",
        source="van Rijsbergen, Information Retrieval, 1979",
    ),
    Metric(
        name="hit_rate", title="Hit rate", unit="", range=(0.0, 1.0), better="higher", kind="accuracy",
        equation=r"\frac{1}{|U|} \sum_u [R_u \cap T_u \neq \emptyset]",
        how_to_read="The share of users for whom at least one shown item was right.",
        empty="An empty list has 0.",
        source="Deshpande, Karypis, TOIS 22(1), 2004",
    ),
    Metric(
        name="ndcg", title="NDCG", unit="", range=(0.0, 1.0), better="higher", kind="accuracy",
        equation=r"\frac{1}{|U|} \sum_u \frac{\sum_{r=1}^{k} [R_{u,r} \in T_u] / \log_2(r+1)}"
        r"{\sum_{r=1}^{\min(k, |T_u|)} 1 / \log_2(r+1)}",
        how_to_read="How right the list is, with right items near the top counting more. 1 is the best list possible.",
        empty="An empty list has 0.",
        source="Järvelin, Kekäläinen, TOIS 20(4), 2002",
    ),
    Metric(
        name="map", title="MAP", unit="", range=(0.0, 1.0), better="higher", kind="accuracy",
        equation=r"\frac{1}{|U|} \sum_u \frac{1}{\min(k, |T_u|)} \sum_{r=1}^{k} [R_{u,r} \in T_u]"
        r"\, \frac{|R_{u,1..r} \cap T_u|}{r}",
        how_to_read="Precision averaged over the ranks of the right items: rewards putting all of them first.",
        empty="An empty list has 0.",
        source="Manning, Raghavan, Schütze, Introduction to Information Retrieval, 2008, 8.4",
    ),
    Metric(
        name="mrr", title="MRR", unit="", range=(0.0, 1.0), better="higher", kind="accuracy",
        equation=r"\frac{1}{|U|} \sum_u \frac{1}{\min \{ r \leq k : R_{u,r} \in T_u \}}",
        how_to_read="How early the first right item comes: 1 at the top, 1/2 at rank two, 0 where the list has none.",
        empty="A list without a right item has 0.",
        source="Voorhees, TREC-8, 1999",
    ),
    Metric(
        name="auc", title="AUC", unit="", range=(0.0, 1.0), better="higher", kind="accuracy",
        at_k=False, needs="scores",
        equation=r"\frac{1}{|U|} \sum_u \frac{1}{|T_u| |N_u|} \sum_{i \in T_u} \sum_{j \in N_u}"
        r"\left( [s_{ui} > s_{uj}] + \tfrac{1}{2} [s_{ui} = s_{uj}] \right)",
        how_to_read="The chance that an item the user took scores above one the user never touched; 0.5 is guessing. "
        "It looks at the whole catalogue, not only at the top of the list.",
        empty="A user with nothing to compare with is left out.",
        source="Rendle et al., UAI 2009; N_u: items neither trained on nor held out",
    ),
    Metric(
        name="pauc", title="Partial AUC", unit="", range=(0.0, 1.0), better="higher", kind="accuracy",
        at_k=False, needs="scores",
        equation=r"\frac{1}{|U|} \sum_u \frac{1}{0.1} \int_0^{0.1} \mathrm{ROC}_u(x)\, dx",
        how_to_read="AUC where lists are made: only the tenth of the other items that scores highest counts. "
        "Guessing gives 0.05. It goes with the top of the list, which AUC hardly sees.",
        empty="A user with nothing to compare with is left out.",
        source="Dodd, Pepe, Biometrics 59(3), 2003; ROC_u: share of T_u found at a false-positive rate x",
    ),
    Metric(
        name="ohr", title="Hot over-recommended (OHR)", unit="", range=(0.0, 1.0), better="lower", kind="popularity",
        equation=r"\frac{1}{|U|} \sum_u \frac{|(R_u \cap H) \setminus T_u|}{|R_u \cap H|}",
        how_to_read="Of the popular items shown, the share the user did not want.",
        empty="A list without popular items has 0.",
        source=AUC_NS,
    ),
    Metric(
        name="ocr", title="Cold over-recommended (OCR)", unit="", range=(0.0, 1.0), better="lower", kind="popularity",
        equation=r"\frac{1}{|U|} \sum_u \frac{|(R_u \cap C) \setminus T_u|}{|R_u \cap C|}",
        how_to_read="Of the long-tail items shown, the share the user did not want. Low also where none is shown: "
        "read it beside the cold share.",
        empty="A list without long-tail items has 0.",
        source=AUC_NS,
    ),
    Metric(
        name="uhr", title="Hot under-recommended (UHR)", unit="", range=(0.0, 1.0), better="lower", kind="popularity",
        equation=r"\frac{1}{|U|} \sum_u \frac{|(T_u \cap H) \setminus R_u|}{|T_u \cap H|}",
        how_to_read="Of the popular items the user took, the share the list misses.",
        empty="A user who took no popular item has 0.",
        source=AUC_NS,
    ),
    Metric(
        name="ucr", title="Cold under-recommended (UCR)", unit="", range=(0.0, 1.0), better="lower", kind="popularity",
        equation=r"\frac{1}{|U|} \sum_u \frac{|(T_u \cap C) \setminus R_u|}{|T_u \cap C|}",
        how_to_read="Of the long-tail items the user took, the share the list misses. Low also where users took none.",
        empty="A user who took no long-tail item has 0.",
        source=AUC_NS,
    ),
    Metric(
        name="fpr", title="Wrong share of the list (FPR)", unit="", range=(0.0, 1.0), better="lower",
        kind="popularity",
        equation=r"\frac{1}{|U|} \sum_u \frac{|R_u \setminus T_u|}{k}",
        how_to_read="1 - precision under the paper's name, for comparison with it: nothing new beside precision.",
        empty="An empty place counts as a wrong item; an empty list has 1.",
        source=AUC_NS,
    ),
    Metric(
        name="fnr", title="Missed share of the taken (FNR)", unit="", range=(0.0, 1.0), better="lower",
        kind="popularity",
        equation=r"\frac{1}{|U|} \sum_u \frac{|T_u \setminus R_u|}{|T_u|}",
        how_to_read="1 - recall under the paper's name, for comparison with it: nothing new beside recall.",
        empty="An empty list has 1.",
        source=AUC_NS,
    ),
    Metric(
        name="arp", title="Mean popularity of the list (ARP)", unit="interactions per item", range=(0.0, None),
        better="lower", kind="popularity",
        equation=r"\frac{1}{|U|} \sum_u \frac{1}{|R_u|} \sum_{i \in R_u} p_i",
        how_to_read="How many users took the average shown item in train. Lower means less popular items are shown.",
        empty="An empty list is left out; an item never taken in train has popularity 0.",
        source="Yin et al., VLDB 2012",
    ),
    Metric(
        name="aplt", title="Cold share of the list (APLT)", unit="", range=(0.0, 1.0), better="higher",
        kind="popularity",
        equation=r"\frac{1}{|U|} \sum_u \frac{|R_u \cap C|}{|R_u|}",
        how_to_read="The share of the shown items that is long tail. Higher means more room for rarely taken items.",
        empty="An empty list is left out; an item never taken in train is cold.",
        source="Abdollahpouri, Burke, Mobasher, FLAIRS 2019",
    ),
    Metric(
        name="aclt", title="Cold items in the list (ACLT)", unit="items", range=(0.0, None), better="higher",
        kind="popularity",
        equation=r"\frac{1}{|U|} \sum_u |R_u \cap C|",
        how_to_read="How many long-tail items the average list holds: the cold share times k.",
        empty="An empty list has 0; an item never taken in train is cold.",
        source="Abdollahpouri, Burke, Mobasher, FLAIRS 2019",
    ),
    Metric(
        name="gini", title="Gini of exposure", unit="", range=(0.0, 1.0), better="lower", kind="popularity",
        per_user=False,
        equation=r"\frac{\sum_{j=1}^{n} (2j - n - 1)\, c_{(j)}}{n \sum_j c_{(j)}},"
        r"\quad c_{(1)} \leq \dots \leq c_{(n)}, \quad n = |I|",
        how_to_read="How unequally the catalogue is shown: 0 where every item is shown equally often, near 1 where "
        "a few items fill all lists.",
        empty="Items never shown count as 0; nothing shown at all is 0.",
        source="Fleder, Hosanagar, Management Science 55(5), 2009",
    ),
    Metric(
        name="coverage", title="Catalogue coverage", unit="", range=(0.0, 1.0), better="higher", kind="popularity",
        per_user=False,
        equation=r"\frac{|\bigcup_u R_u|}{|I|}",
        how_to_read="The share of the catalogue that at least one user is shown.",
        empty="Items in no split are not in the catalogue; nothing shown at all is 0.",
        source="Ge, Delgado-Battenfeld, Jannach, RecSys 2010",
    ),
    Metric(
        name="entropy", title="Entropy of exposure", unit="bits", range=(0.0, None), better="higher",
        kind="popularity", per_user=False,
        equation=r"-\sum_i q_i \log_2 q_i, \quad q_i = \frac{c_i}{\sum_j c_j}",
        how_to_read="How spread out the recommendations are: one bit more is what showing twice as many items, all "
        "equally often, would give.",
        empty="Items never shown add nothing; nothing shown at all is 0.",
        source="Shannon, Bell System Technical Journal 27(3), 1948",
    ),
    Metric(
        name="entropy_norm", title="Evenness of exposure", unit="", range=(0.0, 1.0), better="higher",
        kind="popularity", per_user=False,
        equation=r"\frac{-\sum_i q_i \log_2 q_i}{\log_2 |I|}, \quad q_i = \frac{c_i}{\sum_j c_j}",
        how_to_read="Entropy of exposure as a share of the largest possible: 1 where every item of the catalogue is "
        "shown equally often, 0 where one item fills every list.",
        empty="Items never shown count; nothing shown at all is 0.",
        source="Pielou, Journal of Theoretical Biology 13, 1966",
    ),
    Metric(
        name="novelty", title="Novelty", unit="bits", range=(0.0, None), better="higher", kind="popularity",
        equation=r"\frac{1}{|U|} \sum_u \frac{1}{|R_u|} \sum_{i \in R_u} -\log_2 \frac{\max(p_i, 1)}{n}",
        how_to_read="How surprising the shown items are: one bit more means half as many users took them in train.",
        empty="An empty list is left out; an item never taken in train counts as taken once.",
        source="Zhou et al., PNAS 107(10), 2010; n: users counted on",
    ),
    Metric(
        name="popreo", title="Opportunity gap (PopREO)", unit="", range=(0.0, 1.0), better="lower",
        kind="popularity", per_user=False,
        equation=r"\frac{\mathrm{std}(P_H, P_C)}{\mathrm{mean}(P_H, P_C)}, "
        r"\quad P_g = \frac{\sum_u |R_u \cap T_u \cap g|}{\sum_u |T_u \cap g|}",
        how_to_read="Of the items users took, are hot and cold ones found equally often? 0: equally; 1: only one of "
        "the two kinds is ever found.",
        empty="No value where nobody holds out an item of one kind, or no list has a right item.",
        source="Zhu, Wang, Caverlee, SIGIR 2020",
    ),
    Metric(
        name="poprsp", title="Parity gap (PopRSP)", unit="", range=(0.0, 1.0), better="lower", kind="popularity",
        per_user=False,
        equation=r"\frac{\mathrm{std}(P_H, P_C)}{\mathrm{mean}(P_H, P_C)}, "
        r"\quad P_g = \frac{\sum_u |R_u \cap g|}{\sum_u |g \setminus M_u|}",
        how_to_read="Has a hot item the same chance to be shown as a cold one, wanted or not? 0: the same; 1: only one "
        "of the two kinds is ever shown.",
        empty="No value where one kind has no item to show, or nothing is shown.",
        source="Zhu, Wang, Caverlee, SIGIR 2020; M_u: items not shown to u again",
    ),
    Metric(
        name="lift", title="Popularity lift", unit="", range=(-1.0, None), better="lower",
        kind="popularity", per_user=False,
        equation=LIFT.replace("G", r"U"),
        how_to_read="How much more popular the items shown are than those users took: 0.5 is half more. Read against "
        "0: below it, lists are less popular than profiles.",
        ideal=0.0, empty="A user with an empty list or profile is left out.",
        source=GAP,
    ),
    Metric(
        name="lift_niche", title="Popularity lift, niche users", unit="", range=(-1.0, None), better="lower",
        kind="popularity", per_user=False,
        equation=LIFT.replace("G", r"U_{\mathrm{niche}}"),
        how_to_read="The lift of the fifth of the users with the fewest popular items in their profile: bias shows "
        "here first.",
        ideal=0.0, empty="A user with an empty list or profile is left out.",
        source=GAP,
    ),
    Metric(
        name="lift_diverse", title="Popularity lift, diverse users", unit="", range=(-1.0, None), better="lower",
        kind="popularity", per_user=False,
        equation=LIFT.replace("G", r"U_{\mathrm{diverse}}"),
        how_to_read="The lift of the users between: the three fifths with neither the most nor the fewest popular "
        "items.",
        ideal=0.0, empty="A user with an empty list or profile is left out.",
        source=GAP,
    ),
    Metric(
        name="lift_blockbuster", title="Popularity lift, blockbuster users", unit="", range=(-1.0, None),
        better="lower", kind="popularity", per_user=False,
        equation=LIFT.replace("G", r"U_{\mathrm{blockbuster}}"),
        how_to_read="The lift of the fifth of the users with the most popular items in their profile.",
        ideal=0.0, empty="A user with an empty list or profile is left out.",
        source=GAP,
    ),
    Metric(
        name="upd", title="Popularity deviation (UPD)", unit="", range=(0.0, 1.0), better="lower",
        kind="popularity", per_user=False,
        equation=r"\frac{1}{|\mathcal{G}|} \sum_{G \in \mathcal{G}} \frac{1}{|G|} \sum_{u \in G} "
        r"\mathrm{JSD}_2 \big( h(P_u) \,\|\, h(R_u) \big)",
        how_to_read="How far the mix of head, middle and tail items shown to a user is from the mix the user took, "
        "every user group weighing the same. 0: the same mix.",
        empty="A user with an empty list or profile is left out, and so is a group without users.",
        source="Abdollahpouri et al., UMAP 2021; h: shares of head, middle, tail items",
    ),
    Metric(
        name="pri", title="Popularity-rank correlation (PRI)", unit="", range=(-1.0, 1.0), better="lower",
        kind="popularity", at_k=False, per_user=False, needs="scores",
        equation=r"-\rho_{\mathrm{Spearman}} \Big( p_i, \tfrac{1}{|U_i|} \sum_{u \in U_i} \mathrm{rank}_u(i) \Big), "
        r"\quad U_i = \{ u : i \in T_u \}",
        how_to_read="Do popular items stand higher with those who took them? 1: always; 0: popularity does not matter. "
        "Read against 0. It has no interval over users.",
        ideal=0.0, empty="Items that nobody holds out are left out; no value with fewer than two others.",
        source="Zhu et al., WSDM 2021",
    ),
)  # fmt: skip

METRICS: dict[str, Metric] = {row.name: row for row in ROWS}
"""All metrics, in the order in which they are shown."""

EXPOSURE_NAMES = tuple(f"exposure_d{decile}" for decile in range(1, 11))
"""Names under which exposure by popularity decile is stored, least popular first: `exposure_d1@10` ..."""


def metric_key(name: str, k: int | None = None) -> str:
    """The key a value is stored under.

    >>> metric_key("ndcg", 10), metric_key("auc")
    ('ndcg@10', 'auc')
    """
    return name if k is None else f"{name}@{k}"


def parse_key(key: str) -> tuple[str, int | None]:
    """Name and cutoff of a metric's key; exposure by decile has keys too. Raises Unknown for anything else.

    >>> parse_key("ndcg@10"), parse_key("auc")
    (('ndcg', 10), ('auc', None))
    """
    name, at, k = key.partition("@")
    known = name in EXPOSURE_NAMES or name in METRICS
    at_k = name in EXPOSURE_NAMES or (known and METRICS[name].at_k)
    if not known or at_k != bool(at) or (at and not (k.isascii() and k.isdigit() and int(k) > 0)):
        raise Unknown("metric", key, all_keys())
    return name, int(k) if at else None


def all_keys(cutoffs: tuple[int, ...] = CUTOFFS) -> list[str]:
    """The keys of all metrics at the given cutoffs, in the order in which they are shown."""
    return [metric_key(row.name, k) for row in ROWS for k in (cutoffs if row.at_k else (None,))]


def sign_of(key: str) -> int:
    """1 where a higher value of that metric is better, else -1. Raises Unknown.

    >>> sign_of("ndcg@10"), sign_of("gini@10")
    (1, -1)
    """
    return 1 if METRICS[parse_key(key)[0]].better == "higher" else -1


def key_title(key: str) -> str:
    """What an axis or a column says for a key: title, cutoff, unit.

    >>> key_title("ndcg@10"), key_title("arp@5")
    ('NDCG@10', 'Mean popularity of the list (ARP@5), interactions per item')
    >>> key_title("lift_niche@10"), key_title("exposure_d10@10")
    ('Popularity lift@10, niche users', 'Exposure@10 of decile 10')
    """
    name, k = parse_key(key)
    at = "" if k is None else f"@{k}"
    if name in EXPOSURE_NAMES:
        return f"Exposure{at} of decile {name.removeprefix('exposure_d')}"
    row = METRICS[name]
    what, comma, of_whom = row.title.partition(", ")
    title = f"{what[:-1]}{at})" if what.endswith(")") else f"{what}{at}{comma}{of_whom}"
    return f"{title}, {row.unit}" if row.unit else title
