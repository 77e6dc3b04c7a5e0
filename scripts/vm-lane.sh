#!/usr/bin/env bash
# The mechanics of virtual machines, with a real kernel under a real QEMU. Installs what it needs (QEMU; a kernel, a firmware and a busybox of Debian's, which it only unpacks), runs
# `cargo test -p smoke-vm --test mechanics`, and says in one line what ran, or why nothing did: then it ends well. Ends with 1 when a test failed.
# `vm-lane.sh prepare` only installs. SMOKE_VM_LAB is where the kernel lies.
set -euo pipefail
cd "$(dirname "$0")/.."
lab=${SMOKE_VM_LAB:-$HOME/.cache/appliance-smoke/vm}
# What the guest's first root loads, in this order.
modules="virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net virtio_blk virtio_balloon button evdev"

nothing() {
    echo "lanes: vm did not run ($1)"
    exit 0
}

quietly() { # COMMAND...: without its words unless it fails
    local log
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then rm -f "$log"; else
        tail -n 3 "$log" >&2
        rm -f "$log"
        return 1
    fi
}

install() { # PACKAGE...
    command -v apt-get >/dev/null || nothing "no $1, and no apt-get to install it with"
    [ "$(id -u)" = 0 ] || nothing "no $1, and only root can install it: apt-get install $*"
    quietly apt-get update || true
    quietly apt-get install -y --no-install-recommends "$@" || nothing "could not install $*"
}

unpack() { # PACKAGE DIRECTORY: fetches a package of Debian's and unpacks it; nothing of it is installed
    (cd "$2" && quietly apt-get -o APT::Sandbox::User=root download "$1") || nothing "could not fetch $1"
    dpkg-deb -x "$2/$1"_*.deb "$2"
}

fill() { # makes the lab, if it is not whole
    # A lab that was made before a module was needed is made again.
    [ -e "$lab/vmlinuz" ] && [ -e "$lab/firmware-variables.fd" ] && [ "$(find "$lab/modules" -name '*.ko' | wc -l)" = "$(wc -w <<<"$modules")" ] && return
    command -v apt-get >/dev/null || nothing "no kernel in $lab, and no apt-get to fetch one with"
    local work package module number=10 found
    work=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    apt-cache show linux-image-cloud-amd64 >/dev/null 2>&1 || quietly apt-get update || true
    package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -nE 's/^ *Depends: (linux-image-[^ ]+)$/\1/p' | head -n 1)
    [ -n "$package" ] || nothing "no package linux-image-cloud-amd64 is known here"
    unpack "$package" "$work"
    unpack busybox-static "$work"
    unpack ovmf "$work"
    rm -rf "$lab/modules" && mkdir -p "$lab/modules"
    for module in $modules; do
        found=$(find "$work/lib" -name "$module.ko")
        [ -n "$found" ] || nothing "$package has no module $module"
        cp "$found" "$lab/modules/$number-$module.ko"
        number=$((number + 1))
    done
    cp "$work/bin/busybox" "$lab/busybox"
    cp "$work/usr/share/OVMF/OVMF_CODE_4M.fd" "$lab/firmware-code.fd"
    cp "$work/usr/share/OVMF/OVMF_VARS_4M.fd" "$lab/firmware-variables.fd"
    # Last: by it the lab is known to be whole.
    cp "$work"/boot/vmlinuz-* "$lab/vmlinuz.part"
    mv "$lab/vmlinuz.part" "$lab/vmlinuz"
}

[ "$(uname -m)" = x86_64 ] || nothing "the tests' kernel is for x86-64, and this machine is $(uname -m)"
needed=
command -v qemu-system-x86_64 >/dev/null || needed="$needed qemu-system-x86"
command -v qemu-img >/dev/null || needed="$needed qemu-utils"
# shellcheck disable=SC2086
[ -z "$needed" ] || install $needed
fill
[ "${1:-}" != prepare ] || exit 0

export SMOKE_VM_LAB=$lab
log=$(mktemp)
trap 'rm -f "$log"' EXIT
code=0
cargo test -p smoke-vm --test mechanics 2>&1 | tee "$log" || code=$?
# The tests say themselves how many ran.
grep -q '^lanes: vm ' "$log" || echo "lanes: vm did not run (its tests were not built)"
exit "$code"
