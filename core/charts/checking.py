"""What Altair does to be safe, and a server need not do at every click: most of what a chart costs.

It checks each part of a chart against Vega-Lite's schema as it is made. A chart that is wrong is a defect of this
program, found by its tests, which check every part. And it copies all layers, deeply, whenever a layered chart is
copied, if only to be written out; nothing here changes a layer after it was laid.
"""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from altair.utils import schemapi

Chart = TypeVar("Chart")


def check(wanted: bool) -> None:
    """Let all charts of this process be checked while they are made, as Altair does by itself, or none."""
    (schemapi.enable_debug_mode if wanted else schemapi.disable_debug_mode)()


def is_on() -> bool:
    """Are charts checked?"""
    return schemapi.DEBUG_MODE


def shallow(chart: Chart) -> Chart:
    """A copy whose properties can be set without changing the chart: its layers and encodings are the same objects."""
    copy = object.__new__(type(chart))
    # past Altair's own setting of attributes, which makes them parts of the specification
    object.__setattr__(copy, "_args", chart._args)  # type: ignore[attr-defined]
    object.__setattr__(copy, "_kwds", dict(chart._kwds))  # type: ignore[attr-defined]
    return copy


def ready(chart: Any) -> Any:
    """The chart, for somebody who will call its `to_dict()`: that checks it only where charts are checked."""
    if is_on():
        return chart
    copy = shallow(chart)
    object.__setattr__(copy, "to_dict", partial(copy.to_dict, validate=False))
    object.__setattr__(copy, "copy", lambda deep=True: shallow(copy) if deep is False else chart.copy(deep))
    return copy
