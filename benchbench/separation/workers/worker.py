"""The program that runs in an adapter's interpreter: it loads a separator once and separates tracks.

It is started by path with ``python -I`` and imports the standard library and NumPy only, so any
environment that has NumPy can run it. Requests come as JSON lines on stdin, answers go as JSON
lines to a private copy of stdout; file descriptor 1 is then pointed at stderr, because libraries
print. Audio travels in files of raw interleaved float32, so neither side holds more than a block.

The end of stdin means that the parent has ended; the worker then ends immediately.
"""

from __future__ import annotations

import errno
import importlib
import importlib.util
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

SAMPLES_AT_ONCE = 1 << 20
LONGEST_ERROR = 4000
"""Maximum characters of an adapter's error; the engine keeps fewer, after masking secrets."""
LONGER = 10
"""How many times longer than the mixture a stem may be, beside `EXTRA` samples."""
EXTRA = 1 << 20


class InvalidOutputError(Exception):
    """The output of an adapter violates the contract."""


class Function:
    """An adapter around a function ``(mixture, sample_rate) -> stems`` that needs no loading.

    Parameters
    ----------
    name
        ``module:function``.
    """

    def __init__(self, name: str) -> None:
        module, _, function = name.partition(":")
        self.separate = getattr(importlib.import_module(module), function)

    def load(self, *_: Any, **__: Any) -> None:
        """Do nothing, because the function needs no loading."""


