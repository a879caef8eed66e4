"""What `bench adapt` prints: the score of every example without and with what the others taught."""

from __future__ import annotations

from benchbench.api.adapt import Adapted
from benchbench.io.text_table import aligned

__all__ = ["adaptation_table"]


def adaptation_table(adapted: Adapted) -> str:
    """A table of SI-SDR in dB by example, and a sentence about the gain."""
    made = adapted.adaptation
    if adapted.is_better is None:
        return f"{made.steps} steps. With one example the result was not checked on another song."
    rows = [
        (one.name, f"{one.before:.2f}", f"{one.after:.2f}", f"{one.after - one.before:+.2f}")
        for one in made.examples
        if one.before is not None and one.after is not None
    ]
    head = ("example", f"{made.base} {made.compared}", made.stem, "gain")
    title = "SI-SDR in dB; each example is scored by a model that learned from the others."
    if adapted.is_better:
        verdict = f"{made.gain_db:+.2f} dB over the unadapted model, after {made.steps} steps."
    else:
        verdict = f"No better than the unadapted model ({made.gain_db:+.2f} dB)."
    return f"{title}\n\n{aligned(head, rows)}\n{verdict}"
