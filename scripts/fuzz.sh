#!/usr/bin/env bash
# Fuzzes every target of the tree for the given time each.
set -euo pipefail
cd "$(dirname "$0")/.."
for dir in $(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u); do
  for target in $(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/^func //' | sort -u); do
    echo "== $dir $target"
    go test -run '^$' -fuzz "^${target}\$" -fuzztime "${1:-2m}" -fuzzminimizetime 5s "./$dir"
  done
done
