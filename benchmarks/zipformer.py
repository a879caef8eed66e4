"""Figures of the Zipformer: separation quality, speed, memory, latency.

::

    python benchmarks/zipformer.py gains --material DIR [--weights DIR] [--unet DIR] [--spleeter PATH/2stems]
    python benchmarks/zipformer.py speed
    python benchmarks/zipformer.py memory
    python benchmarks/zipformer.py live
    python benchmarks/zipformer.py seam
    python benchmarks/zipformer.py mean --weights DIR --other DIR --share 0.65 --out DIR

``gains`` compares with a *static filter*: for every stem one real gain per frequency, the best in
the least-squares sense over the training songs. It applies the same gains to every song, so a
separator that does not beat it has only learnt the average spectra of the stems.
``--material`` has ``train``, ``validation`` and ``test`` with one folder of stems per song, as the data
set `rendered` has. ``speed``, ``memory`` and ``live`` use random weights: the cost does not depend
on them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import numpy as np
import soundfile

from benchbench import metrics
from benchbench.datasets.dataset import open_dataset
from benchbench.datasets.preparation import prepare
from benchbench.io.processes.scratch import scratch_folder
from benchbench.metrics.references import References
from benchbench.plugins.catalog import Catalog

ADAPTERS = Path(__file__).resolve().parents[1] / "adapters"
sys.path[:0] = [str(ADAPTERS / "zipformer"), str(ADAPTERS / "spleeter")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from spleeter_keras import Separator as Spleeter  # noqa: E402
from spleeter_keras.architecture import VARIANTS as SPLEETER  # noqa: E402
from spleeter_keras.architecture import variable_shapes  # noqa: E402
from zipformer_keras import VARIANTS, Separator, latency_samples  # noqa: E402
from zipformer_keras.shapes import weight_shapes  # noqa: E402
from zipformer_keras.spectrum import Analysis, Synthesis, analyse, product  # noqa: E402
from zipformer_keras.weights import WEIGHTS_FILE, noted, read_weights, write_weights  # noqa: E402

RATE = 44_100
FRAME, STEP, BINS = 4096, 1024, 2049
STEMS = ("vocals", "drums", "bass", "other")
SHIPPED = ADAPTERS / "zipformer" / "weights" / "tiny"
UNET = ADAPTERS / "spleeter" / "weights" / "synth"

Stems = dict[str, np.ndarray]
Separate = Callable[[np.ndarray], Mapping[str, np.ndarray]]


def songs(folder: Path, stems: tuple[str, ...] = STEMS) -> Iterator[tuple[str, Stems]]:
    """The songs of a folder of folders that have these stems, float32 (2, samples)."""
    return songs_of(sorted(path for path in folder.iterdir() if path.is_dir()), stems)


def songs_of(folders: Iterable[Path], stems: tuple[str, ...]) -> Iterator[tuple[str, Stems]]:
    """The songs of these folders that have these stems, float32 (2, samples)."""
    for song in folders:
        if not all((song / f"{stem}.flac").is_file() for stem in stems):
            continue
        read = {}
        for stem in stems:
            samples, rate = soundfile.read(song / f"{stem}.flac", dtype="float32", always_2d=True)
            if rate != RATE:
                raise SystemExit(f"{song} has {rate} Hz; {RATE} Hz is needed.")
            read[stem] = np.ascontiguousarray(np.broadcast_to(samples.T, (2, len(samples))))
        yield song.name, read


def spread(folder: Path, stems: tuple[str, ...], count: int) -> Iterator[tuple[str, Stems]]:
    """So many training songs of a folder that have these stems, evenly spread over all."""
    named = sorted(
        path
        for path in folder.glob("train*")
        if all((path / f"{stem}.flac").is_file() for stem in stems)
    )
    for index in np.unique(np.linspace(0, len(named) - 1, count).round().astype(int)):
        yield from songs_of([named[index]], stems)


def shipped_songs(dataset: str) -> Iterator[tuple[str, Stems]]:
    """The songs of a data set that needs no download."""
    data_set = open_dataset(Catalog().dataset(dataset))
    with scratch_folder() as scratch:
        for number, track in enumerate(data_set.tracks):
            prepared = prepare(track, scratch / str(number))
            yield (
                track.name,
                {name: np.array(raw.open()) for name, raw in prepared.stems.items()},
            )


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


def si_sdr(references: Stems, estimates: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The engine's SI-SDR, in dB."""
    found = metrics.evaluate(References(references, sample_rate=RATE), dict(estimates), ["si"])
    return {
        series.target: float(series.values[0])
        for series in found["si"]
        if series.metric == "SI-SDR"
    }


