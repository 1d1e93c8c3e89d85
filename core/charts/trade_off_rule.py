"""What a rule adds to the trade-off chart: who does not keep to it is grey, paths' turns and the recommendation.

Here: the frame behind those layers. Not here: how a rule judges (core/decisions), the marks (trade_off.py).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import pandas as pd

from core.charts import palette
from core.decisions.judge import Judged

TURNS = "Turning point: beyond it more strength does less"
RECOMMENDED = "Recommended by the rule"


@dataclass(frozen=True, slots=True)
class Ruled:
    """What is drawn of a rule. Without one: nothing is grey, nothing recommended; turns are there all the same."""

    outside: Collection[str] = ()
    """Variants that do not keep to it."""
    recommended: str | None = None
    turns: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"path": [], "variant": [], "strength": []}))
    """`judge.turning_points`."""

    @classmethod
    def of(cls, judged: Judged | None, turns: pd.DataFrame) -> Ruled:
        """What the rule made of the settings, if there is one, and the turning points of what is shown."""
        return cls(judged.outside, judged.recommended, turns) if judged else cls(turns=turns)

    def greyed(self, points: pd.DataFrame) -> pd.DataFrame:
        """The points with `outside`; what stands behind the marks of those, intervals and seeds, is grey."""
        outside = points["variant"].isin(list(self.outside))
        return points.assign(outside=outside, faint=points["faint"].mask(outside, palette.OUTSIDE))

    def turning(self, trained: pd.DataFrame) -> pd.DataFrame:
        """The rows at which paths turn, with what a tooltip says."""
        at = self.turns[["path", "variant"]].drop_duplicates()
        found = trained.merge(at, on=["path", "variant"]) if len(at) else trained[:0]
        return found.assign(turns=TURNS)

    def advised(self, marks: pd.DataFrame) -> pd.DataFrame:
        """The row that is recommended; none where it is no mark."""
        return marks[marks["variant"] == self.recommended]
