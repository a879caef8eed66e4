"""Check before a run that the stems that an ensemble combines will be stored in time."""

from __future__ import annotations

from collections.abc import Mapping

from benchbench.errors import UsageError
from benchbench.results.store import Results
from benchbench.running.plan import Plan
from benchbench.separation.ensemble import kept_stems, parts_of
from benchbench.separation.separator import ModelSetup

__all__ = ["require_members"]


def require_members(
    plan: Plan,
    setups: Mapping[str, ModelSetup],
    results: Results,
    *,
    keeps_audio: bool,
    local: bool,
) -> None:
    """Refuse ensembles whose members' stems are neither stored nor about to be stored.

    Parameters
    ----------
    plan
        The work that is left.
    setups
        Model name -> how it is loaded.
    results
        The results folder.
    keeps_audio
        Whether the run keeps the stems that it computes.
    local
        Whether the results are in a folder of this machine.

    Raises
    ------
    UsageError
        If a stem is missing (the first is named), or if the results are remote.
    """
    ensembles = {name: setup for name, setup in setups.items() if setup.members}
    if ensembles and not local:
        raise UsageError(
            f"{next(iter(ensembles))} combines stored stems, which needs a local folder.",
            hint="Name a local folder with --out.",
        )
    planned = {job.separation_id for job in plan.every_job()} if keeps_audio else set()
    for track in plan.tracks:
        for job in plan.jobs(track, ensembles):
            setup = ensembles[job.identity.model]
            for member in setup.members:
                for stem in setup.model.variant.stems:
                    parts = parts_of(setup.model.variant.stems, member, stem)
                    if member.identity.separation_id(track) not in planned:
                        kept_stems(results, member, track, parts)
