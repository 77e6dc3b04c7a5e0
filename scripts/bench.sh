#!/usr/bin/env bash
# Figures for docs/benchmarks.md, all from one run on one machine.
set -euo pipefail
cd "$(dirname "$0")/.."
export TIMEFORMAT='%R s wall, %U s user, %S s system'
echo "machine: $(nproc) cores, $(awk '/MemTotal/ {printf "%.0f GiB", $2/1048576}' /proc/meminfo), $(uname -sr)"
cargo build --quiet --bins --examples
cargo run --quiet -p field-clock --example jumps
# Boot of a cluster, a thousand pods Ready at speed 600 (alone, and behind a Service), an idle cluster for 20 s.
cargo run --quiet -p fake-cluster --example figures
smoke=target/debug/smoke
report=$(mktemp -d)
trap 'rm -rf "$report"' EXIT
for n in 1 2 3 4 5; do
    printf 'healthy and missing-worker-tag, run %s: ' "$n"
    time "$smoke" run healthy missing-worker-tag --report "$report/two-$n" >/dev/null 2>&1
done
for n in 1 2 3; do
    printf 'all scenarios, run %s: ' "$n"
    time "$smoke" run --report "$report/all-$n" >/dev/null 2>&1
done
jq -rs '[.[].scenarios[]] | group_by(.name)[] |
    "\(.[0].name): \([.[].durationMs] | add / length | floor) ms of \(length) runs"' "$report"/all-*/report.json
# The status service at 1,000 pods and 10,000 events, read by a load tool.
if command -v wrk >/dev/null; then bash scripts/status-load.sh; else echo "status service under load: not measured, there is no wrk"; fi
# From the API server's write to the blocker in the document, at the pace at which people live.
bash scripts/diagnosis.sh
