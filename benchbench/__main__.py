"""``python -m benchbench`` and the program ``bench``: errors become messages and exit codes."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line.

    ``--debug``, at any position, shows the traceback of an error instead of only its message.
    """
    from benchbench.errors import BenchbenchError
    from benchbench.io.processes.signals import signals_as_errors

    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        with signals_as_errors():
            from benchbench.cli import app

            app(arguments, prog_name="bench")
    except BenchbenchError as error:
        if debug:
            raise
        sys.stderr.write(f"error: {_shown(error)}\n")
        sys.exit(error.exit_code)
    except (MemoryError, RecursionError) as error:
        if debug:
            raise
        sys.stderr.write(
            f"error: this machine runs short of memory ({type(error).__name__}).\n"
            "Everything that was stored before is intact.\n"
        )
        sys.exit(2)
    except BrokenPipeError:  # the reader closed the pipe
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if debug:
            raise
        sys.stderr.write(f"error: {_shown(error)}\nEverything that was stored before is intact.\n")
        sys.exit(2)


def _shown(error: BaseException) -> str:
    """An error as text that is safe for a terminal, even if it contains untrusted names."""
    from benchbench.io.terminal import printable

    return printable(str(error))


if __name__ == "__main__":
    main()
