// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* For the object reader's golden test: the shape of an eBPF for Windows object. clang 14, -g. */
#define SEC(name) __attribute__((section(name), used))

struct _ebpf_map_definition_in_file {
	unsigned int type, key_size, value_size, max_entries, inner_map_idx, pinning, id, inner_id;
};

typedef struct _bind_md {
	unsigned char *app_id_start, *app_id_end;
	unsigned long long process_id;
} bind_md_t;

const _Bool __ebpf_for_windows_tag SEC(".ebpf_for_windows") = 1;
struct _ebpf_map_definition_in_file SEC("maps") limits = { 2, 4, 4, 1, 0, 1, 3, 0 };

static void *(*map_lookup)(void *map, const void *key) = (void *)1;

SEC("bind") int on_bind(bind_md_t *ctx)
{
	unsigned int key = 0;
	unsigned int *v = map_lookup(&limits, &key);

	return v && ctx->process_id < *v;
}
