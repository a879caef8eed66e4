"""Run in an environment of MSST's requirements: score the stems of an .npz file, print JSON.

With BENCHBENCH_MSST naming the file ``utils/metrics.py`` of a checkout its own functions are called; else
the packages that it calls (auraloss, torch-log-wmse, torch-l1-snr), with the parameters that it states.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys

import numpy as np
import torch

METRICS = (
    *("sdr", "k_sdr", "si_sdr", "l1_freq", "log_wmse", "aura_stft", "aura_mrstft"),
    *("bleedless", "fullness", "l1_snr"),
)


def of_checkout(path, reference, estimate, mixture):
    spec = importlib.util.spec_from_file_location("msst_metrics", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.get_metrics(list(METRICS), reference, estimate, mixture)


def of_packages(reference, estimate, mixture):
    from auraloss.freq import MultiResolutionSTFTLoss, STFTLoss
    from torch_l1_snr import MultiL1SNRDBLoss
    from torch_log_wmse import LogWMSE

    r, e, m = (torch.from_numpy(audio)[None] for audio in (reference, estimate, mixture))
    log_wmse = LogWMSE(
        audio_length=reference.shape[1] / 44100, sample_rate=44100, return_as_loss=False
    )
    sizes = [1024, 2048, 4096]
    weighted = MultiResolutionSTFTLoss(
        sizes, [256, 512, 1024], sizes, scale="mel", n_bins=128, sample_rate=44100,
        perceptual_weighting=True,
    )  # fmt: skip
    l1_snr = MultiL1SNRDBLoss(
        "l1_snr", spec_weight=0.5, l1_weight=0.0, use_time_regularization=True,
        use_spec_regularization=False,
    )  # fmt: skip
    return {
        "log_wmse": float(log_wmse(m, r[:, None].transpose(1, 2), e[:, None].transpose(1, 2)))
        if reference.shape[0] == 1
        else float(log_wmse(m, r[:, :, None], e[:, :, None])),
        "aura_stft": 100 / (1 + 10 * float(STFTLoss()(r, e))),
        "aura_mrstft": 100 / (1 + 10 * float(weighted(r.float(), e.float()))),
        "l1_snr": -float(l1_snr(e, r)),
    }


def main() -> None:
    stems = np.load(sys.argv[1])
    path = os.environ.get("BENCHBENCH_MSST")
    scores = {}
    for name in stems["names"]:
        audio = stems[f"reference_{name}"], stems[f"estimate_{name}"], stems["mixture"]
        samples = min(audio[0].shape[1], audio[1].shape[1])
        audio = tuple(np.ascontiguousarray(each[:, :samples]) for each in audio)
        scores[str(name)] = of_checkout(path, *audio) if path else of_packages(*audio)
    print(json.dumps(scores))


if __name__ == "__main__":
    main()
