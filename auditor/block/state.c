// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The state as JSON. What is read was written by this program, and is checked as if it had not been. Pure. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/block/block.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/json_check.h"

#define MAX_VALUES 200000u

void block_state_write(const struct block_list *l, struct bw_buf *out)
{
	struct bw_json j = { .buf = out, .indent = 1 };
	char text[BLOCK_PREFIX_TEXT];

	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "version", 1);
	bw_json_u64(&j, "next_id", l->next_id);
	bw_json_open(&j, "blocks", '[');
	for (uint32_t i = 0; i < l->n; i++) {
		const struct block *b = &l->v[i];

		bw_json_open(&j, NULL, '{');
		bw_json_u64(&j, "id", b->id);
		bw_json_str(&j, "kind", block_kind_name(b->kind));
		bw_json_str(&j, "owner", b->owner);
		bw_json_str(&j, "reason", b->reason);
		bw_json_i64(&j, "created_s", b->created_s);
		bw_json_i64(&j, "expires_s", b->expires_s);
		if (b->kind == BLOCK_ADDRESS) {
			block_prefix_text(&b->address, text);
			bw_json_str(&j, "address", text);
		}
		if (b->kind == BLOCK_HEADER)
			bw_json_str(&j, "name", b->name);
		/* In hexadecimal: the bytes need not be UTF-8. */
		if (b->kind == BLOCK_HEADER || b->kind == BLOCK_LOGIN)
			bw_json_hex(&j, "value", b->value, strlen(b->value));
		if (b->kind == BLOCK_SERVICE) {
			bw_json_str(&j, "cgroup", b->cgroup);
			bw_json_u64(&j, "pid", b->pid);
			bw_json_open(&j, "allow", '[');
			for (uint32_t k = 0; k < b->n_allow; k++) {
				block_prefix_text(&b->allow[k], text);
				bw_json_str(&j, NULL, text);
			}
			bw_json_close(&j, ']');
		}
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_buf_char(out, '\n');
}

static bool str(const cJSON *o, const char *key, char *dst, size_t size)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));

	return s && snprintf(dst, size, "%s", s) < (int)size;
}

static bool num(const cJSON *o, const char *key, int64_t max, int64_t *ret)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= (double)max) || v->valuedouble != (double)(int64_t)v->valuedouble)
		return false;
	*ret = (int64_t)v->valuedouble;
	return true;
}

static bool hex(const cJSON *o, const char *key, char *dst, size_t size)
{
	char text[2 * BLOCK_MAX_VALUE + 2], *end;
	size_t n;

	if (!str(o, key, text, sizeof(text)))
		return false;
	n = strlen(text);
	if (n % 2 || n / 2 >= size)
		return false;
	for (size_t i = 0; i < n / 2; i++) {
		char digits[3] = { text[2 * i], text[2 * i + 1], 0 };

		dst[i] = (char)strtoul(digits, &end, 16);
		if (end != digits + 2 || !dst[i])
			return false;
	}
	dst[n / 2] = 0;
	return true;
}

static bool read_prefix(const cJSON *v, struct block_prefix *ret)
{
	const char *s = cJSON_GetStringValue(v);

	return s && !block_prefix_read(s, ret);
}

static bool read_block(const cJSON *o, struct block *b)
{
	const cJSON *allow = cJSON_GetObjectItemCaseSensitive(o, "allow"), *v;
	int64_t id, pid;
	char kind[16];
	int k;

	*b = (struct block){ 0 };
	if (!num(o, "id", UINT32_MAX - 1, &id) || !id || !str(o, "kind", kind, sizeof(kind)) || !str(o, "owner", b->owner, sizeof(b->owner)) ||
	    !str(o, "reason", b->reason, sizeof(b->reason)) || !num(o, "created_s", 1ll << 40, &b->created_s) ||
	    !num(o, "expires_s", 1ll << 40, &b->expires_s))
		return false;
	k = block_kind_id(kind);
	if (k < 0)
		return false;
	b->id = (uint32_t)id;
	b->kind = (enum block_kind)k;
	switch (b->kind) {
	case BLOCK_ADDRESS:
		return read_prefix(cJSON_GetObjectItemCaseSensitive(o, "address"), &b->address);
	case BLOCK_HEADER:
		return str(o, "name", b->name, sizeof(b->name)) && hex(o, "value", b->value, sizeof(b->value));
	case BLOCK_LOGIN:
		return hex(o, "value", b->value, sizeof(b->value));
	default:
		/* A path below the mount point, and nothing that leads out of it. */
		if (!str(o, "cgroup", b->cgroup, sizeof(b->cgroup)) || b->cgroup[0] != '/' || strstr(b->cgroup, "/../") ||
		    !num(o, "pid", INT32_MAX, &pid) || !cJSON_IsArray(allow))
			return false;
		b->pid = (uint32_t)pid;
		cJSON_ArrayForEach(v, allow)
			if (b->n_allow == BLOCK_MAX_ALLOW || !read_prefix(v, &b->allow[b->n_allow++]))
				return false;
		return true;
	}
}

int block_state_read(const char *text, size_t len, struct block_list *ret, char *why, size_t size)
{
	struct block_list l = { 0 };
	const char *reason = "";
	const cJSON *blocks, *v;
	struct block *b = NULL;
	size_t offset;
	cJSON *root = NULL;
	int64_t n;
	int r = bw_json_check(text, len, MAX_VALUES, &offset, &reason);

	if (r < 0) {
		snprintf(why, size, "%s, at byte %zu", reason, offset);
		return -EBADMSG;
	}
	root = cJSON_ParseWithLength(text, len);
	blocks = cJSON_GetObjectItemCaseSensitive(root, "blocks");
	b = malloc(sizeof(*b));
	if (!root || !b) {
		r = -ENOMEM;
	} else if (!num(root, "version", 1, &n) || n != 1 || !num(root, "next_id", UINT32_MAX - 1, &n) || !cJSON_IsArray(blocks) ||
		   cJSON_GetArraySize(blocks) > (int)BLOCK_MAX) {
		snprintf(why, size, "not a list of blocks of this version");
		r = -EBADMSG;
	}
	if (r)
		blocks = NULL;
	cJSON_ArrayForEach(v, blocks) {
		char text2[160];

		if (!read_block(v, b) || block_find(&l, b->id) ||
		    block_admit(&l, b, NULL, 0, BLOCK_MAX, text2, sizeof(text2)) < 0) {
			snprintf(why, size, "the block at index %u is not one", l.n);
			r = -EBADMSG;
		} else {
			r = block_append(&l, b);
		}
		if (r)
			break;
	}
	if (!r && l.next_id < (uint32_t)n)
		l.next_id = (uint32_t)n;
	free(b);
	cJSON_Delete(root);
	if (r) {
		free(l.v);
		return r;
	}
	if (!l.next_id)
		l.next_id = 1;
	*ret = l;
	return 0;
}
