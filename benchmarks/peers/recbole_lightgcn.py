"""RecBole's LightGCN (requirements-bench-recbole.txt): its own data loader, sampler and trainer, without evaluation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.model.general_recommender import LightGCN
from recbole.trainer import Trainer

from benchmarks.clock import Fit
from benchmarks.peers.serve import BATCH, DIM, LAYERS, serve

SETTINGS: dict[str, Any] = {
    "embedding_size": DIM,
    "n_layers": LAYERS,
    "train_batch_size": BATCH,  # positives, each with one uniform negative: RecBole's default
    "use_gpu": False,
    "show_progress": False,
    "data_path": ".",
    "load_col": {"inter": ["user_id", "item_id"]},
    "eval_args": {"split": {"RS": [1, 0, 0]}, "group_by": "user", "order": "RO", "mode": "full"},
}
"""Everything else is RecBole's default, Adam included."""


def prepare(pairs: NDArray[np.int32]) -> Fit:
    """Its training, on from where it was. Writes the pairs and RecBole's logs below the current folder."""
    sys.argv[1:] = []  # RecBole reads settings there
    torch.set_num_threads(1)
    folder = Path("pairs")
    folder.mkdir()
    rows = "".join(f"{user}\t{item}\n" for user, item in pairs.tolist())
    (folder / "pairs.inter").write_text(f"user_id:token\titem_id:token\n{rows}", encoding="utf-8")
    config = Config(model="LightGCN", dataset="pairs", config_dict=SETTINGS)
    train, _, _ = data_preparation(config, create_dataset(config))
    if len(train.dataset) != len(pairs):
        raise RuntimeError(f"RecBole trains on {len(train.dataset)} of {len(pairs)} pairs")
    trainer = Trainer(config, LightGCN(config, train.dataset))

    def fit(epochs: int) -> None:
        trainer.epochs = epochs
        trainer.fit(train, saved=False)

    return fit


if __name__ == "__main__":
    serve(prepare, "recbole", "torch", "numpy", "scipy")
