// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T20: a query is changed on its way into the database driver: uprobe on a Go function, bytes from a map.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

struct override {
	char text[64];
};
HASH(queries, u64, struct override, 32);

SEC("uprobe//usr/local/bin/app:database/sql.(*DB).QueryContext")
int sql_rewrite(struct pt_regs *ctx)
{
	void *query = (void *)ctx->di;
	u64 head = 0;
	struct override *o;

	bpf_probe_read_user(&head, sizeof(head), query);
	o = bpf_map_lookup_elem(&queries, &head);
	if (o && sample_armed)
		bpf_probe_write_user(query, o->text, sizeof(o->text));
	return 0;
}
