#!/usr/bin/env bash
# The flake hunt: runs while every core is busy with something else. Prints k of N, and keeps the output of what failed.
# usage: scripts/soak.sh [RUNS [SCENARIO...]]; each run plays every named scenario, or all of them, with a seed of its own.
set -uo pipefail
cd "$(dirname "$0")/.."
runs=${1:-100}
shift
failed=0
kept=$(mktemp -d "${TMPDIR:-/tmp}/appliance-smoke-soak.XXXXXX")
cargo build --quiet --bins || exit 3
load=()
for _ in $(seq "$(nproc)"); do
    (while :; do :; done) &
    load+=($!)
done
trap 'kill "${load[@]}" 2>/dev/null; wait 2>/dev/null' EXIT
start=$SECONDS
for n in $(seq "$runs"); do
    if target/debug/smoke run "$@" --seed "$n" --report "$kept/$n" >"$kept/$n.txt" 2>&1; then
        rm -rf "${kept:?}/$n" "$kept/$n.txt"
    else
        failed=$((failed + 1))
        echo "run $n failed: $kept/$n.txt"
    fi
done
echo "$failed of $runs runs failed under load, $((SECONDS - start)) s; seeds 1 to $runs"
[ "$failed" = 0 ]