def two_stems(stems: Mapping[str, np.ndarray]) -> Stems:
    """Vocals and the sum of the rest."""
    rest = [samples for name, samples in stems.items() if name != "vocals"]
    return {"vocals": stems["vocals"], "accompaniment": np.sum(rest, axis=0, dtype=np.float32)}


def gains(arguments: argparse.Namespace) -> dict[str, object]:
    """SI-SDR gains over the mixture, of every separator on every set."""
    train, test = arguments.material / "train", arguments.material / "test"
    separators: dict[str, Separate] = {}
    if "static" in arguments.separators:
        separators["static filter"] = static_separator(fit_static_filter(train, arguments.fit))
    if "zipformer" in arguments.separators:
        zipformer = Separator.from_folder(arguments.variant, arguments.weights)
        separators[f"zipformer:{arguments.variant}"] = lambda mixture: zipformer.separate(
            mixture, RATE
        )
    if "unet" in arguments.separators:
        unet = Spleeter.from_folder("synth", arguments.unet)
        separators["spleeter:synth"] = lambda mixture: unet.separate(mixture, RATE)
    result: dict[str, object] = {}
    released = songs(test, ("vocals", "accompaniment"))
    corpora = {
        "rendered, test": (songs(test), True),
        "rendered, test, over released music": (released, False),
        "synth": (shipped_songs("synth"), True),
    }
    if arguments.train:
        # As they are, without the variations of training: how well is known what was learned?
        for stems in (STEMS, ("vocals", "accompaniment")):
            name = "rendered, train" + ("" if stems == STEMS else ", over released music")
            corpora[name] = (spread(train, stems, arguments.train), stems == STEMS)
    for name, (data_set, whole) in corpora.items():
        print(f" {name}, gain over the mixture in dB")
        result[name] = table(islice(data_set, arguments.limit), separators, whole=whole)
    if arguments.spleeter:
        real = Spleeter.from_folder("2stems", arguments.spleeter)
        separators["spleeter:2stems"] = lambda mixture: real.separate(mixture, RATE)
    print(" real recording")
    recording = ((name, stems) for name, stems in shipped_songs("demo") if "Falcon" in name)
    result["real recording"] = table(recording, separators, whole=False)
    return result


