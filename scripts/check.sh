#!/usr/bin/env bash
# All that must hold before a change is shared: formatting, lints, documentation, and the commands of the README,
# taken from the README itself so that they cannot be wrong.
#
#   scripts/check.sh          everything quick
#   scripts/check.sh --long   also what takes minutes: learned scores against reference values, notebooks, ranks under
#                             MPI, fuzzing, sanitizers, and a sweep on a Slurm of this machine, which root installs and
#                             starts
set -euo pipefail
cd "$(dirname "$0")/.."

long=no
case "${1:-}" in
    "") ;;
    --long) long=yes ;;
    *) echo "usage: scripts/check.sh [--long]" >&2; exit 2 ;;
esac

# The first command line of the README's code block that follows the marker <!-- NAME -->.
readme_command() {
    awk -v marker="<!-- $1 -->" '$0 == marker { found = 1; next } found && /^```/ { inside = !inside; next } found && inside { print; exit }' README.md
}

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

# Whether the top level holds just these, besides dot-files.
top_level() {
    local names="CHANGELOG.md Cargo.lock Cargo.toml LICENSE README.md examples scripts src stdlib tests"
    diff <(tr ' ' '\n' <<< "$names") <(git ls-files | cut -d / -f 1 | grep -v '^\.' | LC_ALL=C sort -u)
}

# The files whose `unsafe` touches memory, alone, with an eye on every access and on what threads hand over.
sanitized() {
    rustc +nightly --version > /dev/null 2>&1 || { echo "left out: there is no nightly compiler"; return; }
    mkdir -p target/sanitized
    local sanitizer
    for sanitizer in address thread; do
        rustc +nightly --edition 2024 --test -g -O -A dead_code -Z "sanitizer=$sanitizer" -C unsafe-allow-abi-mismatch=sanitizer \
            tests/sanitized/alone.rs -o "target/sanitized/$sanitizer"
        TSAN_OPTIONS=suppressions=tests/sanitized/thread.txt "target/sanitized/$sanitizer"
    done
}

# A minute of each target of `tests/fuzz/` with libFuzzer. What is found without it, `tests/corpus.rs` finds.
fuzzed() {
    cargo +nightly fuzz --version > /dev/null 2>&1 || { echo "left out: there is no cargo-fuzz for a nightly compiler"; return; }
    cp Cargo.lock tests/fuzz/
    local target found
    for target in $(cargo +nightly fuzz list --fuzz-dir tests/fuzz); do
        found=target/fuzz/found/$target
        mkdir -p "$found"
        cargo +nightly fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz "$target" "$found" "tests/fuzz/corpus/$target" \
            -- -max_total_time=60 -timeout=30 -rss_limit_mb=4096 -max_len=4096
    done
}

run_command=$(readme_command run)
test_command=$(readme_command test)
[ -n "$run_command" ] && [ -n "$test_command" ] || { echo "README.md has lost its commands" >&2; exit 1; }

step top_level
step cargo fmt --check
step cargo clippy --release --all-targets -- -D warnings
step env RUSTDOCFLAGS="-D warnings" cargo doc --release --no-deps --quiet
step bash -c "$test_command"
step bash -c "$run_command"
if [ "$long" = yes ]; then
    step cargo test --release -- --ignored
    step cargo clippy --release --all-targets --features jupyter -- -D warnings
    # Says so where there is no Python, and none of Jupyter to be had.
    step cargo test --release --features jupyter --bin tumble --test jupyter -- --nocapture
    # Says so where there is no MPI.
    if command -v mpirun > /dev/null; then
        step cargo clippy --release --all-targets --features mpi -- -D warnings
        step cargo test --release --features mpi --bin tumble --test mpi -- --nocapture
    else
        printf '\nthere is no mpirun: what ranks do under MPI was not tested\n'
    fi
    if command -v cargo-deny > /dev/null; then
        step cargo deny check licenses bans sources
    else
        printf '\ncargo-deny is not installed: licences and sources of dependencies were not checked\n'
    fi
    # Other random cases than everybody's, and twenty times as many.
    step env TUMBLE_CASES=20 PROPTEST_RNG_SEED="$RANDOM" cargo test --release --lib
    step sanitized
    step fuzzed
fi
printf '\nAll is well.\n'
