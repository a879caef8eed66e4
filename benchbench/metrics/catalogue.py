"""Every protocol of the package: its metrics, its use, and when it misleads.

Importing this module loads no numerical library besides NumPy; the code of a protocol is loaded
on its first evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from benchbench.metrics.base import Estimates, Metric, Protocol, Series

__all__ = ["CATALOGUE", "GROUP_MEMBERS", "Lazy"]

_INF: Final = float("inf")
_FRAME_MEDIAN: Final = "median of frame medians"
_TRACK_MEAN: Final = "mean over tracks"
_TRACK_MEDIAN: Final = "median over tracks"


@dataclass(frozen=True, slots=True)
class Lazy:
    """A protocol's `evaluate`: imports its module on the first call and adds missing rows.

    Parameters
    ----------
    module
        Name of the module in `benchbench.metrics` whose ``evaluate`` does the work.
    metrics
        The protocol's metrics, for targets without an estimate.
    options
        Keyword arguments for that function.
    """

    module: str
    metrics: tuple[Metric, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, references: Any, estimates: Estimates) -> list[Series]:
        """Score `estimates` (or an `Evaluation` that holds them) against `references`."""
        from benchbench.metrics.arrays.heap import keep_freed_memory
        from benchbench.metrics.arrays.parallel import single_threaded_blas
        from benchbench.metrics.evaluation import Evaluation, completed, out_of_range

        evaluation = (
            estimates
            if isinstance(estimates, Evaluation) and estimates.references is references
            else Evaluation(references, estimates)
        )
        if evaluation.extreme:
            return completed(out_of_range(evaluation, self.metrics), evaluation, self.metrics)
        keep_freed_memory()
        work = import_module(f"benchbench.metrics.{self.module}").evaluate
        with single_threaded_blas():
            return completed(work(evaluation, **self.options), evaluation, self.metrics)


def _decibels(name: str, cap: float = _INF) -> Metric:
    return Metric(name, "dB", -cap, cap)


_CONDITION: Final = Metric("log10-condition", "1", 0.0, 20.0, "lower", diagnostic=True)
_IMAGES: Final = (
    _decibels("SDR", 300.0),
    _decibels("ISR", 150.0),
    _decibels("SIR", 150.0),
    _decibels("SAR", 150.0),
    _CONDITION,
)
_SOURCES: Final = tuple(_decibels(name, 150.0) for name in ("SDR", "SIR", "SAR"))
_USDR: Final = (_decibels("SDR"), Metric("SA-SDR", "dB", -_INF, _INF, of_all_targets=True))
_SI: Final = tuple(
    _decibels(name, 300.0)
    for name in ("SI-SDR", "SI-SIR", "SI-SAR", "SD-SDR", "SI-SDR-per-channel")
)
_WINDOWS: Final = (_decibels("SDR", 300.0), _decibels("SI-SDR", 300.0))
_BANDS: Final = (_decibels("SDR", 300.0), _decibels("SDR-windowed", 300.0))
_SPECTRAL: Final = (
    Metric("bleedless", "1", 0.0, 100.0),
    Metric("fullness", "1", 0.0, 100.0),
    Metric("L1-freq", "1", 0.0, 100.0),
    Metric("STFT", "1", 0.0, 100.0),
    Metric("MR-STFT", "1", 0.0, 100.0),
    Metric("LSD", "dB", 0.0, _INF, "lower"),
)
_MRSTFT: Final = (Metric("MR-STFT", "1", 0.0, _INF, "lower", across_kinds=True),)
_LOGWMSE: Final = (Metric("logWMSE", "1", -_INF, 73.6827229),)
_MSST: Final = (
    _decibels("SDR"),
    Metric("K-SDR", "1", 0.0, 100.0),
    _decibels("SI-SDR"),
    Metric("L1-freq", "1", 0.0, 100.0),
    Metric("logWMSE", "1", -_INF, 73.6827229),
    Metric("aura-STFT", "1", 0.0, 100.0),
    Metric("aura-MRSTFT", "1", 0.0, 100.0),
    _decibels("L1-SNR"),
    Metric("bleedless", "1", 0.0, 100.0),
    Metric("fullness", "1", 0.0, 100.0),
)
_BLEED: Final = (Metric("bleed", "dB", -150.0, 150.0, "lower"),)

_SECONDS: Final = {"window_s": 1.0, "hop_s": 1.0}
_BSSEVAL_OPTIONS: Final = {**_SECONDS, "lags": 512, "ill_conditioned_above": 1e12}
_ILL: Final = (
    "On low-passed or compressed audio the references' delayed copies are almost linearly dependent; "
    "ISR, SIR and SAR are then flagged ill_conditioned and unreliable. SDR is not affected, but "
    "it rewards near silence: an estimate close to zeros scores 0 dB where the mixture may score -7."
)


def _bsseval(name: str, summary: str, good_for: str, misleads: str, **options: Any) -> Protocol:
    return Protocol(
        name=name,
        version=1,
        metrics=_IMAGES,
        aggregation=_FRAME_MEDIAN,
        summary=summary,
        good_for=good_for,
        misleads=misleads,
        source="Stoter, Liutkus, Ito, The 2018 Signal Separation Evaluation Campaign, LVA/ICA 2018; "
        "Vincent et al., IEEE TASLP 14 (2006); as museval 0.4.1",
        evaluate=Lazy("bsseval.images", _IMAGES, {**_SECONDS, **options}),
        options={**_BSSEVAL_OPTIONS, **options},
    )


def _sources(name: str, permute: bool, summary: str, good_for: str) -> Protocol:
    return Protocol(
        name=name,
        version=1,
        metrics=_SOURCES,
        aggregation=_TRACK_MEDIAN,
        summary=summary,
        good_for=good_for,
        misleads="Errors that a 512-tap filter can make are not counted, so an estimate with missing frequencies can "
        "score high. Its SDR is not the SDR of images. Stereo is averaged to mono first.",
        source="Vincent, Gribonval, Fevotte, IEEE TASLP 14 (2006); as mir_eval bss_eval_sources",
        evaluate=Lazy("bsseval.sources", _SOURCES, {"permute": permute}),
        options={"lags": 512, "permute": permute},
    )


def _bands(family: str, what: str) -> Protocol:
    return Protocol(
        name=f"bands-{family}",
        version=1,
        metrics=_BANDS,
        aggregation=_TRACK_MEDIAN,
        summary=f"SDR in {what}, over the track and by second.",
        good_for="Seeing which frequencies a separator loses or lets through.",
        misleads="Bands are not weighted by how loud they are; a poor top octave may be inaudible. "
        "Bands without reference energy have no value.",
        source="IEC 61260-1 (octave and third), Slaney's Auditory Toolbox (mel)",
        evaluate=Lazy("spectral.bands", _BANDS, {"family": family}),
        options={"family": family, "window": 4096, "hop": 2048, "floor_db": -80.0},
    )


_ALL: Final = (
    Protocol(
        name="usdr",
        version=1,
        metrics=_USDR,
        aggregation=_TRACK_MEAN,
        summary="SDR of the whole track at once (utterance SDR), by target and over all of them.",
        good_for="The leaderboards of MDX21 and SDX23, and a single energy ratio per track.",
        misleads="Loud passages dominate. It rewards silence: zeros score 0 dB. A change of gain "
        "costs decibels although a listener could turn the volume up. SA-SDR is decided by the loudest "
        "target.",
        source="Mitsufuji et al., Music Demixing Challenge 2021, Front. Signal Process. 1 (2022); "
        "SA-SDR: von Neumann et al., ICASSP 2022",
        evaluate=Lazy("ratios.utterance_sdr", _USDR),
        options={"offset": 1e-7},
    ),
    _bsseval(
        "bsseval-v4",
        "SDR, ISR, SIR and SAR in frames of one second, filters fitted to the track.",
        "Comparing with published SiSEC and MUSDB18 figures: the numbers are museval's.",
        "A frame in which any source is silent is left out for all sources, so models may be "
        "scored on different frames. " + _ILL,
    ),
    _bsseval(
        "bsseval-v4-active",
        "bsseval-v4 on every frame in which the target itself is not silent.",
        "Tracks with pauses: a vocal frame counts although the drums rest.",
        "Not comparable with published figures. " + _ILL,
        silence="active",
    ),
    _bsseval(
        "bsseval-v3",
        "SDR, ISR, SIR and SAR with the filters fitted in every frame.",
        "Figures from before 2018, and mir_eval's bss_eval_images_framewise.",
        "Filters that change every second explain away distortions that version 4 counts. " + _ILL,
        refit=True,
    ),
    _sources(
        "bsseval-sources",
        False,
        "SDR, SIR and SAR of mono sources, up to a filter of 512 taps.",
        "Speech separation and older papers, where a filtered source is as good as the source.",
    ),
    _sources(
        "bsseval-sources-permuted",
        True,
        "bsseval-sources with the assignment of estimates that has the highest mean SIR.",
        "Separators that do not name their outputs.",
    ),
    Protocol(
        name="si",
        version=1,
        metrics=_SI,
        aggregation=_TRACK_MEAN,
        summary="Scale-invariant SDR, SIR and SAR, and the scale-dependent SD-SDR.",
        good_for="Judging the improvement over the mixture: the level does not change it, and silence has "
        "no value.",
        misleads="An estimate that is far too soft scores as well as one that is right; read "
        "SD-SDR beside it. One wrong channel balance costs much: see SI-SDR-per-channel.",
        source="Le Roux, Wisdom, Erdogan, Hershey, SDR - half-baked or well done?, ICASSP 2019",
        evaluate=Lazy("ratios.scale_invariant", _SI),
        options={"scale": "one for all channels", "per_channel": "mean over channels in dB"},
    ),
    _bands("octave", "octave bands"),
    _bands("third", "third-octave bands"),
    _bands("mel", "32 mel bands"),
    Protocol(
        name="windows",
        version=1,
        metrics=_WINDOWS,
        aggregation=_FRAME_MEDIAN,
        summary="SDR and SI-SDR in sliding windows of any length and hop.",
        good_for="Finding the second of a track in which a separation fails.",
        misleads="Near-silent windows swing by tens of decibels.",
        source="Energy ratios as in usdr (without offset) and si",
        evaluate=Lazy("ratios.windows", _WINDOWS, _SECONDS),
        options=_SECONDS,
    ),
    Protocol(
        name="spectral",
        version=1,
        metrics=_SPECTRAL,
        aggregation=_TRACK_MEAN,
        summary="Distances between magnitude spectrograms: bleedless, fullness, L1-freq, STFT, "
        "MR-STFT, log-spectral distance.",
        good_for="Telling what remains of other sources (bleedless) from what is missing "
        "(fullness), which SDR does not separate.",
        misleads="Phase is ignored. L1-freq and the losses depend on the level of the audio.",
        source="ZFTurbo, Music-Source-Separation-Training; Steinmetz, Reiss, auraloss (2020)",
        evaluate=Lazy("spectral.distances", _SPECTRAL),
        options={
            "L1-freq": "2048/1024 rectangular",
            "STFT": "1024/256 Hann",
            "MR-STFT": "1024/256, 2048/512, 4096/1024 Hann",
            "LSD": "2048/512 Hann",
            "bleedless, fullness": "4096/1024 Hann, 512 mel bands, 80 dB",
        },
    ),
    Protocol(
        name="mrstft-perceptual",
        version=1,
        metrics=_MRSTFT,
        aggregation=_TRACK_MEAN,
        summary="Multi-resolution spectral loss of A-weighted audio; auraloss's parameters.",
        good_for="A fast second metric where generative separators take part: it orders 61% of "
        "generative-against-masking pairs as listeners do, where SDR orders 35% (docs/metrics.md).",
        misleads="Phase and panning are ignored, and a change of gain counts. It agrees with "
        "listeners less than ViSQOL does, among masking separators less than SDR does.",
        source="Steinmetz, Reiss, auraloss 0.4 (2020), MultiResolutionSTFTLoss with A-weighting",
        evaluate=Lazy("spectral.mrstft_perceptual", _MRSTFT),
        options={
            "transform": "256, 512, 1024, 2048, 4096 Hann, hop a quarter",
            "weighting": "A, 101 taps",
        },
    ),
    Protocol(
        name="logwmse",
        version=2,
        metrics=_LOGWMSE,
        aggregation=_TRACK_MEAN,
        summary="Log of a frequency-weighted squared error relative to the mixture's level.",
        good_for="Silent targets: it is defined for every track and every stem.",
        misleads="The scale is no decibel, and errors below -68 dB count as none.",
        source="log-wmse-audio-quality 0.2.0, Nomono",
        evaluate=Lazy("spectral.logwmse", _LOGWMSE),
        options={
            "rate": 44100,
            "threshold_db": -68.0,
            "mixture": "given, or else the sum of the references",
        },
    ),
    Protocol(
        name="msst",
        version=1,
        metrics=_MSST,
        aggregation=_TRACK_MEAN,
        summary="The ten metrics of Music-Source-Separation-Training, as it computes them.",
        good_for="Comparing with a validation log of that project: the numbers are the same.",
        misleads="Offsets and filters are those of 44.1 kHz audio at an ordinary level. SI-SDR and "
        "SDR have offsets that give silence a number.",
        source="ZFTurbo, Music-Source-Separation-Training; auraloss 0.4.0, torch-log-wmse 0.3.1, "
        "torch-l1-snr 0.2.1",
        evaluate=Lazy("spectral.msst", _MSST),
        options={
            "rate_of_filters": 44100,
            "k": 10.0,
            "mixture": "given, or else the sum of the references",
        },
    ),
    Protocol(
        name="bleed",
        version=1,
        metrics=_BLEED,
        aggregation=_TRACK_MEDIAN,
        summary="Level of each reference in each estimate: bleed:drums of vocals is the drums "
        "heard in the vocals' estimate.",
        good_for="Seeing which source leaks into which stem.",
        misleads="Where references are alike their parts may cancel and exceed 0 dB; flagged "
        "ill_conditioned as in BSS Eval.",
        source="The projection of BSS Eval (Vincent et al. 2006), split by source",
        evaluate=Lazy("bsseval.bleed", _BLEED),
        options={"lags": 512},
    ),
)

CATALOGUE: Final[Mapping[str, Protocol]] = {protocol.name: protocol for protocol in _ALL}
"""Protocols by name, in the order of the listings."""

GROUP_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "standard": ("usdr", "bsseval-v4", "si"),
    "report": ("usdr", "bsseval-v4", "si", "bands-octave", "windows", "bleed"),
    "all": tuple(CATALOGUE),
}
"""Names of groups of protocols."""