def load_adapter(folder: Path, file: Path, function: str) -> Any:
    """An instance of the class ``Adapter`` of a file, or a function; `folder` is on the path."""
    sys.path.insert(0, str(folder))
    if function:
        return Function(function)
    spec = importlib.util.spec_from_file_location("adapter", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["adapter"] = module
    spec.loader.exec_module(module)
    return module.Adapter()


def open_audio(description: Mapping[str, Any]) -> Any:
    """Audio of shape (channels, samples) as a read-only view of a file."""
    channels, samples = description["channels"], description["samples"]
    if samples == 0:
        return np.zeros((channels, 0), np.float32)
    frames = np.memmap(description["file"], np.float32, "r", shape=(samples, channels))
    return frames.T


class StemWriter:
    """Appends blocks of stems to one raw file per stem, and checks them.

    Parameters
    ----------
    folder
        Folder for the files ``<number>.f32``; numbers, because stem names come from the adapter.
    stems
        The stems that the manifest declares.
    channels
        Channels of the mixture, which the stems must have too.
    most
        Maximum samples of a stem, so that an adapter that never stops cannot fill the disk.
    """

    def __init__(self, folder: Path, stems: list[str], channels: int, most: int) -> None:
        self.channels = channels
        self.most = most
        self.samples = dict.fromkeys(stems, 0)
        self.paths = {stem: folder / f"{number}.f32" for number, stem in enumerate(stems)}
        self.files: dict[str, IO[bytes]] = {s: p.open("wb") for s, p in self.paths.items()}
        self.seconds = 0.0

    def append(self, block: Mapping[str, Any]) -> None:
        """Write one block ``{stem: (channels, samples)}``."""
        start = time.perf_counter()
        if set(block) != set(self.files):
            raise InvalidOutputError(
                f"the adapter returned the stems {sorted(block)}, its manifest declares "
                f"{sorted(self.files)}"
            )
        for stem, audio in block.items():
            array = np.asarray(audio)
            if array.dtype.kind != "f":  # integers have a different full scale
                raise InvalidOutputError(
                    f"stem {stem} holds {array.dtype}; floating point with full scale 1 is needed"
                )
            if array.ndim != 2 or array.shape[0] != self.channels:
                raise InvalidOutputError(
                    f"stem {stem} has shape {array.shape}; ({self.channels}, samples) is needed"
                )
            for first in range(0, array.shape[1], SAMPLES_AT_ONCE):
                self._write(stem, array[:, first : first + SAMPLES_AT_ONCE])
        self.seconds += time.perf_counter() - start

    def _write(self, stem: str, part: Any) -> None:
        """Write samples in pieces, because a copy of the complete output would double the memory."""
        part = part.astype(np.float32, copy=False)
        if not np.isfinite(part).all():
            position = int(np.argmin(np.isfinite(part).all(axis=0)))
            raise InvalidOutputError(
                f"stem {stem} holds NaN or infinity at sample {self.samples[stem] + position}"
            )
        if self.samples[stem] + part.shape[1] > self.most:
            raise InvalidOutputError(f"stem {stem} is longer than {self.most} samples")
        self.files[stem].write(np.ascontiguousarray(part.T).data)
        self.samples[stem] += part.shape[1]

    def close(self) -> dict[str, dict[str, Any]]:
        """Flush the files and describe them."""
        for file in self.files.values():
            file.close()
        return {
            stem: {
                "file": str(self.paths[stem]),
                "channels": self.channels,
                "samples": self.samples[stem],
            }
            for stem in self.files
        }


def peak_rss() -> int | None:
    """Peak resident memory of this process so far in bytes, if the system reports it.

    Linux keeps it for the program in ``/proc``; what ``getrusage`` says there may still be the
    peak of the parent, from before this program was started.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:  # this file exists on Linux only
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class Worker:
    """Answers requests with the adapter that it has loaded."""

    def __init__(self) -> None:
        self.adapter: Any = None
        self.stems: list[str] = []
        self.oracle = False

    def actions(self) -> dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]]:
        """The supported requests."""
        return {"load": self.load, "separate": self.separate, "stream": self.stream}

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Execute one request; an exception of the adapter becomes an answer."""
        try:
            return {"ok": True, **self.actions()[request["do"]](request)}
        except MemoryError as error:
            return failure("out_of_memory", error)
        except InvalidOutputError as error:
            return failure("invalid_output", error)
        except OSError as error:
            traceback.print_exc()
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            return failure("disk_full" if full else "failed", error)
        except Exception as error:
            traceback.print_exc()
            return failure("failed", error)

    def load(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Import the adapter and let it load its weights."""
        start = time.perf_counter()
        self.stems, self.oracle = list(request["stems"]), bool(request["oracle"])
        self.adapter = load_adapter(
            Path(request["folder"]), Path(request["file"]), request["callable"]
        )
        weights = Path(request["weights"]) if request["weights"] else None
        self.adapter.load(
            request["variant"],
            weights=weights,
            device=request["device"],
            options=request["options"],
        )
        return {
            "load_s": time.perf_counter() - start,
            "parameters": count_of(getattr(self.adapter, "parameters", None)),
        }

    def separate(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Separate one mixture into files of the folder ``out``."""
        mixture = open_audio(request["mixture"])
        rate = int(request["sample_rate"])
        most = LONGER * mixture.shape[1] + EXTRA
        writer = StemWriter(Path(request["out"]), self.stems, mixture.shape[0], most)
        start = time.perf_counter()
        try:
            if self.oracle:
                references = {
                    name: open_audio(audio) for name, audio in request["references"].items()
                }
                result = self.adapter.separate(mixture, rate, references)
            else:
                result = self.adapter.separate(mixture, rate)
            for block in as_blocks(result):
                writer.append(block)
        finally:
            stems = writer.close()
        empty = [stem for stem, samples in writer.samples.items() if not samples]
        if empty:
            raise InvalidOutputError(f"the stem {', '.join(empty)} has 0 samples")
        wall = time.perf_counter() - start - writer.seconds
        return {"wall_s": wall, "stems": stems, "peak_rss": peak_rss()}

    def stream(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Feed a mixture to a live separator in blocks; its stems go to files in the folder ``out``."""
        mixture = open_audio(request["mixture"])
        if not hasattr(self.adapter, "stream"):
            raise InvalidOutputError("the adapter has no method stream, though its variant is live")
        most = LONGER * mixture.shape[1] + EXTRA
        writer = StemWriter(Path(request["out"]), self.stems, mixture.shape[0], most)
        clock = StreamClock(mixture, int(request["block"]))
        try:
            for stems in as_blocks(self.adapter.stream(clock.blocks(), request["sample_rate"])):
                clock.pause()
                before = next(iter(writer.samples.values()))
                writer.append(stems)
                clock.resume(next(iter(writer.samples.values())) - before)
        finally:
            written = writer.close()
        return {"stems": written, "seconds": clock.seconds, "outputs": clock.outputs}


class StreamClock:
    """Yields blocks of a mixture, and measures the separator's time for each.

    A block's time runs from the moment it is handed over until the next one is asked for; what the
    worker does with the stems meanwhile does not count.

    Parameters
    ----------
    mixture
        Audio of shape (channels, samples).
    size
        Samples in a block.
    """

    def __init__(self, mixture: Any, size: int) -> None:
        self.mixture, self.size = mixture, size
        self.seconds: list[float] = []
        self.outputs: list[tuple[int, int]] = []  # samples given so far, samples that came out
        self._given = 0
        self._start = self._paused = 0.0

    def blocks(self) -> Iterator[Any]:
        """The blocks, one after the other."""
        for first in range(0, self.mixture.shape[1], self.size):
            block = np.ascontiguousarray(self.mixture[:, first : first + self.size])
            self._given = first + block.shape[1]
            self._start = time.perf_counter()
            yield block
            self.seconds.append(time.perf_counter() - self._start)

    def pause(self) -> None:
        """Stop the clock when the separator yields stems."""
        self._paused = time.perf_counter()

    def resume(self, samples: int) -> None:
        """Continue after the given number of samples has been written."""
        self._start += time.perf_counter() - self._paused
        self.outputs.append((self._given, samples))


def as_blocks(result: Any) -> Iterator[Mapping[str, Any]]:
    """The output of an adapter as blocks: one dictionary, or an iterator of dictionaries."""
    if isinstance(result, Mapping):
        yield result
    elif hasattr(result, "__iter__"):
        yield from result
    else:
        raise InvalidOutputError(f"the adapter returned {type(result).__name__}, not stems")


def count_of(value: Any) -> int | None:
    """The number of parameters; None if the adapter returned something else."""
    return int(value) if isinstance(value, int | np.integer) and 0 <= value < 1 << 60 else None


def failure(kind: str, error: BaseException) -> dict[str, Any]:
    """The answer for a failed request."""
    try:
        text = str(error)
    except Exception:  # an exception that cannot be converted to text
        text = "(no text)"
    text = f"{type(error).__name__}: {text[:LONGEST_ERROR]}"
    return {"ok": False, "kind": kind, "error": text.encode("utf-8", "replace").decode("utf-8")}


def read_requests(requests: queue.SimpleQueue[str]) -> None:
    """Queue lines of stdin; at its end, end this process and its group, if it leads one."""
    for line in sys.stdin:
        requests.put(line)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(0)


def main(worker: Any) -> None:
    """Let a worker answer requests until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)  # noqa: SIM115 - lines reach the log as they are printed
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=read_requests, args=(requests,), daemon=True).start()
    while True:
        answers.write(json.dumps(worker.answer(json.loads(requests.get()))) + "\n")


if __name__ == "__main__":
    main(Worker())
