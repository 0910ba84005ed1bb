#!/bin/sh
# Installs what the tests need beside Go, through apt, as root, on Debian and Ubuntu, and one JavaScript client through npm
# into a cache folder. Safe to run again: what is there already is left alone. No service is started: the tests start
# private instances of their own.
#
#   scripts/test-deps.sh          install what is missing
#   scripts/test-deps.sh --list   print what is missing and change nothing; exit 1 when something is
set -eu
export LC_ALL=C

# One line per need: the program that shows that it is there, the package that brings it, what the tests want it for.
needs() {
	cat <<'LIST'
gcc        gcc             the race detector
libc6-dev  libc6-dev       the race detector
dockerd    docker.io       a private Docker Engine
sshd       openssh-server  a private SSH server
sudo       sudo            commands of another user
node       nodejs          polkadot-js against the simulated node
npm        npm             polkadot-js against the simulated node
python3-requests  python3-requests  the community's Python clients
LIST
}

# The JavaScript client, as its lock file pins it. The test looks in the same folder.
client=$(dirname "$0")/../internal/sim/wire/testdata/polkadotjs
modules=${PHALOPS_POLKADOTJS:-${XDG_CACHE_HOME:-$HOME/.cache}/phalops/polkadotjs}

policy=/usr/sbin/policy-rc.d
log=
ours=
cleanup() {
	[ -z "$ours" ] || rm -f "$policy"
	[ -z "$log" ] || rm -f "$log"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { echo "test-deps: $*"; }
fail() {
	say "$*" >&2
	exit 1
}

# present PROGRAM PACKAGE: a program on the path, also where only root looks, or a package without a program.
present() {
	PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 && return
	dpkg-query -W -f '${Status}' "$2" 2>/dev/null | grep -q '^install ok installed$'
}

# quietly COMMAND…: its output is shown only when it fails.
quietly() {
	"$@" >"$log" 2>&1 </dev/null && return
	cat "$log" >&2
	return 1
}

has_modules() { cmp -s "$client/package-lock.json" "$modules/package-lock.json" && [ -e "$modules/complete" ]; }

install_modules() {
	has_modules && return
	say "installing polkadot-js into $modules"
	log=${log:-$(mktemp)}
	mkdir -p "$modules"
	rm -f "$modules/complete"
	cp "$client/package.json" "$client/package-lock.json" "$modules/"
	quietly npm ci --prefix "$modules" --no-audit --no-fund --ignore-scripts || fail "cannot install polkadot-js"
	: >"$modules/complete"
}

missing=
wanted=$(needs)
while read -r program package purpose; do
	present "$program" "$package" && continue
	say "missing: $package ($purpose)"
	missing="$missing $package"
done <<LIST
$wanted
LIST
if [ "${1-}" = --list ]; then
	has_modules || say "missing: polkadot-js in $modules (the simulated node)"
	[ -z "$missing" ] && has_modules || exit 1
	say "everything is here"
	exit 0
fi
if [ -z "$missing" ]; then
	install_modules
	say "everything is here"
	exit 0
fi

[ "$(id -u)" = 0 ] || fail "must be root to install:$missing"
command -v apt-get >/dev/null || fail "this machine has no apt; install by hand:$missing"

# A package must not start its service: an own policy for the time of the installation, unless there is one that says no.
mark='# put here by test-deps.sh for the time of an installation'
if [ -e "$policy" ] && ! grep -qF "$mark" "$policy"; then
	code=0
	"$policy" test-deps start >/dev/null 2>&1 || code=$?
	[ "$code" = 101 ] || fail "$policy allows services to start; remove it for the time of the installation"
else
	ours=yes
	printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
	chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
log=$(mktemp)
say "updating the package lists"
tries=3
until quietly apt-get update -q -o DPkg::Lock::Timeout=300; do
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] || fail "apt-get update fails"
	say "apt-get update failed, trying again"
	sleep 5
done
say "installing:$missing"
# shellcheck disable=SC2086 # a list of words
quietly apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 $missing || fail "cannot install:$missing"
install_modules
say "done"
