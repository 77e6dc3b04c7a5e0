#!/usr/bin/env bash
# Time to diagnosis: field time goes with the machine's from the write that completes the evidence until the blocker is named.
# usage: scripts/diagnosis.sh [SCENARIO...]; the whole catalogue where none is named. DIAGNOSIS_REPEAT is how often each is
# played, with a seed of its own; DIAGNOSIS_JOBS how many worlds run at once, which mostly wait for graces to end.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --bins --examples
report=$(mktemp -d)
trap 'rm -rf "$report"' EXIT
target/debug/smoke run "$@" --diagnosis --jobs "${DIAGNOSIS_JOBS:-12}" --repeat "${DIAGNOSIS_REPEAT:-1}" --report "$report" >/dev/null 2>"$report/said" ||
    { cat "$report/said"; exit 1; }
jq -r '
    def rank($p): sort | .[([(length * $p / 100 | ceil), 1] | max) - 1];
    def ms: . * 10 | round / 10;
    [.scenarios[].diagnosis[] | select(.assumed | not)] as $all |
    ($all | group_by([.code, .when])[] |
        "\(.[0].code), \(.[0].when): \(length) times, grace \(.[0].graceMs / 1000) s; after the write median \([.[].tookMs] | rank(50) | ms) ms, " +
        "p99 \([.[].tookMs] | rank(99) | ms) ms; beyond the grace median \([.[].beyondGraceMs] | rank(50) | ms) ms, " +
        "p99 \([.[].beyondGraceMs] | rank(99) | ms) ms, most \([.[].beyondGraceMs] | max | ms) ms"),
    "all: \($all | length) blockers; beyond the grace median \([$all[].beyondGraceMs] | rank(50) | ms) ms, " +
        "p99 \([$all[].beyondGraceMs] | rank(99) | ms) ms, most \([$all[].beyondGraceMs] | max | ms) ms"
    ' "$report/report.json"
