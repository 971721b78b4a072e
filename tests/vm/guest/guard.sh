# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=sh
# For tests of the guard in a VM: . "$BW_SRC/tests/vm/guest/guard.sh" (after "$BW_LIB").
# Works in the test's own folder: policy.json, ev.jsonl (the guard's output), guard.log.

BPFWARDEN=$BW_SRC/build/bpfwarden
BPFWARDEND=$BW_SRC/build/bpfwardend
BWLOAD=$BW_SRC/build/tools/bwload

# deny_all FILE [PROGRAMS [RULES]]: a policy with every default "deny"; the rest are JSON texts without the brackets.
# INERT is the longest program that may count as inert.
INERT=64
deny_all()
{
	cat >"$1" <<X
{"version": 1,
 "exempt": {"init": true, "inert": {"enabled": true, "max_instructions": $INERT}},
 "defaults": {"tracing": "deny", "networking": "deny", "cgroup": "deny", "lsm": "deny", "socket_filter": "deny", "other": "deny"},
 "programs": [$2],
 "rules": [$3]}
X
}

# allow_all FILE [ATTACH]: a policy that lets every load through; ATTACH are rules about attaching.
allow_all()
{
	_attach=
	[ -z "$2" ] || _attach=", \"attach\": [$2]"
	cat >"$1" <<X
{"version": 1,
 "exempt": {"init": true, "inert": {"enabled": false, "max_instructions": 64}},
 "defaults": {"tracing": "allow", "networking": "allow", "cgroup": "allow", "lsm": "allow", "socket_filter": "allow", "other": "allow"},
 "programs": [], "rules": []$_attach}
X
}

guard_up()
{
	"$BPFWARDEN" status --socket "$PWD/guard.sock"
}

# guard_start MODE [OPTION...]
guard_start()
{
	_mode=$1
	shift
	"$BPFWARDEND" --foreground --mode "$_mode" --policy "$PWD/policy.json" --state-dir "$PWD/state" \
		--socket "$PWD/guard.sock" --verbose "$@" >>ev.jsonl 2>>guard.log &
	GUARD=$!
	wait_for 300 guard_up || {
		tail -n 60 guard.log
		fail "the guard did not come up: $(tail -n 1 guard.log)"
	}
	echo "ok: guard is up: $(grep -o 'bpfwardend [0-9.]*: .*' guard.log | tail -n 1)"
}

# guard_stop: ends the guard in order and takes its programs out of the kernel.
guard_stop()
{
	kill "$GUARD"
	wait "$GUARD"
	_rc=$?
	"$BPFWARDEND" --disarm 2>/dev/null
	[ "$_rc" -eq 0 ] || fail "the guard ended with $_rc: $(tail -n 1 guard.log)"
}

# predicted OBJECT PROGRAM COLUMN: type, digest, sha1 or sha256 (tags) from build/predict for this kernel.
predicted()
{
	case $3 in
	type) _col=3 ;;
	digest) _col=4 ;;
	sha1) _col=5 ;;
	sha256) _col=6 ;;
	esac
	awk -F '\t' -v o="$1" -v n="$2" -v c="$_col" '$1 == o && $2 == n { print $c; exit }' "$BW_SRC/build/predict/$BW_KERNEL.tsv"
}

# identities OBJECT PROGRAM INSTRUCTIONS: the members of a policy entry that name the program, for any kernel.
identities()
{
	echo "\"type\": \"$(predicted "$1" "$2" type)\", \"digests\": [\"$(predicted "$1" "$2" digest)\"], \"tags\": [{\"tag\": \"$(predicted "$1" "$2" sha1)\", \"instructions\": $3}]"
}

# policy_swap: makes the running guard read policy.json again.
policy_swap()
{
	_before=$(status_field policy_generation)
	kill -HUP "$GUARD"
	wait_for 10 generation_is_not "$_before" || fail "the policy was not swapped: $(tail -n 1 guard.log)"
}

generation_is_not()
{
	[ "$(status_field policy_generation)" != "$1" ]
}

# field KEY: the values of a member of the flat JSON lines on standard input, one per line; strings without quotes.
field()
{
	sed -n "s/.*\"$1\":\\(\"\\([^\"]*\\)\"\\|\\(\\[[^]]*\\]\\)\\|\\([^,}\"]*\\)\\).*/\\2\\3\\4/p"
}

# loads NAME: the load events of programs with that name, in order.
loads()
{
	grep '"kind":"load"' ev.jsonl | grep "\"prog_name\":\"$1\""
}

# alerts NAME: those of them that are alerts: high or critical.
alerts()
{
	loads "$1" | grep -E '"severity":"(high|critical)"'
}

count()
{
	grep -c ''
}

# status_field KEY: a number or word of the running guard's status.
status_field()
{
	"$BPFWARDEN" status --socket "$PWD/guard.sock" --format json | field "$1"
}

# settle: until the guard has read all that the kernel has reported.
settle()
{
	wait_for 30 settled || fail "the guard received $(status_field received) of $(status_field emitted) records"
}

settled()
{
	"$BPFWARDEN" status --socket "$PWD/guard.sock" --format json >status.json || return 1
	[ "$(field received <status.json)" = "$(field emitted <status.json)" ]
}

# entries_from_events COMM LOADER [FILE]: approvals of all that a loader was or would have been refused, as the guard reported it.
entries_from_events()
{
	grep '"kind":"load"' "${3:-ev.jsonl}" | grep "\"loader_comm\":\"$1\"" | grep -E '"action":"(denied|would-deny)"' |
		while read -r _e; do
			_attach=$(echo "$_e" | field attach_type)
			_digest=$(echo "$_e" | field digest)
			_tag=$(echo "$_e" | field tag)
			[ -z "$_digest" ] || _id="\"digests\": [\"$_digest\"]"
			[ -n "$_digest" ] || _id=
			# Before 6.9 the tag is what counts; the digest is asked for beside it.
			[ -z "$_tag" ] ||
				_id="${_id:+$_id, }\"tags\": [{\"tag\": \"$_tag\", \"instructions\": $(echo "$_e" | field insn_cnt)}]"
			echo "\"type\": \"$(echo "$_e" | field prog_type)\", ${_attach:+\"attach_type\": \"$_attach\", }$_id," \
				"\"loaders\": [{\"path\": \"$2\"}]}"
		done | sort -u | awk '{ printf "%s{\"id\": \"event-%d\", %s", (NR > 1 ? ",\n" : ""), NR, $0 }'
}

# policy_from_events COMM LOADER: a policy that denies everything but that; the guard takes it.
policy_from_events()
{
	deny_all policy.json "$(entries_from_events "$@")"
	_before=$(status_field policy_generation)
	kill -HUP "$GUARD"
	wait_for 30 policy_taken || fail "the policy was not taken: $(tail -n 2 guard.log)"
}

policy_taken()
{
	[ "$(status_field policy_generation)" != "$_before" ]
}
