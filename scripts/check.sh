#!/usr/bin/env bash
# All that must hold before a change is shared: formatting, lints, documentation, and the commands of the README,
# taken from the README itself so that they cannot be wrong.
#
#   scripts/check.sh          everything quick
#   scripts/check.sh --long   also the tests that take minutes (learned scores against reference values)
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
    if command -v cargo-deny > /dev/null; then
        step cargo deny check licenses bans sources
    else
        printf '\ncargo-deny is not installed: licences and sources of dependencies were not checked\n'
    fi
    # Other random cases than everybody's, and twenty times as many.
    step env TUMBLE_CASES=20 PROPTEST_RNG_SEED="$RANDOM" cargo test --release --lib
fi
printf '\nAll is well.\n'
