"""The real Lightning and PyTorch: validation in a training loop, and tensors as audio."""

from __future__ import annotations

import numpy as np
import pytest

import benchbench
from benchbench import metrics

pytestmark = pytest.mark.trackers
torch = pytest.importorskip("torch")
lightning = pytest.importorskip("lightning")


def test_tensors_of_pytorch_are_arrays():
    noise = np.random.default_rng(0).standard_normal((2, 8000)).astype(np.float32)
    reference = torch.from_numpy(noise)
    estimate = (0.9 * reference).requires_grad_()
    expected = metrics.usdr(noise, 0.9 * noise, 8000)
    assert metrics.usdr(reference, estimate, 8000) == pytest.approx(expected, abs=1e-6)
    half = metrics.usdr(reference, (0.5 * reference).to(torch.bfloat16), 8000)
    assert half == pytest.approx(6.02, abs=0.05)


@pytest.mark.filterwarnings(
    "ignore:.*treespec, LeafSpec.*:FutureWarning", "ignore:.*does not have many workers.*"
)
def test_lightning_logs_the_numbers(small_songs, tmp_path):
    class Gain(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.gain = torch.nn.Parameter(torch.tensor(1.0))

        def training_step(self, batch, _):
            return ((self.gain * batch[0] - 0.1 * batch[0]) ** 2).mean()

        def validation_step(self, batch, _):
            return None

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    def separate(module, mixture, _):
        assert not torch.is_grad_enabled()
        return {"vocals": module.gain * torch.from_numpy(np.array(mixture))}

    validator = benchbench.Validator("folder", "usdr", root=small_songs, limit=1)
    callback = benchbench.training.lightning_callback(validator, separate)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 1)))
    trainer = lightning.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, callbacks=[callback], default_root_dir=tmp_path,
    )  # fmt: skip
    module = Gain()
    trainer.fit(module, data, data)
    logged = float(trainer.callback_metrics["val_usdr/SDR/vocals"])
    gain = float(module.gain.detach())
    expected = validator(lambda mixture, _: {"vocals": gain * mixture})["usdr/SDR/vocals"]
    assert logged == pytest.approx(expected, abs=1e-4)
