#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The part of tests/vm/demo inside the VM. Fails when anything is not as it says.
# vm-needs: build/bpfwardend build/bpfwarden /usr/sbin/bpftool
# vm-files: tests/vm/guest/guard.sh build/demo/policy.json /usr/lib/x86_64-linux-gnu/bpf
# vm-cmdline: lsm=lockdown,capability,bpf
. "$BW_LIB"
. "$BW_SRC/tests/vm/guest/guard.sh"
cd /usr/lib/x86_64-linux-gnu/bpf || exit 1
mkdir /tmp/guard && cp "$BW_SRC/build/demo/policy.json" /tmp/guard/ || exit 1

say()
{
	printf '\n# %s\n' "$*"
}

# run COMMAND...: shows the command, then its output.
run()
{
	echo "\$ $*"
	"$@" >/tmp/run.out 2>&1
	_rc=$?
	grep -v '^libbpf: elf: skipping unrecognized' /tmp/run.out
	return $_rc
}

say "Start the guard in mode enforce. (It protects itself; for what comes at the end, kill -9, that is off.)"
echo '$ bpfwardend --mode enforce --policy policy.json --protect-self off &'
(cd /tmp/guard && exec bpfwardend --foreground --mode enforce --policy policy.json --protect-self off --state-dir /tmp/guard --output ev.jsonl) \
	>/tmp/guard/log 2>&1 &
GUARD=$!
wait_for 30 bpfwarden status --state-dir /tmp/guard || fail "the guard did not come up: $(tail -n 1 /tmp/guard/log)"
grep -v 'was there before' /tmp/guard/log

say "The approved object loads."
run bpftool prog load xdpfilt_dny_all.o /sys/fs/bpf/approved || fail "the approved object was refused"
run bpftool prog show pinned /sys/fs/bpf/approved | head -n 2

say "The other one is refused by the kernel, before the verifier looks at it."
echo '$ bpftool prog load xdpfilt_alw_all.o /sys/fs/bpf/unapproved'
bpftool prog load xdpfilt_alw_all.o /sys/fs/bpf/unapproved >/tmp/guard/refused 2>&1 && fail "the unapproved object was loaded"
grep -m 1 'Operation not permitted' /tmp/guard/refused || fail "refused, but not with EPERM"
[ ! -e /sys/fs/bpf/unapproved ] || fail "there is a pin"

say "The alert."
wait_for 5 grep -q '"action":"denied"' /tmp/guard/ev.jsonl || fail "no alert"
run bpfwarden events --state-dir /tmp/guard --severity high
say "The event behind it (one line of JSON, here one member per line; a few are left out)."
grep '"severity":"high"' /tmp/guard/ev.jsonl | head -n 1 | sed 's/,"\([a-z_]*\)":/,\n "\1":/g; s/^{/{\n /; s/}$/\n}/' |
	grep -vE '"(v|seq|uid|boot_id|host|cpu|cpu_seq|loader_(start|pid|mnt|user)_ns|loader_gid|loader_ppid|loader_tgid|loader_cgroup_id)"'

say "kill -9 the guard: its programs stay in the kernel and go on refusing."
kill -9 "$GUARD"
wait "$GUARD" 2>/dev/null
echo "\$ kill -9 \$(pidof bpfwardend)"
echo '$ bpftool prog load xdpfilt_alw_all.o /sys/fs/bpf/unapproved'
bpftool prog load xdpfilt_alw_all.o /sys/fs/bpf/unapproved >/tmp/guard/refused 2>&1 && fail "loaded with the guard dead"
grep -m 1 'Operation not permitted' /tmp/guard/refused || fail "refused, but not with EPERM"

say "Only disarming ends that."
run bpfwardend --disarm || fail "disarm"
run bpftool prog load xdpfilt_alw_all.o /sys/fs/bpf/unapproved || fail "disarmed, and still refused"
echo "(loaded)"
