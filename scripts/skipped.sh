#!/usr/bin/env bash
# Says which tests of real parts `make test` could not run here, and what installs them.
command -v dockerd >/dev/null 2>&1 || echo "skipped: tests against a real Docker Engine (dockerd is missing; make test-deps installs it)"
[ "$(id -u)" = 0 ] || echo "skipped: tests that need root (a private dockerd, a full disk)"
{ python3 -c 'import requests' || /usr/bin/python3 -c 'import requests'; } >/dev/null 2>&1 || echo "skipped: tests with the community's Python clients (python3-requests is missing; make test-deps installs it)"
[ -d "${PHALOPS_POLKADOTJS:-${XDG_CACHE_HOME:-$HOME/.cache}/phalops/polkadotjs}/node_modules" ] || echo "skipped: polkadot-js against the simulated node (it is missing; make test-deps installs it)"
exit 0
