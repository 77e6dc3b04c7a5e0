#!/usr/bin/env bash
# A few scenarios on a real machine under QEMU: from a folder that machines boot from (SMOKE_TALOS_IMAGE, or a lab beside the project that builds one), with the seconds that it may take.
# Says in one line what ran, or why nothing did: then it ends well. Ends with 1 when a scenario failed.
set -euo pipefail
cd "$(dirname "$0")/.."
left=${1:-3000}
lab=${SMOKE_TALOSLAB:-../shared/taloslab}
scenarios=${SMOKE_TALOS_SCENARIOS:-credentials-of-another-site disk-image-registry-unreachable disk-image-resolver-refuses}
cache=$HOME/.cache/appliance-smoke/talos-lab
# A lab from nothing, and what its scenarios take then; interpreted, on a host with nothing else to do, they take 5 minutes.
cold=1200 warm=600

nothing() {
    echo "lanes: talos did not run ($1)"
    exit 0
}

if [ -z "${SMOKE_TALOS_IMAGE:-}" ]; then
    [ -x "$lab/build.sh" ] || nothing "no SMOKE_TALOS_IMAGE, and no lab at $lab"
    [ "$(id -u)" = 0 ] || nothing "the lab at $lab needs root"
    need=$warm
    [ -e "$cache/initramfs.zst" ] || need=$((cold + warm))
    [ "$left" -ge "$need" ] || nothing "$left s are left, and it takes $need"
    if [ ! -e "$cache/initramfs.zst" ]; then
        log=$(mktemp)
        packages="jq mmdebstrap squashfs-tools cpio zstd kmod busybox-static fdisk qemu-system-x86 qemu-utils"
        # shellcheck disable=SC2086
        apt-get install -y --no-install-recommends $packages >"$log" 2>&1 || nothing "the lab's packages were not installed: $(tail -n 1 "$log")"
        timeout "$cold" "$lab/build.sh" "$cache.new" >"$log" 2>&1 || nothing "the lab was not built: $(tail -n 1 "$log")"
        rm -rf "$cache" && mv "$cache.new" "$cache"
    fi
    cp scripts/talos-lab.yaml "$cache/patch.yaml"
    # Programs of a lab's cluster beside it: the images of a node and its cluster, where they were built.
    binaries=${KINDLAB_CACHE:-$HOME/.cache/kindlab}/bin
    if [ ! "$cache/images" -nt scripts/talos-images.sh ] && [ -x "$binaries/node/pause" ]; then
        rm -rf "$cache/images"
        scripts/talos-images.sh "$binaries/node:$binaries/flux" "$cache/bin/talosctl" "$cache/images" >/dev/null || nothing "a node's images were not made"
    fi
    export SMOKE_TALOS_IMAGE=$cache
fi
command -v qemu-img >/dev/null || nothing "no qemu-img"

cargo build --bins --examples
trap 'target/debug/smoke clean >/dev/null 2>&1 || true' EXIT
report=${SMOKE_REPORT:-$(mktemp -d)}
code=0
# shellcheck disable=SC2086
target/debug/smoke run --world talos $scenarios --report "$report" || code=$?
ran=$(grep -c '"verdict": "passed"' "$report/report.json" || true)
if [ "${ran:-0}" = 0 ] && [ "$code" != 1 ]; then
    nothing "$(grep -m 1 '"reason":' "$report/report.json" | cut -c1-200 || echo "no scenario could be played")"
fi
echo "lanes: talos ran ${ran:-0}"
# A host that is too busy for a machine is not the appliance's fault; a scenario that failed is.
[ "$code" != 1 ]
