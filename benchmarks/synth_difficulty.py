"""Difficulty of the demo songs: for each stem, and for a separator trained on real music.

    python benchmarks/synth_difficulty.py [--weights FOLDER_OF_2STEMS]

`mixture` is the SI-SDR of the unprocessed mixture against the stem, `mask` the
whole-track SDR of the ideal ratio mask; the difference is the possible gain.
With the weights of Spleeter's 2stems, the last column is the vocals SDR of a
model that was not trained on these songs.
"""

import argparse
import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
from scipy.signal import istft, stft

ROOT = Path(__file__).resolve().parents[1]
FRAME, HOP = 4096, 1024

Stems = dict[str, npt.NDArray[np.float64]]


def by_path(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"cannot load {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def sdr(reference: npt.NDArray[np.float64], estimate: npt.NDArray[np.float64]) -> float:
    """10 log10 of the reference's energy over the error's, sums over channels and time."""
    error = np.sum((reference - estimate) ** 2)
    return float(10.0 * np.log10((np.sum(reference**2) + 1e-7) / (error + 1e-7)))


def si_sdr(reference: npt.NDArray[np.float64], estimate: npt.NDArray[np.float64]) -> float:
    """SDR against the optimally scaled reference (Le Roux et al. 2019), over all channels."""
    target = reference * (np.sum(reference * estimate) / np.sum(reference**2))
    return float(10.0 * np.log10(np.sum(target**2) / np.sum((estimate - target) ** 2)))


def ideal_ratio_mask(stems: Stems) -> Stems:
    """Estimate each stem by its share of the magnitudes in each spectrogram cell."""
    spectra = {k: stft(v, nperseg=FRAME, noverlap=FRAME - HOP)[2] for k, v in stems.items()}
    mixture = np.sum(list(spectra.values()), axis=0)
    whole = np.sum([np.abs(s) for s in spectra.values()], axis=0) + 1e-10
    length = next(iter(stems.values())).shape[1]
    return {
        k: istft(mixture * np.abs(s) / whole, nperseg=FRAME, noverlap=FRAME - HOP)[1][:, :length]
        for k, s in spectra.items()
    }


def judge(weights: Path, adapter: Path) -> object:
    """Return Spleeter's adapter with its weights loaded."""
    sys.path.insert(0, str(adapter))
    separator = by_path("spleeter_adapter", adapter / "adapter.py").Adapter()
    separator.load("2stems", weights, "cpu", {})
    return separator


def judged(separator: object, stems: Stems, sample_rate: int) -> float:
    """Return the SDR of the separator's vocals."""
    mixture = np.sum(list(stems.values()), axis=0).astype(np.float32)
    blocks = list(separator.separate(mixture, sample_rate))  # type: ignore[attr-defined]
    vocals = np.concatenate([block["vocals"] for block in blocks], axis=1)
    return sdr(stems["vocals"], vocals.astype(np.float64))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how hard the demo songs are.")
    parser.add_argument("--weights", type=Path, help="folder of Spleeter's 2stems checkpoint")
    parser.add_argument("--adapter", type=Path, default=ROOT / "adapters" / "spleeter")
    given = parser.parse_args()
    synth = by_path("synth_loader", ROOT / "datasets" / "synth" / "loader.py")
    separator = judge(given.weights, given.adapter) if given.weights else None
    print("mixture SI-SDR -> ideal-ratio-mask SDR, dB")
    print("song            " + "".join(f"{stem:>16}" for stem in synth.STEMS) + "   2stems vocals")
    seconds = 0.0
    for song in synth.SONGS:
        before = time.process_time()
        rendered = synth.render_song(song)
        seconds += time.process_time() - before
        stems = {stem: sound / 32768.0 for stem, sound in rendered.items()}
        mixture = np.sum(list(stems.values()), axis=0)
        masked = ideal_ratio_mask(stems)
        row = f"{song:16}"
        for stem in synth.STEMS:
            row += f"{si_sdr(stems[stem], mixture):8.1f} -> {sdr(stems[stem], masked[stem]):4.1f}"
        if separator is not None:
            row += f"{judged(separator, stems, synth.SAMPLE_RATE):16.2f}"
        print(row, flush=True)
    print(f"rendering took {seconds:.1f} CPU-seconds")


if __name__ == "__main__":
    main()
