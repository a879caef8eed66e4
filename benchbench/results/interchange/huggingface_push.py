"""Send exported files to repositories of the Hugging Face Hub, as pull requests, when asked to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchbench.errors import MissingExtraError, UsageError
from benchbench.io.names import file_names
from benchbench.io.redaction import redacted
from benchbench.results.interchange.huggingface_evals import EVAL_RESULTS, require_repository

__all__ = ["push_evals"]


def push_evals(out: Path, models: Mapping[str, str], benchmark: str = "") -> list[str]:
    """Open a pull request in the repository of each model, and of the benchmark.

    The token is that of ``hf auth login`` or of ``HF_TOKEN``, the server that of ``HF_ENDPOINT``.

    Parameters
    ----------
    out
        The folder that `export_evals` has written.
    models
        Model -> its repository, as ``owner/name``.
    benchmark
        The data set's repository that gets ``eval.yaml``; "" for none.

    Returns
    -------
    list of str
        The addresses of the pull requests.

    Raises
    ------
    MissingExtraError
        When huggingface_hub is not installed.
    UsageError
        When a model was not exported, a name is no repository, or the server refuses.
    """
    folders = file_names(models)
    files = {
        require_repository(repository): (out / folders[model] / EVAL_RESULTS, EVAL_RESULTS, "model")
        for model, repository in models.items()
    }
    if benchmark:
        files[require_repository(benchmark)] = (out / "eval.yaml", Path("eval.yaml"), "dataset")
    for path, _, _ in files.values():
        if not path.is_file():
            raise UsageError(
                f"{path} was not exported.",
                hint="Name a model that has scores: --push MODEL=owner/name.",
            )
    try:
        from huggingface_hub import CommitOperationAdd, HfApi
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError as error:
        raise MissingExtraError("huggingface_hub", "huggingface", "--push") from error
    addresses = []
    for repository, (path, name, kind) in files.items():
        try:
            done = HfApi().create_commit(
                repository,
                [CommitOperationAdd(name.as_posix(), path.read_bytes())],
                commit_message=f"Add {name.as_posix()}: scores by benchbench",
                repo_type=kind,
                create_pr=True,
            )
        except (HfHubHTTPError, OSError, ValueError) as error:
            raise UsageError(
                f"{repository} did not take {name}: {redacted(str(error).splitlines()[0])}.",
                hint="Log in with `hf auth login`; check the name of the repository.",
            ) from error
        addresses.append(str(done.pr_url or done.commit_url))
    return addresses
