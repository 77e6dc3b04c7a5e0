#!/bin/sh
# The operator's command for a machine: the cluster that it is called with is the one that the machine becomes.
# MACHINE TALOSCTL PROGRAM ARGUMENTS...
set -eu
MACHINE=$1 APPLIANCE_TALOSCTL=$2 program=$3
export MACHINE APPLIANCE_TALOSCTL
shift 3
left=$#
while [ "$left" -gt 0 ]; do
    argument=$1
    shift
    left=$((left - 1))
    if [ "$argument" = --kubeconfig ]; then
        cp "$1" "$MACHINE/kubeconfig"
        shift
        left=$((left - 1))
    else
        set -- "$@" "$argument"
    fi
done
exec "$program" "$@"
