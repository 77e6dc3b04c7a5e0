#!/usr/bin/env bash
# The flake hunt: scenarios of the catalogue at random, while every core is busy with something else.
# usage: scripts/soak.sh [RUNS [SCENARIO...]]; so many scenarios, drawn from those that are named, or from all.
# A line of JSON for each goes to SOAK_RESULTS (docs/soak/<commit>.jsonl where that is not set), with the seed that plays it
# again. Prints k of N and the upper bound of the share that fails, with 95 % confidence. SOAK_SEED draws others; SOAK_BATCH
# is how many scenarios share one run and its controls.
set -uo pipefail
cd "$(dirname "$0")/.."
runs=${1:-1000}
shift
names=("$@")
first=${SOAK_SEED:-1}
batch=${SOAK_BATCH:-20}
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
results=${SOAK_RESULTS:-docs/soak/$commit.jsonl}
mkdir -p "$(dirname "$results")"
: >"$results"
kept=$(mktemp -d "${TMPDIR:-/tmp}/appliance-smoke-soak.XXXXXX")
cargo build --quiet --bins --examples || exit 3
if [ ${#names[@]} = 0 ]; then
    mapfile -t names < <(target/debug/smoke list --json | jq -r '.scenarios[].name')
fi
load=()
for _ in $(seq "$(nproc)"); do
    (while :; do :; done) &
    load+=($!)
done
trap 'kill "${load[@]}" 2>/dev/null; wait 2>/dev/null' EXIT

# So many of the names, drawn by a seed; more than there are come again.
draw() {
    printf '%s\n' "${names[@]}" | awk -v seed="$1" '
        BEGIN { srand(seed) }
        { print rand() "\t" $0 }' | sort -k1,1g | head -n "$2" | cut -f2
}

# The share p at which so few failures have a chance of 5 %: Clopper and Pearson's bound, one-sided.
bound() {
    awk -v k="$1" -v n="$2" '
        function tail(p,  i, term, sum) {
            if (p >= 1) return 0
            term = n * log(1 - p); sum = exp(term)
            for (i = 1; i <= k; i++) { term += log((n - i + 1) / i * p / (1 - p)); sum += exp(term) }
            return sum
        }
        BEGIN {
            if (n == 0 || k >= n) { print "100.000"; exit }
            low = 0; high = 1
            for (step = 0; step < 60; step++) {
                p = (low + high) / 2
                if (tail(p) > 0.05) low = p; else high = p
            }
            printf "%.3f\n", 100 * high
        }'
}

start=$SECONDS
seed=$first
done_so_far=0
while [ "$done_so_far" -lt "$runs" ]; do
    count=$((runs - done_so_far < batch ? runs - done_so_far : batch))
    mapfile -t drawn < <(draw "$seed" "$count")
    report=$kept/$seed
    target/debug/smoke run "${drawn[@]}" --seed "$seed" --report "$report" >"$report.txt" 2>&1
    code=$?
    if [ ! -f "$report/report.json" ]; then
        echo "seed $seed: no report, exit code $code: $report.txt"
        jq -nc --arg commit "$commit" --argjson seed "$seed" --argjson code "$code" \
            '{commit: $commit, seed: $seed, scenario: null, verdict: "no report", exitCode: $code}' >>"$results"
        done_so_far=$((done_so_far + count))
    else
        jq -c --arg commit "$commit" '.seed as $seed | .scenarios[] | select(.verdict != "skipped") |
            {commit: $commit, seed: $seed, scenario: .name, verdict, durationMs, fieldMs} +
            (if .verdict == "passed" then {} else {reason, failures: [.failures[].message]} end)' \
            "$report/report.json" >>"$results"
        ran=$(jq '[.scenarios[] | select(.verdict != "skipped")] | length' "$report/report.json")
        [ "$ran" -gt 0 ] || { echo "seed $seed: everything was skipped"; exit 4; }
        done_so_far=$((done_so_far + ran))
    fi
    if [ "$code" = 0 ]; then
        rm -rf "${report:?}" "$report.txt"
    else
        echo "seed $seed: exit code $code: $report.txt"
    fi
    seed=$((seed + 1))
done
total=$(wc -l <"$results")
failed=$(jq -c 'select(.verdict != "passed")' "$results" | wc -l)
echo "$failed of $total scenarios failed under load in $((SECONDS - start)) s, seeds $first to $((seed - 1)), at $commit;" \
    "with 95 % confidence at most $(bound "$failed" "$total") % fail"
echo "results: $results"
[ "$failed" = 0 ]
