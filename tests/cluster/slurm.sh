#!/usr/bin/env bash
# A Slurm of one node on this machine, for tests: Debian's, on the loopback, with all it keeps in one folder.
#
#   tests/cluster/slurm.sh start DIR    installs what is missing, starts it, waits until the node is idle, and writes
#                                       DIR/slurm.conf: with SLURM_CONF=DIR/slurm.conf all commands of Slurm reach it
#   tests/cluster/slurm.sh stop DIR     ends it
#
# Ends with 3 where it cannot be had: not as root, or without the packages.
set -euo pipefail

unavailable() {
    echo "no Slurm: $*" >&2
    exit 3
}

# The daemons in the order in which they are started.
daemons="munged slurmctld slurmd"

start() {
    [ "$(id -u)" = 0 ] || unavailable "its daemons are started by root"
    if ! command -v slurmctld slurmd munged > /dev/null; then
        command -v apt-get > /dev/null || unavailable "slurmctld, slurmd and munged are not installed"
        # A fresh machine has no lists of packages yet.
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q slurm-wlm munge > "$folder/apt.log" 2>&1 ||
            { apt-get update -q > /dev/null 2>&1 &&
                DEBIAN_FRONTEND=noninteractive apt-get install -y -q slurm-wlm munge > "$folder/apt.log" 2>&1; } ||
            unavailable "apt-get install slurm-wlm munge failed, see $folder/apt.log"
    fi
    local host
    host=$(hostname -s)
    mkdir -p "$folder"/{state,spool,log,munge}
    sed -e "s|HOST|$host|g" -e "s|FOLDER|$folder|g" -e "s|CPUS|$(nproc)|" "$(dirname "$0")/slurm.conf" > "$folder/slurm.conf"
    # A key and a socket of its own: whoever runs munge on this machine is left alone.
    dd if=/dev/urandom of="$folder/munge/key" bs=1024 count=1 status=none
    chmod 0400 "$folder/munge/key"
    chmod 0755 "$folder" "$folder/munge"
    munged --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munged.pid" \
        --log-file="$folder/log/munged.log" --seed-file="$folder/munge/seed"
    SLURM_CONF=$folder/slurm.conf slurmctld -c
    SLURM_CONF=$folder/slurm.conf slurmd -c
    local attempt
    for attempt in $(seq 100); do
        if SLURM_CONF=$folder/slurm.conf sinfo --noheader --format=%T 2> /dev/null | grep -q '^idle'; then
            return
        fi
        sleep 0.2
    done
    tail -n 20 "$folder"/log/*.log >&2
    stop
    unavailable "the node did not become idle"
}

stop() {
    local daemon
    for daemon in $(tac -s ' ' <<< "$daemons "); do
        [ -f "$folder/$daemon.pid" ] && kill "$(cat "$folder/$daemon.pid")" 2> /dev/null || true
    done
}

[ "$#" = 2 ] || { echo "usage: $0 start|stop DIR" >&2; exit 2; }
mkdir -p "$2"
folder=$(realpath "$2")
case "$1" in
    start) start ;;
    stop) stop ;;
    *) echo "usage: $0 start|stop DIR" >&2; exit 2 ;;
esac
