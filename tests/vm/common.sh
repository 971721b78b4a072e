# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# What the host side scripts of the VM harness share. Sourced, not run.

set -euo pipefail
export LC_ALL=C

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VM_TOP=$(cd "$VM_DIR/../.." && pwd)
VM_CACHE=${BW_VM_CACHE:-${HOME:-/root}/.cache/bpfwarden/vm}
VM_KERNELS_TSV=$VM_DIR/kernels.tsv

warn()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die()
{
	warn "$*"
	exit 2
}

# Names of all kernels, in the order of kernels.tsv (oldest first).
kernel_names()
{
	awk -F '\t' '!/^#/ && NF { print $1 }' "$VM_KERNELS_TSV"
}

# kernel_field NAME COLUMN
kernel_field()
{
	awk -F '\t' -v n="$1" -v c="$2" '!/^#/ && $1 == n { print $c; found = 1 } END { exit !found }' "$VM_KERNELS_TSV"
}

# Content hash of what stdin holds.
hash_stdin()
{
	sha256sum | cut -d' ' -f1
}
