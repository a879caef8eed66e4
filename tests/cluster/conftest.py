"""Real clusters on the loopback: a server of SSH, and Slurm with one node.

Every part is started by hand in a folder of its own, on ports that were free, and ended by its
process at the end. Nothing of the machine's own configuration is read or changed.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

os.environ["PATH"] += os.pathsep + "/usr/sbin"  # where Debian has servers


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave these tests out unless they are asked for: tox -e cluster."""
    if "cluster" in (config.getoption("-m") or ""):
        return
    here = [item for item in items if item.path.parent == Path(__file__).parent]
    config.hook.pytest_deselected(items=here)
    items[:] = [item for item in items if item not in here]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} within {seconds:.0f} s"
        time.sleep(0.1)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing; sh tests/cluster/install.sh installs it")
    return found


@contextlib.contextmanager
def server(
    command: list[str], log: Path, environment: dict[str, str] | None = None
) -> Iterator[int]:
    """A program that stays in the foreground, until the block ends; yields its process."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        try:
            yield process.pid
        finally:
            family: list[psutil.Process] = []
            with contextlib.suppress(psutil.Error):  # it may have ended
                family = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for child in family:
                with contextlib.suppress(psutil.Error):
                    child.kill()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short name, as sockets of the system need one."""
    with tempfile.TemporaryDirectory(
        prefix="cl-", dir="/tmp", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@pytest.fixture
def sshd(place: Path) -> Iterator[dict[str, object]]:
    """A server of SSH with keys of its own; yields how it is connected to."""
    for name in ("host", "user"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)]
        subprocess.run([program("ssh-keygen"), *words[1:]], check=True)
    (place / "authorized").write_text((place / "user.pub").read_text())
    port = free_port()
    host_key = " ".join((place / "host.pub").read_text().split()[:2])
    (place / "known").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    path = os.environ.get("PYTHONPATH")
    lines = [
        f"Port {port}", "ListenAddress 127.0.0.1", f"HostKey {place}/host", "UsePAM no",
        f"AuthorizedKeysFile {place}/authorized", "StrictModes no", "PidFile none",
        "PasswordAuthentication no", "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password", *([f"SetEnv PYTHONPATH={path}"] if path else []),
    ]  # fmt: skip
    (place / "sshd_config").write_text("\n".join(lines) + "\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # its empty room, which the service makes at boot
    with server(
        [program("sshd"), "-D", "-e", "-f", str(place / "sshd_config")], place / "sshd.log"
    ):
        wait_for(lambda: answers(port), "sshd answers")
        yield {
            "port": port,
            "username": getpass.getuser(),
            "client_keys": [str(place / "user")],
            "known_hosts": str(place / "known"),
        }


SLURM = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={place}/munge.socket
CredType=cred/munge
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
SchedulerParameters=sched_interval=1
MinJobAge=2
KillWait=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory={memory} State=UNKNOWN
PartitionName=short Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=YES:8
"""


@pytest.fixture
def slurm(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Slurm with one node of two processors; yields the folder of its logs."""
    host = socket.gethostname().partition(".")[0]
    memory = int(psutil.virtual_memory().total / 2**20 * 0.9)
    for name in ("state", "spool", "munge"):
        (place / name).mkdir(mode=0o700)
    place.chmod(0o755)
    (place / "munge" / "key").write_bytes(os.urandom(1024))
    (place / "munge" / "key").chmod(0o400)
    config = place / "slurm.conf"
    config.write_text(
        SLURM.format(
            host=host, controller=free_port(), node=free_port(), user=getpass.getuser(),
            place=place, memory=memory,
        )
    )  # fmt: skip
    monkeypatch.setenv("SLURM_CONF", str(config))
    environment = {**os.environ, "SLURM_CONF": str(config)}
    munged = [
        program("munged"), "--foreground", "--force", f"--socket={place}/munge.socket",
        f"--key-file={place}/munge/key", f"--log-file={place}/munge/log",
        f"--pid-file={place}/munge/pid", f"--seed-file={place}/munge/seed",
    ]  # fmt: skip
    with contextlib.ExitStack() as stack:
        stack.enter_context(server(munged, place / "munged.log"))
        wait_for(lambda: (place / "munge.socket").exists(), "munged listens")
        for name, words in (("slurmctld", ["-D", "-c"]), ("slurmd", ["-D", "-c", "-N", host])):
            command = [program(name), *words, "-f", str(config)]
            stack.enter_context(server(command, place / f"{name}.log", environment))
        wait_for(lambda: "idle" in ask("sinfo", "-h", "-o", "%T"), "the node is idle", 120)
        yield place


def ask(*words: str) -> str:
    """What a program of Slurm prints."""
    done = subprocess.run([program(words[0]), *words[1:]], capture_output=True, text=True)
    return done.stdout + done.stderr
