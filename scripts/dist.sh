#!/usr/bin/env bash
# Static binaries for both architectures, with checksums, in dist/.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:?usage: dist.sh VERSION}
mkdir -p dist
for arch in amd64 arm64; do
  CGO_ENABLED=0 GOOS=linux GOARCH=$arch go build -trimpath -ldflags "-s -w -X main.version=$version" -o "dist/phalops-$version-linux-$arch" ./cmd/phalops
done
(cd dist && sha256sum phalops-"$version"-linux-* > "phalops-$version-sha256sums.txt" && cat "phalops-$version-sha256sums.txt")
