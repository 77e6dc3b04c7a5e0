#!/usr/bin/env bash
# The status service at 1,000 pods and 10,000 events, alone on core 0, read by wrk (apt-get install wrk) from core 1, where the
# cluster is too. usage: scripts/status-load.sh [PODS EVENTS SECONDS].
set -euo pipefail
cd "$(dirname "$0")/.."
for program in wrk taskset; do
    command -v "$program" >/dev/null || { echo "status-load: there is no $program on the path" >&2; exit 3; }
done
cargo build --quiet --bins --examples
home=$(mktemp -d)
said=$home/said
SMOKE_RUN_DIR=$home/worlds taskset -c 1 target/debug/smoke run healthy --keep always --report "$home/report" >/dev/null 2>"$said" &
world=$!
trap 'kill -INT "$world" 2>/dev/null; wait "$world" 2>/dev/null; rm -rf "$home"' EXIT
until grep -q 'Waiting' "$said"; do
    kill -0 "$world" 2>/dev/null || { cat "$said" >&2; exit 3; }
    sleep 0.1
done
kubeconfig=$(sed -n 's/^export KUBECONFIG=//p' "$said")
taskset -c 1 target/debug/examples/status_load "$kubeconfig" target/debug/appliance-status "$@"
