"""The published tables beside our own figures: what is trained for them, what came out, and the page that says so.

published     the tables as their authors published them
plan          what is trained: every row at the authors' settings and at ours, as sweeps
request       asking for what is missing, and what that costs
comparison    our figures beside the published ones, in both readings of "best epoch"
cost          OneBP's cost claim: seconds an epoch, epochs and seconds to two-sided updating's best
deviations    where we differ from the authors' programs, and what was tried where a row is below; written by hand
report        docs/reproduction.md, from finished runs
"""
