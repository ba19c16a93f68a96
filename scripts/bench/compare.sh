#!/usr/bin/env bash
# tumble against JAX, PyTorch and Numba on the reference jobs, taken in turns since machines drift: describes the
# machine and prints a table in Markdown.
#
#   scripts/bench/compare.sh                     five rounds on two threads, five on one
#   scripts/bench/compare.sh --rounds 1 --threads "2"
#   scripts/bench/compare.sh --venv DIR          Python with the packages of requirements.txt; made where it does not
#                                                exist (default: target/bench-venv)
#   scripts/bench/compare.sh --write             also puts the table into RESULTS.md
#   scripts/bench/compare.sh --jobs "train_mlp"  only these
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=5 threads="2 1" venv="${TUMBLE_BENCH_VENV:-target/bench-venv}" write=no
jobs="train_mlp sample_exact sample_mlp simulate ising train_unet forward_unet start"
while [ $# -gt 0 ]; do
    case "$1" in
        --rounds) rounds=$2; shift ;;
        --threads) threads=$2; shift ;;
        --jobs) jobs=$2; shift ;;
        --venv) venv=$2; shift ;;
        --write) write=yes ;;
        *) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
    esac
    shift
done

if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement scripts/bench/requirements.txt
fi
python="$venv/bin/python"
cargo build --release --quiet
tumble="${CARGO_TARGET_DIR:-target}/release/tumble"

lines=$(mktemp -d)
trap 'rm -rf "$lines"' EXIT
for round in $(seq "$rounds"); do
    for count in $threads; do
        for job in $jobs; do
            # A new process starts as fast on any number of threads.
            [ "$job" = start ] && [ "$count" != "${threads%% *}" ] && continue
            echo "round $round of $rounds, $count threads: $job" >&2
            "$tumble" --threads "$count" --quiet bench "$job" >> "$lines/$count-$round.jsonl"
            "$python" scripts/bench/peers.py --threads "$count" "$job" >> "$lines/$count-$round.jsonl"
        done
    done
done

describe() {
    local cpu cores flags
    cpu=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
    cores=$(getconf _NPROCESSORS_ONLN)
    flags=$(grep -m 1 -oE '\b(avx2|fma|avx512f|avx512dq|amx_tile)\b' /proc/cpuinfo 2>/dev/null | sort -u | tr '\n' ' ' || true)
    # The bare "Intel Xeon Processor" of virtual machines says less than family and model.
    local family model
    family=$(sed -n 's/^cpu family[[:space:]]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
    model=$(sed -n 's/^model[[:space:]]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
    echo "Machine: ${cpu:-$(uname -m)} (family ${family:-?}, model ${model:-?}), $cores cores, $(uname -sm); ${flags:-no flags known}."
    echo "Versions: $("$tumble" --version), commit $(git rev-parse --short HEAD), $(rustc --version);" \
        "$("$python" --version), $("$python" -m pip freeze 2>/dev/null | grep -E '^(jax|jaxlib|torch|numpy|optax|numba)==' | tr '\n' ' ')"
    echo "Load when it ended: $(cut -d ' ' -f 1-3 /proc/loadavg 2>/dev/null || echo unknown)."
    echo
}

{
    describe
    "$python" scripts/bench/table.py "$lines"
} | tee "$lines/table.md"

if [ "$write" = yes ]; then
    results=scripts/bench/RESULTS.md
    awk -v table="$lines/table.md" '
        /^<!-- table: begin/ { print; print ""; while ((getline line < table) > 0) print line; print ""; skip = 1; next }
        /^<!-- table: end/ { skip = 0 }
        !skip { print }
    ' "$results" > "$lines/results.md"
    cp "$lines/results.md" "$results"
fi
