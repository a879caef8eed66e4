"""Does the bundle hold what its manifest and the board's rules say?"""

from __future__ import annotations

from collections.abc import Iterator

from benchbench.results.bundle.excerpts import sampled_tracks
from benchbench.results.bundle.signature import read_signature
from benchbench.scoring.submission.evidence import Evidence
from benchbench.scoring.submission.findings import Finding, Status
from benchbench.stats.wording import count

__all__ = ["check_consistency", "check_requirements", "check_signature"]


def check_consistency(evidence: Evidence) -> Iterator[Finding]:
    """The manifest, the scores, the separations and the records of runs describe the same thing."""
    manifest, frame = evidence.bundle.manifest, evidence.frame
    problems = list(_disagreements(evidence))
    for subject, message in problems:
        yield Finding("consistency", "failed", subject, message)
    if not problems:
        yield Finding(
            "consistency",
            "passed",
            "",
            f"{count(len(frame), 'row')} of {count(len(manifest.models), 'model')}, from "
            f"{count(len(evidence.bundle.runs), 'run')}.",
        )


def _disagreements(evidence: Evidence) -> Iterator[tuple[str, str]]:
    manifest, frame, rows = evidence.bundle.manifest, evidence.frame, evidence.separations
    for name in sorted(set(map(str, frame["model"].unique())) ^ set(evidence.models)):
        yield name, "It is in the manifest or in the scores, not in both."
    for kind, table in (("scores", frame), ("separations", rows)):
        for dataset in sorted(set(map(str, table["dataset"].unique())) - {manifest.dataset}):
            yield "", f"The {kind} are of {dataset}, the manifest says {manifest.dataset}."
    for name, model in evidence.models.items():
        own = rows[rows["model"] == name]
        for kind in ("adapter", "weights", "options"):
            stored = set(map(str, own[f"{kind}_hash"].unique()))
            if stored - {getattr(model, f"{kind}_hash")}:
                yield name, f"Its separations were made with another {kind} than the manifest says."
        if own["oracle"].any() != model.oracle:
            yield name, "The manifest and the separations disagree on whether it is an oracle."
    known = set(map(str, rows["separation_id"]))
    lost = frame[~frame["separation_id"].astype("object").isin(known)]
    for name in sorted(map(str, lost["model"].astype("object").unique())):
        yield name, "Some of its scores belong to no separation."
    runs = {str(run.get("run_id")) for run in evidence.bundle.runs}
    for run in sorted(set(map(str, frame["run_id"].unique())) - runs):
        yield "", f"The record of the run {run} is missing."


def check_requirements(evidence: Evidence) -> Iterator[Finding]:
    """The rules of the board on data set, protocols, tracks and excerpts."""
    broken = list(_broken_rules(evidence))
    for subject, message in broken:
        yield Finding("rules", "failed", subject, message)
    if not broken:
        yield Finding("rules", "passed", "", "It holds everything that the board asks for.")


def _broken_rules(evidence: Evidence) -> Iterator[tuple[str, str]]:
    rules, manifest = evidence.rules, evidence.bundle.manifest
    if rules.dataset and manifest.dataset != rules.dataset:
        yield "", f"The board is about {rules.dataset}, the bundle about {manifest.dataset}."
    if rules.dataset_hash and manifest.dataset_hash != rules.dataset_hash:
        yield "", "The tracks are not those of the board: the hash of the data set differs."
    table = evidence.tracks
    for name in evidence.models:
        own = table[table["model"] == name]
        for protocol in rules.protocols:
            scored = own[(own["protocol"] == protocol) & own["value"].notna()]["track"].nunique()
            if scored < max(rules.tracks, 1):
                yield (
                    name,
                    f"{protocol} has values on {scored} tracks; the board asks for {max(rules.tracks, 1)}.",
                )
        if rules.tracks and not rules.protocols and own["track"].nunique() < rules.tracks:
            yield name, f"It has scores on {own['track'].nunique()} of {rules.tracks} tracks."
    if len(manifest.excerpts) < rules.excerpts:
        yield "", f"It holds excerpts of {len(manifest.excerpts)} of {rules.excerpts} tracks."
    expected = sampled_tracks(map(str, table["track"].unique()), len(manifest.excerpts))
    others = sorted({excerpt.track for excerpt in manifest.excerpts} - set(expected))
    if others and rules.excerpts:
        yield "", f"Excerpts are of {', '.join(others[:3])}; the rule takes {', '.join(expected)}."


def check_signature(evidence: Evidence) -> Iterator[Finding]:
    """The signature of the manifest."""
    found = read_signature(evidence.bundle.folder, evidence.signers)
    required = evidence.rules.signed
    if found.state == "known":
        yield Finding("signature", "passed", "", f"Signed by {found.signer}.")
    elif found.state == "invalid":
        yield Finding("signature", "failed", "", "The signature is of other content.")
    elif found.state == "unknown":
        status: Status = "failed" if required and evidence.signers else "passed"
        yield Finding("signature", status, "", f"Signed by a key of no known name, {found.signer}.")
    elif found.state == "unchecked":
        yield Finding("signature", "warning", "", "ssh-keygen is missing: not verified.")
    elif required:
        yield Finding("signature", "failed", "", "The board asks for a signature; there is none.")
    else:
        yield Finding("signature", "passed", "", "Not signed; the board does not ask for it.")
