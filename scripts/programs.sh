#!/usr/bin/env bash
# Builds the programs that run in containers: static, so that an image needs nothing else. Prints their directory.
# ring and SQLite link statically with the gnu target as they are; other targets build in their own way.
set -euo pipefail
cd "$(dirname "$0")/.."
TARGET="${SMOKE_TARGET:-$(rustc -vV | sed -n 's/^host: //p')}"
VARIABLE="CARGO_TARGET_$(echo "$TARGET" | tr 'a-z-' 'A-Z_')_RUSTFLAGS"
export "$VARIABLE"="-C target-feature=+crt-static"
cargo build --profile image --target "$TARGET" \
  -p appliance-smoke --bin appliance-status -p fake-workloads --bin fake-workloads -p fake-network --bin fake-outside >&2
echo "${CARGO_TARGET_DIR:-$PWD/target}/$TARGET/image"
