"""Numbers, times and counts as text, the same on every page.

Not here: sentences about results (core/charts), which must equal the chart.
"""

from __future__ import annotations

import math


def number(value: float | None) -> str:
    """Three significant digits: 0.439, 12.3, 1,680.

    >>> [number(x) for x in (0.43912, 12.345, 1681.6, 0.0, None)]
    ['0.439', '12.3', '1,682', '0', '-']
    """
    if value is None or math.isnan(value):
        return "-"
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def percent(share: float | None) -> str:
    """A share as a percentage of two or three digits.

    >>> percent(0.4123), percent(0.00123)
    ('41.2 %', '0.123 %')
    """
    return "-" if share is None or math.isnan(share) else f"{number(100 * share)} %"


def count(n: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    >>> count(1, "run"), count(1682, "item")
    ('1 run', '1,682 items')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def spelled(n: int) -> str:
    """A small number as a word.

    >>> spelled(3), spelled(12)
    ('three', '12')
    """
    names = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return names[n] if 0 <= n < len(names) else f"{n:,}"


def duration(seconds: float | None) -> str:
    """A time for people: "measuring" until it is known.

    >>> [duration(s) for s in (None, 0.4, 35.2, 130, 7300)]
    ['measuring', '1 s', '35 s', '2 min 10 s', '2 h 1 min']
    """
    if seconds is None or math.isnan(seconds):
        return "measuring"
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def seconds(value: float | None) -> str:
    """A measured time: three digits of seconds, or whole milliseconds, below which clocks say little.

    >>> [seconds(s) for s in (None, 0.00222, 0.0004, 0.4312, 9.6234, 1681.6)]
    ['-', '2 ms', 'under 1 ms', '431 ms', '9.62 s', '1,682 s']
    """
    if value is None or math.isnan(value):
        return "-"
    if value >= 0.9995:
        return f"{number(value)} s"
    return f"{round(1000 * value)} ms" if value >= 0.0005 else "under 1 ms"


def left(seconds: float | None) -> str:
    """Time left, in words.

    >>> left(None), left(35)
    ('measuring time left', 'about 35 s left')
    """
    return "measuring time left" if seconds is None or math.isnan(seconds) else f"about {duration(seconds)} left"


def plain(text: object) -> str:
    r"""Somebody else's text (a title, a name) for a place that reads Markdown: shown as it is.

    >>> plain("*Batteries* not [included]")
    '\\*Batteries\\* not \\[included\\]'
    """
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|<>$:~&" else c for c in str(text))
