"""Make the mask of a published split: `python -m tools.make_split_mask TRAIN TEST MASK [--user-col U] [--item-col I]`.

TRAIN and TEST are the split's files, in any format that `datasets import` reads. Written to MASK is one bit a row, rows
sorted by user, then item, both as numbers, set for test (core/datasets/held_out.py). Printed is what the catalogue has
beside it: how many rows, and the digest of their pairs. No rating, id or title is written: only who is test.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from core.datasets.held_out import numbered_pairs
from core.datasets.raw import Columns, read_interactions, with_test
from core.settings import read_settings


def main(arguments: list[str]) -> int:
    """Write the mask and print its row."""
    args = _asked(arguments)
    settings, columns = read_settings(), Columns(args.user_col, args.item_col, rating="", time="")
    train, test = (read_interactions(path, settings, columns)[0] for path in (args.train, args.test))
    raw = with_test(train, test)
    found = numbered_pairs(raw)
    if found is None or raw.held_out is None:
        raise SystemExit("The ids of this split are not all whole numbers, so its rows have no numeric order.")
    if len(np.unique(np.stack([raw.users.numbers, raw.items.numbers]), axis=1).T) != len(raw):
        raise SystemExit("A pair of user and item occurs twice, so a bit a pair cannot say where it belongs.")
    order, digest = found
    args.mask.write_bytes(np.packbits(raw.held_out[order]).tobytes())
    print(f"rows={len(raw)}, test={int(raw.held_out.sum())}, pairs={digest!r}")
    return 0


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.make_split_mask", description=__doc__)
    for name in ("train", "test", "mask"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--user-col")
    parser.add_argument("--item-col")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
