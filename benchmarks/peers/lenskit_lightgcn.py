"""LensKit's LightGCN (requirements-bench-lenskit.txt): its own trainer, which stands on torch_geometric's model.

What is timed is its cost, not a model of the same quality: in 2025.8.1 its graph has edges from users to items only, so
that torch_geometric normalises every weight to 0 (users have no degree), and gradients add up from step to step.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from lenskit.data import from_interactions_df
from lenskit.graphs.lightgcn import LightGCNConfig, LightGCNScorer
from lenskit.training import TrainingOptions
from numpy.typing import NDArray

from benchmarks.clock import Fit
from benchmarks.peers.serve import BATCH, DIM, LAYERS, serve


def prepare(pairs: NDArray[np.int32]) -> Fit:
    """Its training, on from where it was. BPR with a uniform negative a pair, AdamW: LensKit's defaults."""
    torch.set_num_threads(1)
    dataset = from_interactions_df(pd.DataFrame(pairs, columns=["user_id", "item_id"]))
    scorer = LightGCNScorer(LightGCNConfig(embedding_size=DIM, layer_count=LAYERS, batch_size=BATCH))
    trainer = scorer.create_trainer(dataset, TrainingOptions(device="cpu", rng=1))

    def fit(epochs: int) -> None:
        for _ in range(epochs):
            trainer.train_epoch()

    return fit


if __name__ == "__main__":
    serve(prepare, "lenskit", "torch_geometric", "torch", "numpy")
