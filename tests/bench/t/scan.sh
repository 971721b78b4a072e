#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The whole sample corpus: bpfwarden scan against llvm-objdump -d of the same files in the same run, alternating.
# Prints NAME VALUE UNIT lines.
set -u
BUILD=${BUILD:-build}
W=$BUILD/bpfwarden
files=("$BUILD"/samples/flow/*.bpf.o)
[ -f "${files[0]}" ] || { echo "# the samples are not built"; exit 0; }
objdump=
for o in llvm-objdump-22 llvm-objdump-19 llvm-objdump llvm-objdump-14; do command -v $o >/dev/null && { objdump=$o; break; }; done

# The best of several runs: the machine's noise only adds.
best() {
	local b= t
	for _ in 1 2 3 4 5; do
		t=$( { TIMEFORMAT=%R; time "$@" >/dev/null 2>&1; } 2>&1 )
		if [ -z "$b" ] || awk "BEGIN{exit !($t < $b)}"; then b=$t; fi
	done
	echo "$b"
}

insns=$("$W" scan -q --format json "${files[@]}" | awk -F': ' '/"instructions"/ { gsub(",", "", $2); print $2; exit }')
scan=$(best "$W" scan -q -j 1 --format json "${files[@]}")
parallel=$(best "$W" scan -q --format json "${files[@]}")
echo "scan.objects ${#files[@]} count"
echo "scan.instructions $insns count"
echo "scan.seconds $scan s"
echo "scan.seconds_all_cpus $parallel s"
awk "BEGIN { printf \"scan.instructions_per_second %d 1/s\n\", $insns / ($scan > 0 ? $scan : 0.001) }"
if [ -n "$objdump" ]; then
	dump=$(best "$objdump" -d "${files[@]}")
	echo "objdump.seconds $dump s ($objdump -d)"
	awk "BEGIN { printf \"scan.ratio_to_objdump %.2f (smaller is faster)\n\", $scan / ($dump > 0 ? $dump : 0.001) }"
fi
if command -v python3 >/dev/null; then
	python3 - "$W" "${files[@]}" <<-'END'
		import resource, subprocess, sys
		subprocess.run([sys.argv[1], "scan", "-q", "-j", "1", "--format", "json"] + sys.argv[2:],
		               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		print("scan.peak_memory %.1f MiB" % (resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024))
	END
fi
