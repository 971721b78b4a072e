# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=sh
# For tests that run in a VM: . "$BW_LIB"

# skip REASON: the test does not apply here.
skip()
{
	echo "$*"
	exit 77
}

# fail REASON: the last line of output is what the result line shows.
fail()
{
	echo "$*"
	exit 1
}

# assert_eq WHAT GOT WANTED
assert_eq()
{
	[ "$2" = "$3" ] || fail "$1: got \"$2\", wanted \"$3\""
	echo "ok: $1 = $2"
}

# assert_ok WHAT COMMAND...: the command must succeed.
assert_ok()
{
	_what=$1
	shift
	_rc=0
	"$@" || _rc=$?
	[ "$_rc" -eq 0 ] || fail "$_what: \"$*\" ended with $_rc"
	echo "ok: $_what"
}

# assert_fails WHAT COMMAND...: the command must not succeed.
assert_fails()
{
	_what=$1
	shift
	if "$@"; then
		fail "$_what: \"$*\" succeeded"
	fi
	echo "ok: $_what"
}

# wait_for SECONDS COMMAND...: tries until the command succeeds.
wait_for()
{
	_end=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$_end" ] || return 1
		sleep 0.1
	done
}

# kernel_at_least 6.9: compares with the running kernel.
kernel_at_least()
{
	[ "$(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n 1)" = "$1" ]
}
