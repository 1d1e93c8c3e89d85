"""RecTools' seconds for the metrics that both have, by its own process's clocks; tables are made before they start."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, process_time

from rectools import Columns
from rectools import metrics as m

from benchmarks.metric_libraries.folder import CUTOFFS, Folder
from benchmarks.metric_libraries.with_rectools import METRICS, table


def main() -> None:
    folder, rounds = Folder.read(Path(sys.argv[1])), int(sys.argv[2])
    asked = {f"{metric}@{k}": make(k=k) for metric, make in METRICS.items() for k in CUTOFFS}
    lists = table(folder.lists("lists"))
    test, train = (table(pairs)[[Columns.User, Columns.Item]] for pairs in (folder.test, folder.train))
    for column in (Columns.User, Columns.Item):  # whole numbers, as its data sets have inside
        lists[column], test[column], train[column] = (t[column].astype(int) for t in (lists, test, train))
    catalogue = [int(item) for item in folder.catalogue]
    m.calc_metrics(asked, lists, test, train, catalogue)  # what is imported or compiled on first use does not count
    spent = []
    for _ in range(rounds):
        wall, cpu = perf_counter(), process_time()
        m.calc_metrics(asked, lists, test, train, catalogue)
        spent.append((perf_counter() - wall, process_time() - cpu))
    print("\n" + json.dumps({"version": version("rectools"), "spent": spent}))


if __name__ == "__main__":
    main()
