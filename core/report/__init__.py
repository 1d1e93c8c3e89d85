"""The report: one file of HTML that holds a decision and all that is needed to check it, and needs nothing else.

    report(warehouse, request) -> bytes

The same results and the same request give the same bytes, whether a page or the command asks: nothing in it is of the
moment or of the machine. It has no script, and its own policy forbids any; texts of data sets, lists and items are
escaped by the only function that makes elements (html.py).
Here: request.py what is asked, facts.py the numbers, figures.py the charts, words.py what is said, page.py the page,
mathml.py the formulas. Not here: any computing (core/warehouse), and where the file goes (core/cli/report.py, pages).
"""

from core.report.page import report
from core.report.request import Request, make_request

__all__ = ["Request", "make_request", "report"]
