// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auditor/block/host.h"
#include "common/cleanup.h"
#include "common/json_check.h"

#define MAX_FILE (256u << 10)
#define MAX_ARGS 32

void block_config_free(struct block_config *c)
{
	for (uint32_t i = 0; i < c->n_servers; i++) {
		char **const lists[] = { c->servers[i].test, c->servers[i].reload };

		for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
			for (char **a = lists[k]; a && *a; a++)
				free(*a);
			free(lists[k]);
		}
	}
	*c = (struct block_config){ 0 };
}

static bool path_of(const cJSON *v, char *dst, size_t size)
{
	const char *s = cJSON_GetStringValue(v);

	return s && s[0] == '/' && snprintf(dst, size, "%s", s) < (int)size;
}

static bool argv_of(const cJSON *v, char ***ret)
{
	int n = cJSON_GetArraySize(v), i = 0;
	const cJSON *a;

	if (!cJSON_IsArray(v) || n < 1 || n > MAX_ARGS)
		return false;
	*ret = calloc((size_t)n + 1, sizeof(**ret));
	cJSON_ArrayForEach(a, v) {
		const char *s = cJSON_GetStringValue(a);

		if (!*ret || !s || !((*ret)[i++] = strdup(s)))
			return false;
	}
	return true;
}

/* The members of one server; what is not known is a mistake. */
static const char *read_server(const cJSON *o, struct block_server *s)
{
	bool kind = false;
	const cJSON *v;

	cJSON_ArrayForEach(v, o) {
		const char *text = cJSON_GetStringValue(v);
		bool good = false;

		if (!strcmp(v->string, "kind") && text) {
			int k = block_server_id(text);

			good = kind = k >= 0;
			s->kind = kind ? (enum block_server_kind)k : BLOCK_NGINX;
		} else if (!strcmp(v->string, "file")) {
			good = path_of(v, s->file, sizeof(s->file));
		} else if (!strcmp(v->string, "server_file")) {
			good = path_of(v, s->server_file, sizeof(s->server_file));
		} else if (!strcmp(v->string, "login_header") && text) {
			good = !block_check_header(text, "x") && snprintf(s->login_header, sizeof(s->login_header), "%s", text) < (int)sizeof(s->login_header);
		} else if (!strcmp(v->string, "test")) {
			good = !s->test && argv_of(v, &s->test);
		} else if (!strcmp(v->string, "reload")) {
			good = !s->reload && argv_of(v, &s->reload);
		}
		if (!good)
			return v->string;
	}
	if (!kind)
		return "kind";
	return !*s->file ? "file" : s->kind == BLOCK_NGINX && !*s->server_file ? "server_file" : NULL;
}

static const char *read_root(const cJSON *root, struct block_config *c)
{
	const cJSON *v, *item;

	cJSON_ArrayForEach(v, root) {
		if (!strcmp(v->string, "version")) {
			if (!cJSON_IsNumber(v) || v->valuedouble != 1)
				return "version";
		} else if (!strcmp(v->string, "limit")) {
			if (!cJSON_IsNumber(v) || v->valuedouble < 1 || v->valuedouble > BLOCK_MAX || v->valuedouble != (int)v->valuedouble)
				return "limit";
			c->limit = (uint32_t)v->valuedouble;
		} else if (!strcmp(v->string, "never") && cJSON_IsArray(v)) {
			cJSON_ArrayForEach(item, v)
				if (c->n_never == BLOCK_MAX_NEVER || !cJSON_IsString(item) ||
				    block_prefix_read(item->valuestring, &c->never[c->n_never++]) < 0)
					return "never";
		} else if (!strcmp(v->string, "servers") && cJSON_IsArray(v)) {
			cJSON_ArrayForEach(item, v) {
				const char *bad;

				if (c->n_servers == BLOCK_MAX_SERVERS || !cJSON_IsObject(item))
					return "servers";
				bad = read_server(item, &c->servers[c->n_servers++]);
				if (bad)
					return bad;
			}
		} else {
			return v->string;
		}
	}
	return NULL;
}

int block_config_read(const char *path, bool must, struct block_config *ret, char *why, size_t size)
{
	struct block_config *c = ret;
	_cleanup_free_ char *text = NULL;
	const char *reason = "", *bad;
	struct stat st;
	size_t len, offset;
	cJSON *root;
	int r;

	*c = (struct block_config){ .limit = BLOCK_MAX };
	if (stat(path, &st) < 0) {
		r = -errno;
		if (r == -ENOENT && !must)
			return 0;
		snprintf(why, size, "%s: %s", path, strerror(-r));
		return r;
	}
	if ((st.st_uid && st.st_uid != geteuid()) || st.st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(why, size, "%s names commands to run, and others than its owner (root, or you) can write it", path);
		return -EPERM;
	}
	r = bw_file_read(path, MAX_FILE, &text, &len);
	if (!r)
		r = bw_json_check(text, len, 10000, &offset, &reason);
	if (r < 0) {
		snprintf(why, size, "%s: %s", path, *reason ? reason : strerror(-r));
		return r;
	}
	root = cJSON_ParseWithLength(text, len);
	bad = cJSON_IsObject(root) ? read_root(root, c) : "the object";
	if (bad) {
		snprintf(why, size, "%s: \"%.64s\" is missing, unknown or wrong", path, bad);
		block_config_free(c);
		r = -EINVAL;
	}
	cJSON_Delete(root);
	return r;
}
