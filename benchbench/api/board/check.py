"""Check a bundle that somebody else made."""

from __future__ import annotations

from benchbench.io.paths import AnyPath, path_of
from benchbench.scoring.submission.findings import CheckResult
from benchbench.scoring.submission.process import check_bundle
from benchbench.scoring.submission.rules import read_rules

__all__ = ["check"]


def check(
    bundle: AnyPath,
    *,
    rules: AnyPath | None = None,
    board: AnyPath | None = None,
    allowed_signers: AnyPath | None = None,
) -> CheckResult:
    """Check a bundle of `benchbench.submit`: files, numbers, plausibility, and scores of excerpts.

    The bundle is opened by a separate process with limits of time, memory and files, which
    executes nothing of it and gets none of this process's variables.

    Parameters
    ----------
    bundle
        A folder or a zip file.
    rules
        The rules of a board, ``board.toml``; by default nothing particular is asked for.
    board
        The results folder of what is on the board: its oracles and its models are compared with.
    allowed_signers
        Names and public keys of submitters, as ``ssh-keygen`` reads them.

    Returns
    -------
    CheckResult
        The findings; `exit_code` is 0 (accepted), 1 (a rule is broken) or 5 (damaged or hostile).

    Raises
    ------
    UsageError, ManifestError
        When a path does not exist, or the rules are invalid.

    Examples
    --------
    >>> import benchbench
    >>> result = benchbench.check("bundle")
    >>> result.exit_code
    0
    """
    return check_bundle(
        path_of(bundle),
        rules=read_rules(path_of(rules)) if rules is not None else None,
        board=path_of(board),
        allowed_signers=path_of(allowed_signers),
    )
