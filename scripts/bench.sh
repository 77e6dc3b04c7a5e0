#!/usr/bin/env bash
# Figures for docs/benchmarks.md, all from one run on one machine.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "machine: $(nproc) cores, $(awk '/MemTotal/ {printf "%.0f GiB", $2/1048576}' /proc/meminfo), $(uname -sr)"
cargo build --quiet --bins
cargo run --quiet -p field-clock --example jumps
cargo test --quiet --no-run --test smoke
for n in 1 2 3 4 5; do
    /usr/bin/env bash -c 'time cargo test -q --test smoke' 2>&1 | awk '/^real/ {print "suite, wall: " $2}'
done
cargo run --quiet --bin smoke -- run --report target/bench-report --repeat 5 >/dev/null
jq -r '.scenarios[] | [.name, .durationMs] | @tsv' target/bench-report/report.json | sort | awk '
    {sum[$1] += $2; n[$1]++} END {for (s in sum) printf "scenario %s: mean %.0f ms of %d runs\n", s, sum[s] / n[s], n[s]}'
