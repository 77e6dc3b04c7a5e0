#!/usr/bin/env bash
# Builds talosctl out of its Go modules where a machine has none. usage: scripts/talosctl.sh FOLDER
set -euo pipefail
into=$(mkdir -p "$1" && cd "$1" && pwd)
version=v1.11.0
module=github.com/siderolabs/talos
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
source=$(go mod download -json "$module@$version" | sed -nE 's/^\t"Dir": "(.*)",?$/\1/p')
cp -r "$source" talos
chmod -R u+w talos
cd talos
# The module's own graph, but for a part that lies beside it in its repository, and one that its pinned version of stops at Go 1.24.
GOWORK=off go mod edit -dropreplace="$module/pkg/machinery" -require="$module/pkg/machinery@$version" \
    -require=github.com/siderolabs/go-debug@v0.6.2
CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=mod go build -tags grpcnotrace \
    -ldflags "-X $module/pkg/machinery/version.Tag=$version -X $module/pkg/machinery/gendata.VersionTag=$version" \
    -o "$into/talosctl" ./cmd/talosctl
"$into/talosctl" version --client --short