def table(
    data_set: Iterator[tuple[str, Stems]], separators: Mapping[str, Separate], *, whole: bool
) -> dict[str, dict[str, float]]:
    """Print the mean gain of every stem; without `whole`, of vocals and accompaniment."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in separators}
    for _, stems in data_set:
        mixture = np.sum(list(stems.values()), axis=0, dtype=np.float32)
        references = stems if whole else two_stems(stems)
        before = si_sdr(references, dict.fromkeys(references, mixture))
        for name, separate in separators.items():
            estimates = separate(mixture)
            if not whole and "accompaniment" not in estimates:
                estimates = two_stems(estimates)
            for stem, value in si_sdr(references, estimates).items():
                if np.isfinite(value) and np.isfinite(before[stem]):
                    found[name].setdefault(stem, []).append(value - before[stem])
    means = {
        name: {stem: float(np.mean(values)) for stem, values in stems.items()}
        for name, stems in found.items()
    }
    for name, stems in means.items():
        mean = float(np.mean(list(stems.values())))
        print(
            f"  {name:16} mean {mean:6.2f}  "
            + "  ".join(f"{stem} {value:6.2f}" for stem, value in sorted(stems.items()))
            + f"  worst {min(min(values) for values in found[name].values()):6.2f}",
            flush=True,
        )
    return means


def write_random(variant: str, folder: Path) -> None:
    """Write random weights to a folder for a separator."""
    rng, arrays = np.random.default_rng(0), {}
    for name, shape in weight_shapes(VARIANTS[variant]).items():
        inputs = shape[-2] if len(shape) > 1 else 1
        drawn = rng.uniform(-1.0, 1.0, shape) * (0.5 * inputs**-0.5)
        arrays[name] = (drawn + (1.0 if name.endswith("deviation") else 0.0)).astype(np.float32)
    write_weights(folder / WEIGHTS_FILE, arrays, {}, half=False)


def cost(separate: Callable[[], object], repeat: int = 3) -> tuple[float, float]:
    """Lowest wall and processor seconds of several runs, after a warm-up run."""
    separate()
    walls, cpus = [], []
    for _ in range(repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        separate()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus)


def speed(arguments: argparse.Namespace) -> dict[str, object]:
    """`base` and `tiny` against Spleeter's four networks, random weights, the same noise."""
    rng = np.random.default_rng(0)
    song = (rng.standard_normal((2, int(arguments.seconds * RATE))) / 10).astype(np.float32)
    shapes = variable_shapes(SPLEETER["4stems"])
    drawn = (
        (name, (0.05 * np.abs(rng.standard_normal(shape))).astype(np.float32))
        for name, shape in shapes.items()
    )
    spleeter = Spleeter(SPLEETER["4stems"], drawn)
    sides: dict[str, tuple[int, Callable[[], object]]] = {
        "spleeter:4stems": (
            spleeter.parameters,
            lambda: [None for _ in spleeter.stream(song, RATE)],
        )
    }
    with scratch_folder() as scratch:
        for variant in ("tiny", "base"):
            write_random(variant, scratch / variant)
            separator = Separator.from_folder(variant, scratch / variant)
            sides[f"zipformer:{variant}"] = (
                separator.parameters,
                lambda separator=separator: [None for _ in separator.blocks(song, RATE)],
            )
        result = {}
        for name, (parameters, separate) in sides.items():
            wall, cpu = cost(separate)
            result[name] = {"parameters": parameters, "wall_s": wall, "cpu_s": cpu}
            print(
                f"  {name:16} {parameters / 1e6:6.2f}M parameters  {arguments.seconds:.0f} s of "
                f"music: {wall:.2f} s, {cpu:.2f} s of processor, "
                f"{arguments.seconds / wall:.0f} x real time",
                flush=True,
            )
    return result


def memory(arguments: argparse.Namespace) -> dict[str, object]:
    """Peak memory of a process that separates 3 and 20 minutes, in blocks."""
    result = {}
    with scratch_folder() as scratch:
        for variant in arguments.variants:
            write_random(variant, scratch / variant)
            for minutes in (0, 3, 20):
                song = scratch / "song.npy"
                shape = (2, max(int(minutes * 60 * RATE), 1))
                mapped = np.lib.format.open_memmap(song, "w+", np.float32, shape)
                mapped[:] = 0.1
                del mapped
                here = [str(Path(__file__).parent), variant, str(scratch / variant), str(song)]
                code = (
                    "import sys; sys.path[:0] = sys.argv[1:2]; import zipformer;"
                    "print(zipformer.peak(*sys.argv[2:]))"
                )
                told = subprocess.run(
                    [sys.executable, "-c", code, *here], check=True, capture_output=True, text=True
                )
                result[f"{variant}, {minutes} min"] = float(told.stdout.split()[-1])
                print(f"  {variant:16} {minutes:3} min  {told.stdout.split()[-1]} MB", flush=True)
    return result


def peak(variant: str, weights: str, song: str) -> float:
    """Separate a file block by block in this process; returns its peak memory in MB."""
    separator = Separator.from_folder(variant, weights)
    for _ in separator.blocks(np.load(song, mmap_mode="r"), RATE):
        pass
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, 0)


