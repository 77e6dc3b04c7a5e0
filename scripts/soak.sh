#!/usr/bin/env bash
# The flake hunt: N runs of the suite while every core is busy with something else. Prints k of N, and keeps the output of what failed.
set -uo pipefail
cd "$(dirname "$0")/.."
runs=${1:-100}
failed=0
kept=$(mktemp -d "${TMPDIR:-/tmp}/appliance-smoke-soak.XXXXXX")
cargo test --no-run --test smoke 2>/dev/null || exit 3
load=()
for _ in $(seq "$(nproc)"); do
    (while :; do :; done) &
    load+=($!)
done
trap 'kill "${load[@]}" 2>/dev/null; wait 2>/dev/null' EXIT
start=$SECONDS
for n in $(seq "$runs"); do
    if ! SMOKE_SEED=$n SMOKE_REPORT=$kept/$n cargo test -q --test smoke >"$kept/$n.txt" 2>&1; then
        failed=$((failed + 1))
        echo "run $n failed: $kept/$n.txt"
    else
        rm -rf "${kept:?}/$n" "$kept/$n.txt"
    fi
done
echo "$failed of $runs runs failed under load, $((SECONDS - start)) s; seeds 1 to $runs"
[ "$failed" = 0 ]
