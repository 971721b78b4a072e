// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/flow.h"

#include <string.h>

#include "common/cleanup.h"

static const char *const source_names[] = {
	[BW_SRC_TLS_PLAINTEXT] = "tls-plaintext",
	[BW_SRC_USER_MEMORY] = "user-memory",
	[BW_SRC_SYSCALL_BUFFER] = "syscall-buffer",
	[BW_SRC_EXEC_ARGS] = "exec-args",
	[BW_SRC_KEYSTROKES] = "keystrokes",
	[BW_SRC_TTY] = "tty",
	[BW_SRC_FILE_CONTENT] = "file-content",
	[BW_SRC_FILE_NAME] = "file-name",
	[BW_SRC_PACKET_PAYLOAD] = "packet-payload",
	[BW_SRC_PACKET_HEADER] = "packet-header",
	[BW_SRC_CREDENTIALS] = "credentials",
	[BW_SRC_ENVIRONMENT] = "environment",
	[BW_SRC_DNS] = "dns",
	[BW_SRC_KERNEL_MEMORY] = "kernel-memory",
	[BW_SRC_KERNEL_POINTER] = "kernel-pointer",
	[BW_SRC_PROCESS_METADATA] = "process-metadata",
	[BW_SRC_MAP_VALUE] = "map-value",
	[BW_SRC_CONSTANT] = "constant",
};
static const char *const channel_names[] = {
	[BW_CH_RINGBUF] = "ringbuf",
	[BW_CH_PERF] = "perf",
	[BW_CH_MAP] = "map",
	[BW_CH_PINNED_MAP] = "pinned-map",
	[BW_CH_PACKET_WRITE] = "packet-write",
	[BW_CH_PACKET_REDIRECT] = "packet-redirect",
	[BW_CH_USER_WRITE] = "user-write",
	[BW_CH_FILE_WRITE] = "file-write",
	[BW_CH_TRACE_PIPE] = "trace-pipe",
	[BW_CH_RETURN_VALUE] = "return-value",
	[BW_CH_SIGNAL] = "signal",
	[BW_CH_RETURN_OVERRIDE] = "return-override",
	[BW_CH_BPF_SYSCALL] = "bpf-syscall",
};
static const char *const carrier_names[] = {
	[BW_CARRY_REGISTER] = "register",
	[BW_CARRY_STACK] = "stack",
	[BW_CARRY_MAP_VALUE] = "map-value",
	[BW_CARRY_MAP_KEY] = "map-key",
	[BW_CARRY_GLOBAL] = "global-data",
	[BW_CARRY_PERCPU] = "percpu-scratch",
	[BW_CARRY_LOCAL_STORAGE] = "local-storage",
	[BW_CARRY_RINGBUF_MEM] = "ringbuf-memory",
	[BW_CARRY_DYNPTR] = "dynptr",
	[BW_CARRY_ARENA] = "arena",
	[BW_CARRY_SUBPROG] = "subprogram",
	[BW_CARRY_CALLBACK] = "callback",
	[BW_CARRY_TAIL_CALL] = "tail-call",
	[BW_CARRY_CROSS_PROG] = "cross-program",
	[BW_CARRY_PACKET] = "packet",
};
static const char *const origin_names[] = {
	[BW_FROM_CONSTANT] = "constant",
	[BW_FROM_RODATA] = "rodata",
	[BW_FROM_MAP] = "map",
	[BW_FROM_CTX_ARG] = "context-argument",
	[BW_FROM_STORED_ARG] = "stored-argument",
	[BW_FROM_STACK_REG] = "user-stack-register",
	[BW_FROM_USER_MEMORY] = "user-memory",
	[BW_FROM_KERNEL_MEMORY] = "kernel-memory",
	[BW_FROM_PACKET] = "packet",
	[BW_FROM_HELPER] = "helper",
	[BW_FROM_UNKNOWN] = "unknown",
};
static const char *const step_names[] = {
	[BW_STEP_SOURCE] = "source",
	[BW_STEP_CARRY] = "carry",
	[BW_STEP_SINK] = "sink",
};
/* By bit number. */
static const char *const mode_names[] = { "lookup", "update", "delete", "read", "write", "iterate", "output",
					  "tail-call", "redirect", "other" };
static const char *const effect_names[] = { "event", "map-write", "user-write", "packet-write", "redirect", "override",
					    "signal", "tail-call", "resize", "return" };
static const char *const layer_names[] = { "l2", "l3", "l4", "payload", "unknown", "metadata" };

_Static_assert(ARRAY_SIZE(source_names) == BW_SRC_COUNT_, "each source has a name");
_Static_assert(ARRAY_SIZE(channel_names) == BW_CH_COUNT_, "each channel has a name");
_Static_assert(ARRAY_SIZE(carrier_names) == BW_CARRY_COUNT_, "each carrier has a name");
_Static_assert(ARRAY_SIZE(origin_names) == BW_FROM_COUNT_, "each origin has a name");

static const char *name_of(const char *const *names, size_t n, unsigned int value)
{
	return value < n ? names[value] : "?";
}

static const char *name_of_bit(const char *const *names, size_t n, unsigned int bit)
{
	return bit && !(bit & (bit - 1)) ? name_of(names, n, (unsigned int)__builtin_ctz(bit)) : "?";
}

static int id_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}

const char *bw_source_name(enum bw_source s)
{
	return name_of(source_names, ARRAY_SIZE(source_names), s);
}

const char *bw_channel_name(enum bw_channel c)
{
	return name_of(channel_names, ARRAY_SIZE(channel_names), c);
}

const char *bw_carrier_name(enum bw_carrier c)
{
	return name_of(carrier_names, ARRAY_SIZE(carrier_names), c);
}

const char *bw_origin_name(enum bw_origin o)
{
	return name_of(origin_names, ARRAY_SIZE(origin_names), o);
}

const char *bw_step_kind_name(enum bw_step_kind k)
{
	return name_of(step_names, ARRAY_SIZE(step_names), k);
}

const char *bw_map_mode_name(enum bw_map_mode m)
{
	return name_of_bit(mode_names, ARRAY_SIZE(mode_names), m);
}

const char *bw_effect_name(enum bw_effect e)
{
	return name_of_bit(effect_names, ARRAY_SIZE(effect_names), e);
}

const char *bw_layer_name(enum bw_packet_layer l)
{
	return name_of_bit(layer_names, ARRAY_SIZE(layer_names), l);
}

int bw_source_id(const char *name)
{
	return id_of(source_names, ARRAY_SIZE(source_names), name);
}

int bw_channel_id(const char *name)
{
	return id_of(channel_names, ARRAY_SIZE(channel_names), name);
}

int bw_carrier_id(const char *name)
{
	return id_of(carrier_names, ARRAY_SIZE(carrier_names), name);
}

int bw_origin_id(const char *name)
{
	return id_of(origin_names, ARRAY_SIZE(origin_names), name);
}
