"""Reading a chart's specification in tests: compiled by the same Vega-Lite that the page uses."""

import json
from typing import Any

import vl_convert


def layers(chart) -> dict[str, dict[str, Any]]:
    """The layers by name."""
    return {layer["name"]: layer for layer in chart.to_dict()["layer"]}


def rows(chart, name) -> list[dict[str, Any]]:
    """The data of a layer."""
    spec = chart.to_dict()
    layer = next(layer for layer in spec["layer"] if layer["name"] == name)
    return spec["datasets"][layer.get("data", spec.get("data"))["name"]]


def compiled(chart) -> dict[str, Any]:
    """The chart as Vega: raises where Vega-Lite does not understand it."""
    vega = vl_convert.vegalite_to_vega(json.dumps(chart.to_dict()), vl_version="6.4")
    return json.loads(vega) if isinstance(vega, str) else vega


def drawn(chart) -> str:
    """The chart as SVG: every expression in it was evaluated."""
    return vl_convert.vegalite_to_svg(json.dumps(chart.to_dict()), vl_version="6.4")
