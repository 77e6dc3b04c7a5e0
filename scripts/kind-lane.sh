#!/usr/bin/env bash
# A few scenarios on a real cluster: where a node image is (SMOKE_NODE_IMAGE, or a lab beside the project that builds one), with
# the seconds that it may take. Says in one line what ran, or why nothing did: then it ends well. Ends with 1 when a scenario did not pass.
set -euo pipefail
cd "$(dirname "$0")/.."
left=${1:-3000}
lab=${SMOKE_KINDLAB:-../shared/kindlab}
scenarios=${SMOKE_KIND_SCENARIOS:-hand-set-image cordoned-and-forgotten release-suspended subpath-escapes-after-restart}
cache=${KINDLAB_CACHE:-$HOME/.cache/kindlab}
# A lab from nothing, and what its scenarios take then.
cold=2400 warm=900

nothing() {
    echo "lanes: kind did not run ($1)"
    exit 0
}

started=
tidy() {
    target/debug/smoke clean >/dev/null 2>&1 || true
    [ -z "$started" ] || "$lab/kindlab" dockerd-down >/dev/null 2>&1 || true
}
trap tidy EXIT

if [ -z "${SMOKE_NODE_IMAGE:-}" ]; then
    [ -x "$lab/kindlab" ] || nothing "no SMOKE_NODE_IMAGE, and no lab at $lab"
    [ "$(id -u)" = 0 ] || nothing "the lab at $lab needs root"
    need=$warm
    [ -x "$cache/bin/kind" ] && [ -x "$cache/bin/flux/helm-controller" ] || need=$((cold + warm))
    [ "$left" -ge "$need" ] || nothing "$left s are left, and it takes $need"
    log=$(mktemp)
    "$lab/kindlab" build >"$log" 2>&1 || nothing "the lab's cluster was not built: $(tail -n 1 "$log")"
    "$lab/flux" build >"$log" 2>&1 || nothing "the lab's Flux was not built: $(tail -n 1 "$log")"
    docker version >/dev/null 2>&1 || started=1
    "$lab/kindlab" dockerd-up >"$log" 2>&1 || nothing "no container engine: $(tail -n 1 "$log")"
    export PATH=$cache/bin:$PATH
    SMOKE_NODE_IMAGE=$(docker images --format '{{.Repository}}:{{.Tag}}' kindlab/node | head -n 1)
    [ -n "$SMOKE_NODE_IMAGE" ] || nothing "the lab has no node image"
    export SMOKE_NODE_IMAGE
fi
docker version >/dev/null 2>&1 || nothing "no container engine answers"
command -v "${SMOKE_KIND:-kind}" >/dev/null || nothing "no kind program"

cargo build --bins --examples
scripts/programs.sh
report=${SMOKE_REPORT:-$(mktemp -d)}
code=0
# shellcheck disable=SC2086
target/debug/smoke run --world kind $scenarios --report "$report" || code=$?
ran=$(grep -c '"verdict": "passed"' "$report/report.json" || true)
echo "lanes: kind ran ${ran:-0}"
exit "$code"