def live(arguments: argparse.Namespace) -> dict[str, object]:
    """Latency and time per block of the live variants."""
    result = {}
    rng = np.random.default_rng(0)
    with scratch_folder() as scratch:
        for variant in ("tiny-live", "base-live", "base-lowlatency"):
            write_random(variant, scratch / variant)
            separator = Separator.from_folder(variant, scratch / variant)
            configuration = VARIANTS[variant]
            size = (configuration.chunk or 1) * configuration.step
            song = (rng.standard_normal((2, int(arguments.seconds * RATE))) / 10).astype(np.float32)
            put, got, waited, times = 0, 0, 0, []
            arrived: list[int] = []
            stream = separator.stream(_counted(song, configuration.step, arrived.append), RATE)
            begin = time.perf_counter()
            for block in stream:
                times.append(time.perf_counter() - begin)
                put = sum(arrived)
                waited = max(waited, put - got)
                got += block["vocals"].shape[1]
                begin = time.perf_counter()
            length = size / RATE
            times = sorted(times[2:])
            facts = {
                "latency_ms": 1000 * latency_samples(configuration) / RATE,
                "measured_latency_ms": 1000 * waited / RATE,
                "block_ms": 1000 * length,
                "median_ms": 1000 * times[len(times) // 2],
                "p99_ms": 1000 * times[int(len(times) * 0.99)],
                "rtf": float(np.mean(times)) / length,
            }
            result[variant] = facts
            told = ", ".join(f"{key} {value:.3g}" for key, value in facts.items())
            print(f"  {variant:16} {told}", flush=True)
    return result


def _counted(song: np.ndarray, size: int, tell: Callable[[int], None]) -> Iterator[np.ndarray]:
    for start in range(0, song.shape[1], size):
        block = song[:, start : start + size]
        tell(block.shape[1])
        yield block


def seam(arguments: argparse.Namespace) -> dict[str, object]:
    """The change of the stems when chunks overlap by half instead of an eighth."""
    weights, notes = read_weights(arguments.weights / WEIGHTS_FILE)
    configuration = noted(notes, "tiny")
    usual = Separator(configuration, weights)
    half = Separator(configuration, weights, overlap=usual.frames // 2)
    result = {}
    for name, stems in islice(shipped_songs("synth"), arguments.limit):
        mixture = np.sum(list(stems.values()), axis=0, dtype=np.float32)
        both = usual.separate(mixture, RATE), half.separate(mixture, RATE)
        for stem in STEMS:
            error = np.square(both[0][stem] - both[1][stem]).sum()
            result[f"{name}, {stem}"] = float(
                10 * np.log10(error / np.square(both[1][stem]).sum() + 1e-12)
            )
    for stem in STEMS:
        values = [value for name, value in result.items() if name.endswith(stem)]
        print(f"  {stem:8} differs by {np.mean(values):.1f} dB of itself (most {max(values):.1f})")
    return result


def mean(arguments: argparse.Namespace) -> dict[str, object]:
    """Write the mean of two networks' weights; one was trained further from the other."""
    first, notes = read_weights(arguments.weights / WEIGHTS_FILE)
    second, _ = read_weights(arguments.other / WEIGHTS_FILE)
    share = arguments.share
    arrays = {
        name: ((1.0 - share) * array.astype(np.float64) + share * second[name]).astype(np.float32)
        for name, array in first.items()
    }
    given = dict(note.split("=", 1) for note in arguments.note)
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_weights(arguments.out / WEIGHTS_FILE, arrays, {**notes, **given}, half=True)
    return {"share": share}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("gains", "speed", "memory", "live", "seam", "mean"))
    parser.add_argument("--material", type=Path, help="train, validation and test, with songs")
    parser.add_argument("--variant", default="tiny", help="gains: of --weights")
    parser.add_argument("--weights", type=Path, default=SHIPPED, help="of --variant")
    parser.add_argument("--train", type=int, help="gains: so many training songs of a kind too")
    parser.add_argument("--unet", type=Path, default=UNET, help="of spleeter:synth")
    parser.add_argument("--separators", nargs="+", default=["static", "zipformer", "unet"])
    parser.add_argument("--fit", type=int, help="fit the static filter to so many songs only")
    parser.add_argument("--spleeter", type=Path, help="published weights of spleeter:2stems")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--variants", nargs="+", default=["tiny", "base"])
    parser.add_argument("--limit", type=int, help="at most so many songs of every set")
    parser.add_argument("--other", type=Path, help="mean: weights that were trained on")
    parser.add_argument("--share", type=float, default=0.5, help="mean: what the others weigh")
    parser.add_argument("--out", type=Path, help="mean: the folder to write")
    parser.add_argument("--note", action="append", default=[], help="mean: NAME=TEXT in the file")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    if arguments.what == "gains" and arguments.material is None:
        parser.error("gains needs --material")
    if arguments.what == "mean" and not (arguments.other and arguments.out):
        parser.error("mean needs --other and --out")
    print(arguments.what)
    result = globals()[arguments.what](arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
