#!/bin/sh
# talosctl for a machine of talos-vm.sh: APPLIANCE_TALOSCTL is this script, and what it adds to a generated configuration of a machine is the patch that TALOS_VM_PATCH names
# (mirrors, images: what the laboratory is otherwise, and what no flag of ours says). Everything else is the program's, which TALOS_VM_TALOSCTL names.
set -eu
program=${TALOS_VM_TALOSCTL:-${TALOS_LAB:?names the folder with vmlinuz, initramfs.zst and bin/talosctl}/bin/talosctl}
case "$*" in
"gen config "*"--output-types controlplane"*) [ -z "${TALOS_VM_PATCH:-}" ] || set -- "$@" --config-patch-control-plane "@$TALOS_VM_PATCH" ;;
esac
exec "$program" "$@"
