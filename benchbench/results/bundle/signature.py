"""Sign and verify ``bundle.json`` with an SSH key; the manifest holds the hash of every file."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchbench.errors import UsageError
from benchbench.results.bundle.manifest import MANIFEST, SIGNATURE

__all__ = ["Signature", "read_signature", "sign"]

NAMESPACE: Final = "benchbench"
"""Written into the signature, so that it is valid for bundles only."""
_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Signature:
    """What is known about a bundle's signature.

    Parameters
    ----------
    state
        ``none``; ``invalid``: of other content; ``unknown``: valid, by a key that is not on the
        list; ``known``: valid, by a key on the list; ``unchecked``: ssh-keygen is missing.
    signer
        The name on the list, or the fingerprint of the key.
    """

    state: str
    signer: str = ""


def sign(folder: Path, key: Path) -> Path:
    """Write ``bundle.json.sig`` with a private SSH key, or a public one whose agent is running.

    Raises
    ------
    UsageError
        When ssh-keygen is missing or refuses the key.
    """
    program = _program()
    if program is None:
        raise UsageError(
            "A bundle is signed with ssh-keygen, which is not installed.",
            hint="Install OpenSSH 8.2 or newer, or leave out --sign.",
        )
    if not key.is_file():
        raise UsageError(f"{key} is no file.", hint="Name a key, such as ~/.ssh/id_ed25519.")
    path = folder / MANIFEST
    (folder / SIGNATURE).unlink(missing_ok=True)
    done = _run([program, "-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(path)])
    if done.returncode or not (folder / SIGNATURE).is_file():
        said = (done.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
        raise UsageError(f"ssh-keygen cannot sign with {key}: {said}.")
    return folder / SIGNATURE


def read_signature(folder: Path, allowed_signers: Path | None = None) -> Signature:
    """The state of a bundle's signature.

    Parameters
    ----------
    folder
        The bundle.
    allowed_signers
        Names and public keys, in the format of ``ssh-keygen``: ``name ssh-ed25519 AAAA...``.
    """
    if not (folder / SIGNATURE).is_file():
        return Signature("none")
    program = _program()
    if program is None:
        return Signature("unchecked")
    signature, content = str(folder / SIGNATURE), (folder / MANIFEST).read_bytes()
    common = ["-n", NAMESPACE, "-s", signature]
    valid = _run([program, "-Y", "check-novalidate", *common], content)
    if valid.returncode:
        return Signature("invalid")
    fingerprint = next(
        (word for word in valid.stdout.decode(errors="replace").split() if ":" in word), ""
    )
    if allowed_signers is None:
        return Signature("unknown", fingerprint)
    known = ["-f", str(allowed_signers)]
    names = _run([program, "-Y", "find-principals", *known, "-s", signature])
    for name in names.stdout.decode(errors="replace").splitlines():
        if not _run([program, "-Y", "verify", *known, "-I", name, *common], content).returncode:
            return Signature("known", name)
    return Signature("unknown", fingerprint)


def _program() -> str | None:
    return shutil.which("ssh-keygen")


def _run(command: list[str], content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command, input=content, capture_output=True, timeout=_SECONDS, check=False
    )
