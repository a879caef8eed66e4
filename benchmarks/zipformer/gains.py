"""SI-SDR gains over the mixture, beside a static filter and a U-Net of the same size.

The *static filter* has for every stem one real gain per frequency, the best in the least-squares sense over
the training songs. It applies the same gains to every song, so a separator that does not beat it has only
learnt the average spectra of the stems.

``--sets`` names what is scored: ``test`` (the songs with four stems of `rendered`'s test split), ``released`` (its singing over
released music), ``synth``, ``real`` (a recording); and test songs that were changed: ``'lower basses'``, ``'lower and slower'``,
``'without drums'``, ``'compressed and limited'``. By default the first four.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from spleeter_keras import Separator as Spleeter
from zipformer_keras import Separator
from zipformer_keras.spectrum import Analysis, Synthesis, analyse, product

from benchmarks.zipformer.changed import changed_sets
from benchmarks.zipformer.common import (
    ADAPTERS,
    RATE,
    STEMS,
    Stems,
    shipped_songs,
    si_sdr,
    songs,
    spread,
)

FRAME, STEP, BINS = 4096, 1024, 2049
UNET = ADAPTERS / "spleeter" / "weights" / "synth"
SETS = ("test", "released", "synth", "real")
TRAINING = ("training", "training, over released music")
Separate = Callable[[np.ndarray], Mapping[str, np.ndarray]]
Songs = Callable[[], Iterator[tuple[str, Stems]]]


def main(arguments: argparse.Namespace) -> dict[str, object]:
    """SI-SDR gains over the mixture, of every separator on every set."""
    separators: dict[str, Separate] = {}
    if "static" in arguments.separators:
        separators["static filter"] = static_separator(
            fit_static_filter(arguments.material / "train", arguments.fit)
        )
    if "zipformer" in arguments.separators:
        zipformer = Separator.from_folder(arguments.variant, arguments.weights)
        separators[f"zipformer:{arguments.variant}"] = lambda mixture: zipformer.separate(
            mixture, RATE
        )
    if "unet" in arguments.separators:
        unet = Spleeter.from_folder("synth", arguments.unet or UNET)
        separators["spleeter:synth"] = lambda mixture: unet.separate(mixture, RATE)
    if arguments.spleeter:
        real = Spleeter.from_folder("2stems", arguments.spleeter)
        separators["spleeter:2stems"] = lambda mixture: real.separate(mixture, RATE)
    result: dict[str, object] = {}
    known_sets = corpora(arguments.material, arguments.train)
    chosen = [*(arguments.sets or SETS), *(TRAINING if arguments.train else ())]
    if unknown := [name for name in chosen if name not in known_sets]:
        raise SystemExit(f"No set {unknown[0]!r}; there are {', '.join(map(repr, known_sets))}.")
    for name in chosen:
        data_set, whole = known_sets[name]
        print(f" {name}, gain over the mixture in dB")
        able = {k: v for k, v in separators.items() if not (whole and k == "spleeter:2stems")}
        result[name] = table(islice(data_set(), arguments.limit), able, whole=whole)
    return result


def corpora(material: Path, train: int | None) -> dict[str, tuple[Songs, bool]]:
    """Every set of songs, and whether it is scored in four stems or in vocals and the rest."""
    test, backed = material / "test", ("vocals", "accompaniment")
    found: dict[str, tuple[Songs, bool]] = {
        "test": (partial(songs, test), True),
        "released": (partial(songs, test, backed), False),
        "synth": (partial(shipped_songs, "synth"), True),
        "real": (real_recording, False),
        **{name: (changed, True) for name, changed in changed_sets(test).items()},
    }
    if train:
        # As they are, without the variations of training: how well is known what was learned?
        for name, stems in zip(TRAINING, (STEMS, backed), strict=True):
            found[name] = (partial(spread, material / "train", stems, train), stems == STEMS)
    return found


def real_recording() -> Iterator[tuple[str, Stems]]:
    """The one song of `demo` that is a recording."""
    return ((name, stems) for name, stems in shipped_songs("demo") if "Falcon" in name)


def fit_static_filter(folder: Path, limit: int | None) -> np.ndarray:
    """The static filter's gains, float64 (stems, bins): sum Re(x* s) / sum |x|^2.

    All songs have equal weight, independent of their level.
    """
    together, alone = np.zeros((len(STEMS), BINS)), np.zeros(BINS)
    for _, stems in islice(songs(folder), limit):
        spectra = np.stack([analyse(stems[stem], FRAME, STEP, BINS) for stem in STEMS])
        mixture = spectra.sum(axis=0)
        energy = product(mixture, mixture).sum(axis=(0, 1), dtype=np.float64)
        alone += energy / energy.sum()
        for index, spectrum in enumerate(spectra):
            shared = product(mixture, spectrum).sum(axis=(0, 1), dtype=np.float64)
            together[index] += shared / energy.sum()
    return together / np.maximum(alone, 1e-12)


def static_separator(gains: np.ndarray) -> Separate:
    """A function that applies the static filter."""

    def separate(mixture: np.ndarray) -> Stems:
        outputs = [Synthesis(FRAME, STEP) for _ in STEMS]
        parts: list[list[np.ndarray]] = [[] for _ in STEMS]
        for segment in Analysis(FRAME, STEP, 512, 0).segments([mixture]):
            for gain, output, part in zip(gains, outputs, parts, strict=True):
                part.append(output.add(segment.spectrum * gain.astype(np.float32), segment.samples))
        return {s: np.concatenate(p, axis=1) for s, p in zip(STEMS, parts, strict=True)}

    return separate


def two_stems(stems: Mapping[str, np.ndarray]) -> Stems:
    """Vocals and the sum of the rest."""
    rest = [samples for name, samples in stems.items() if name != "vocals"]
    return {"vocals": stems["vocals"], "accompaniment": np.sum(rest, axis=0, dtype=np.float32)}


def table(
    data_set: Iterator[tuple[str, Stems]], separators: Mapping[str, Separate], *, whole: bool
) -> dict[str, dict[str, float]]:
    """Print the mean gain of every stem, without `whole` of vocals and accompaniment; and the worst."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in separators}
    worst = dict.fromkeys(separators, (np.inf, ""))
    for song, stems in data_set:
        mixture = np.sum(list(stems.values()), axis=0, dtype=np.float32)
        references = stems if whole else two_stems(stems)
        before = si_sdr(references, dict.fromkeys(references, mixture))
        for name, separate in separators.items():
            estimates = separate(mixture)
            if not whole and "accompaniment" not in estimates:
                estimates = two_stems(estimates)
            estimates = {stem: estimates[stem] for stem in references}
            for stem, value in si_sdr(references, estimates).items():
                if np.isfinite(value) and np.isfinite(before[stem]):
                    gain = value - before[stem]
                    found[name].setdefault(stem, []).append(gain)
                    worst[name] = min(worst[name], (gain, f"{stem} of {song}"))
    means = {
        name: {stem: float(np.mean(values)) for stem, values in stems.items()}
        for name, stems in found.items()
    }
    for name, stems in means.items():
        every = [value for values in found[name].values() for value in values]
        print(
            f"  {name:16} mean {np.mean(list(stems.values())):6.2f}  "
            + "  ".join(f"{stem} {value:6.2f}" for stem, value in sorted(stems.items()))
            + f"\n  {'':16} {sum(value < 0.0 for value in every)} of {len(every)} stems below the "
            + f"mixture; worst {worst[name][0]:.2f}: {worst[name][1]}",
            flush=True,
        )
    return means
