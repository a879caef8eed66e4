#!/bin/sh
# What the cluster tests need beside Python: a server of SSH and Slurm (Debian, Ubuntu).
# Nothing is started, and nothing that the packages bring is configured.
set -eu
if ! command -v apt-get >/dev/null; then
    echo "Install sshd, ssh-keygen, munged, slurmctld, slurmd and sbatch." >&2
    exit 1
fi
PATH=$PATH:/usr/sbin
for program in sshd ssh-keygen munged slurmctld slurmd sbatch; do
    command -v "$program" >/dev/null && continue
    SUDO=$([ "$(id -u)" = 0 ] || echo sudo)
    POLICY=/usr/sbin/policy-rc.d
    if [ ! -e "$POLICY" ]; then # Debian starts a service as it is installed, unless told not to
        printf '#!/bin/sh\nexit 101\n' | $SUDO tee "$POLICY" >/dev/null
        $SUDO chmod +x "$POLICY"
        trap '$SUDO rm -f "$POLICY"' EXIT
    fi
    $SUDO apt-get update -qq
    $SUDO apt-get install -y -qq --no-install-recommends openssh-server openssh-client slurm-wlm munge
    break
done
