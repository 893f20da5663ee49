#!/usr/bin/env bash
# The first thing a stranger does: clone, `npm start`. Empty npm and pnpm caches, no terminal; fails above 180 s or 3.75 bits per byte.
# Usage: scripts/check-start.sh [seconds] [bits per byte]
set -euo pipefail
limit=${1:-180} bar=${2:-3.75}
root=$(git rev-parse --show-toplevel)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone -q "$root" "$work/eit-p"
cd "$work/eit-p"
export npm_config_cache="$work/npm" npm_config_store_dir="$work/store" XDG_CACHE_HOME="$work/cache" XDG_DATA_HOME="$work/data"
start=$SECONDS
npm start 2>&1 | tee "$work/log"
took=$((SECONDS - start))
bits=$(grep -oE '"bitsPerByte":[0-9.]+|[0-9.]+ bits per byte' "$work/log" | grep -oE '[0-9]+\.[0-9]+' | tail -n 1)
samples=$(grep -ciE 'sample' "$work/log" || true)
echo "npm start took $took s (limit $limit) and ended at $bits bits per byte (bar $bar); $samples lines name samples"
[ "$took" -le "$limit" ] && [ "$samples" -ge 3 ] && node -e "process.exit($bits < $bar ? 0 : 1)"
