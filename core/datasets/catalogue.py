"""The known data sets: where they come from, what may be done with them, how they are prepared by default.

Here: one row of CATALOGUE each. Not here: how files are fetched (sources.py, acquire.py) and read (readers/).
"""

from __future__ import annotations

from dataclasses import dataclass

from core.datasets.held_out import Mask
from core.datasets.preparation import Options
from core.datasets.sources import Address, Files, Source, Wheel


@dataclass(frozen=True, slots=True)
class KnownDataset:
    """A data set that can be had by name. Without sources it is generated (simulated.py)."""

    name: str
    title: str
    size: str
    """Roughly how large, in words, for a list of what can be fetched."""
    licence: str
    citation: str
    sources: tuple[Source, ...]
    """Asked in this order, after the mirror."""
    options: Options
    mask: Mask | None = None
    """Which interactions are test, where a published split has no file of its own that could be fetched."""

    @property
    def simulated(self) -> bool:
        """Generated here, with known true preferences."""
        return not self.sources


_MOVIELENS = "https://files.grouplens.org/datasets/movielens/"
_LIGHTGCN = "https://raw.githubusercontent.com/gusye1234/LightGCN-PyTorch/master/data/"

_MOVIELENS_LICENCE = "MovieLens: research use; no redistribution or commercial use without GroupLens' permission"
_MOVIELENS_CITATION = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
    "ACM Transactions on Interactive Intelligent Systems 5, 4, article 19. https://doi.org/10.1145/2827872"
)
_LIGHTGCN_CITATION = (
    "Xiangnan He, Kuan Deng, Xiang Wang, Yan Li, Yongdong Zhang and Meng Wang. 2020. LightGCN: Simplifying and "
    "Powering Graph Convolution Network for Recommendation. SIGIR 2020 (the split)"
)

_RECBOLE_WHEEL = Wheel(
    Files("recbole", "ml-100k/ml-100k.inter", items="ml-100k/ml-100k.item", more=("ml-100k/ml-100k.user",)),
    requirement="recbole==1.2.1",
    sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    folder="recbole/dataset_example/",
)

_PAPERS_SPLIT = Mask(
    "ml_100k_papers.bin",
    rows=100_000,
    pairs="42d5ef4c2adaa55140fe076e63040dcb30c960ee73e2def2664814dcce2fb7f8",
    of="MovieLens 100K",
)
_PAPERS_CITATION = (
    "The split is that of the data files of github.com/studentcej/AUC_NS (arXiv 2306.01348) and "
    "github.com/studentcej/OneBP (arXiv 2403.18227)"
)


def _movielens_archive(name: str, format: str, interactions: str, items: str) -> Address:
    files = Files(format, f"{name}/{interactions}", items=f"{name}/{items}", archive=f"{name}.zip")
    return Address(files, _MOVIELENS)


def _lightgcn_files(name: str) -> Address:
    return Address(Files("lightgcn", f"{name}/train.txt", test=f"{name}/test.txt"), _LIGHTGCN)


def _by_name(*known: KnownDataset) -> dict[str, KnownDataset]:
    return {dataset.name: dataset for dataset in known}


CATALOGUE: dict[str, KnownDataset] = _by_name(
    KnownDataset(
        "ml-100k",
        "MovieLens 100K",
        "943 users, 1,682 films, 100,000 ratings; 5 MB",
        _MOVIELENS_LICENCE,
        _MOVIELENS_CITATION,
        (_movielens_archive("ml-100k", "movielens", "u.data", "u.item"), _RECBOLE_WHEEL),
        Options(),
    ),
    KnownDataset(
        "ml-100k-papers",
        "MovieLens 100K, the papers' split",
        "943 users, 1,682 films, 100,000 ratings; 5 MB",
        _MOVIELENS_LICENCE,
        f"{_MOVIELENS_CITATION}. {_PAPERS_CITATION}",
        (_movielens_archive("ml-100k", "movielens", "u.data", "u.item"), _RECBOLE_WHEEL),
        Options(split="given"),
        _PAPERS_SPLIT,
    ),
    KnownDataset(
        "ml-1m",
        "MovieLens 1M",
        "6,040 users, 3,706 films, 1,000,209 ratings; 6 MB",
        _MOVIELENS_LICENCE,
        _MOVIELENS_CITATION,
        (_movielens_archive("ml-1m", "movielens", "ratings.dat", "movies.dat"),),
        Options(),
    ),
    KnownDataset(
        "ml-latest-small",
        "MovieLens, latest, small",
        "610 users, 9,724 films, 100,836 ratings; 1 MB",
        _MOVIELENS_LICENCE,
        _MOVIELENS_CITATION,
        (_movielens_archive("ml-latest-small", "csv", "ratings.csv", "movies.csv"),),
        Options(),
    ),
    KnownDataset(
        "gowalla",
        "Gowalla check-ins",
        "29,858 users, 40,981 places, 1,027,370 check-ins; 5 MB",
        "SNAP: research use",
        "Eunjoon Cho, Seth A. Myers and Jure Leskovec. 2011. Friendship and Mobility: User Movement in Location-Based "
        f"Social Networks. KDD 2011. {_LIGHTGCN_CITATION}",
        (_lightgcn_files("gowalla"),),
        Options(split="given"),
    ),
    KnownDataset(
        "yelp2018",
        "Yelp 2018",
        "31,668 users, 38,048 businesses, 1,561,406 reviews; 8 MB",
        "Yelp Dataset Challenge: academic use",
        f"Yelp Dataset Challenge 2018. {_LIGHTGCN_CITATION}",
        (_lightgcn_files("yelp2018"),),
        Options(split="given"),
    ),
    KnownDataset(
        "simulated",
        "Simulated, true preferences known",
        "600 users, 600 items, 30,000 interactions; generated here",
        "free to use",
        "",
        (),
        Options(),
    ),
)
