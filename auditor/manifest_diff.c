// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What grew: both manifests become sorted lists of capabilities in words, some with a bound; a capability that is only in
 * the new one, or whose bound is larger there, is growth.
 */
#include "auditor/manifest.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

struct cap {
	char *text;
	uint64_t bound; /* bytes; UINT64_MAX: nothing bounds it; 0 when it has none */
	bool bounded;
};

struct caps {
	struct cap *items;
	uint32_t n, cap;
	bool failed;
};

static void caps_free(struct caps *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		free(c->items[i].text);
	free(c->items);
}

static void caps_add(struct caps *c, struct bw_buf *b, const cJSON *bound, bool bounded)
{
	char *text = bw_buf_error(b) ? NULL : bw_buf_steal(b);

	bw_buf_free(b);
	if (c->n == c->cap && text) {
		uint32_t cap = c->cap ? c->cap * 2 : 64;
		struct cap *p = realloc(c->items, cap * sizeof(*p));

		if (p) {
			c->items = p;
			c->cap = cap;
		} else {
			free(text);
			text = NULL;
		}
	}
	if (!text) {
		c->failed = true;
		return;
	}
	c->items[c->n++] = (struct cap){ text, cJSON_IsNumber(bound) && bound->valuedouble >= 0 && bound->valuedouble < 1e15 ?
						       (uint64_t)bound->valuedouble : UINT64_MAX, bounded };
}

static const char *member(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

static void words(struct bw_buf *b, const cJSON *o, const char *key)
{
	const cJSON *v;
	bool first = true;

	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(o, key)) {
		if (!cJSON_IsString(v))
			continue;
		bw_buf_printf(b, "%s%s", first ? "" : ",", v->valuestring);
		first = false;
	}
}

static void flow_caps(struct caps *c, const char *who, const cJSON *prog)
{
	const cJSON *f;

	cJSON_ArrayForEach(f, cJSON_GetObjectItemCaseSensitive(prog, "flows")) {
		struct bw_buf b = { 0 };

		bw_buf_printf(&b, "%s: flow %s", who, member(f, "source"));
		if (*member(f, "source_detail"))
			bw_buf_printf(&b, " (%s)", member(f, "source_detail"));
		if (*member(f, "source_program"))
			bw_buf_printf(&b, " of %s", member(f, "source_program"));
		bw_buf_printf(&b, " -> %s", member(f, "channel"));
		if (*member(f, "channel_detail"))
			bw_buf_printf(&b, " (%s)", member(f, "channel_detail"));
		if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(f, "as_key")))
			bw_buf_str(&b, " as key");
		if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(f, "derived")))
			bw_buf_str(&b, ", derived");
		if (*member(f, "literal"))
			bw_buf_printf(&b, " \"%s\"", member(f, "literal"));
		caps_add(c, &b, cJSON_GetObjectItemCaseSensitive(f, "max_length"), true);
	}
}

static void name_caps(struct caps *c, const char *who, const cJSON *prog, const char *key, const char *what)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(prog, key)) {
		struct bw_buf b = { 0 };

		bw_buf_printf(&b, "%s: %s %s", who, what, cJSON_IsString(v) ? v->valuestring : member(v, "name"));
		caps_add(c, &b, NULL, false);
	}
}

static void map_caps(struct caps *c, const char *who, const cJSON *prog)
{
	const cJSON *m, *mode;

	cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(prog, "maps")) {
		cJSON_ArrayForEach(mode, cJSON_GetObjectItemCaseSensitive(m, "modes")) {
			struct bw_buf b = { 0 };

			bw_buf_printf(&b, "%s: map %s %s", who, member(m, "name"), cJSON_IsString(mode) ? mode->valuestring : "");
			caps_add(c, &b, NULL, false);
		}
	}
}

static void number(struct bw_buf *b, const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	if (cJSON_IsNumber(v))
		bw_buf_printf(b, " %.0f", v->valuedouble);
}

static void act_caps(struct caps *c, const char *who, const cJSON *prog)
{
	static const char *const keys[] = { "user_writes", "overrides", "signals", "packet_writes", "redirects", "tail_calls",
					    "compares" };
	const cJSON *v;

	for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
		cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(prog, keys[k])) {
			struct bw_buf b = { 0 };
			const cJSON *bound = cJSON_GetObjectItemCaseSensitive(v, "max_length");

			bw_buf_printf(&b, "%s: %s %s", who, keys[k], member(v, "how"));
			if (*member(v, "destination"))
				bw_buf_printf(&b, " to %s", member(v, "destination"));
			if (*member(v, "data"))
				bw_buf_printf(&b, " of %s", member(v, "data"));
			if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(v, "from"))) {
				bw_buf_str(&b, " from ");
				words(&b, v, "from");
			}
			if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(v, "sources"))) {
				bw_buf_str(&b, " with ");
				words(&b, v, "sources");
			}
			if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(v, "layers"))) {
				bw_buf_str(&b, " in ");
				words(&b, v, "layers");
			}
			if (*member(v, "map"))
				bw_buf_printf(&b, " map %s", member(v, "map"));
			number(&b, v, "value");
			number(&b, v, "signal");
			number(&b, v, "index");
			if (*member(v, "literal"))
				bw_buf_printf(&b, " \"%s\"", member(v, "literal"));
			caps_add(c, &b, bound, bound != NULL);
		}
}

static int caps_of(const char *text, struct caps *c)
{
	cJSON *doc = cJSON_Parse(text);
	const cJSON *p, *programs = cJSON_GetObjectItemCaseSensitive(doc, "programs");
	const cJSON *version = cJSON_GetObjectItemCaseSensitive(doc, "version");

	if (!cJSON_IsArray(programs) || !cJSON_IsNumber(version) || version->valueint != (int)BW_MANIFEST_VERSION) {
		cJSON_Delete(doc);
		return -EINVAL;
	}
	cJSON_ArrayForEach(p, programs) {
		struct bw_buf b = { 0 };
		const char *who = member(p, "name");

		bw_buf_printf(&b, "%s: program %s in %s", who, member(p, "type"), member(p, "section"));
		caps_add(c, &b, NULL, false);
		if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(p, "sleepable"))) {
			bw_buf_printf(&b, "%s: sleepable", who);
			caps_add(c, &b, NULL, false);
		}
		flow_caps(c, who, p);
		name_caps(c, who, p, "helpers", "helper");
		name_caps(c, who, p, "kfuncs", "kfunc");
		name_caps(c, who, p, "features", "feature");
		name_caps(c, who, p, "unanalysed", "not analysed:");
		map_caps(c, who, p);
		act_caps(c, who, p);
	}
	cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(doc, "maps")) {
		struct bw_buf b = { 0 };

		bw_buf_printf(&b, "map %s: %s%s", member(p, "name"), member(p, "type"),
			      cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(p, "pinned")) ? ", pinned" : "");
		caps_add(c, &b, cJSON_GetObjectItemCaseSensitive(p, "value_size"), true);
	}
	cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(doc, "shared")) {
		struct bw_buf b = { 0 };

		bw_buf_printf(&b, "map %s: %s hands ", member(p, "map"), member(p, "writer"));
		words(&b, p, "sources");
		bw_buf_printf(&b, " to %s", member(p, "reader"));
		caps_add(c, &b, NULL, false);
	}
	cJSON_Delete(doc);
	return c->failed ? -ENOMEM : 0;
}

static int cap_compare(const void *pa, const void *pb)
{
	const struct cap *a = pa, *b = pb;
	int c = strcmp(a->text, b->text);

	return c ? c : a->bound < b->bound ? -1 : a->bound > b->bound;
}

/* Sorted, one of each text: the one with the largest bound. */
static void caps_sort(struct caps *c)
{
	uint32_t kept = 0;

	if (!c->n)
		return;
	qsort(c->items, c->n, sizeof(*c->items), cap_compare);
	for (uint32_t i = 1; i < c->n; i++) {
		if (!strcmp(c->items[kept].text, c->items[i].text)) {
			free(c->items[kept].text);
			c->items[kept] = c->items[i];
		} else {
			c->items[++kept] = c->items[i];
		}
	}
	c->n = kept + 1;
}

static void line(struct bw_buf *out, char sign, const struct cap *c, const struct cap *before)
{
	bw_buf_printf(out, "%c %s", sign, c->text);
	if (c->bounded && c->bound == UINT64_MAX)
		bw_buf_str(out, ", any length");
	else if (c->bounded)
		bw_buf_printf(out, ", up to %llu bytes", (unsigned long long)c->bound);
	if (before)
		bw_buf_printf(out, " (was %llu)", (unsigned long long)before->bound);
	bw_buf_char(out, '\n');
}

int bw_manifest_diff(const char *old_text, const char *new_text, struct bw_buf *out, const char **ret_why)
{
	struct caps old = { 0 }, new = { 0 };
	uint32_t i = 0, k = 0;
	int grown = 0, r;

	r = caps_of(old_text, &old);
	if (r == -EINVAL)
		*ret_why = "the old file is not a manifest of this version";
	if (!r) {
		r = caps_of(new_text, &new);
		if (r == -EINVAL)
			*ret_why = "the new file is not a manifest of this version";
	}
	if (r) {
		caps_free(&old);
		caps_free(&new);
		return r;
	}
	caps_sort(&old);
	caps_sort(&new);
	while (i < old.n || k < new.n) {
		int c = i == old.n ? 1 : k == new.n ? -1 : strcmp(old.items[i].text, new.items[k].text);

		if (c < 0) {
			line(out, '-', &old.items[i++], NULL);
		} else if (c > 0) {
			line(out, '+', &new.items[k++], NULL);
			grown++;
		} else {
			if (new.items[k].bounded && new.items[k].bound > old.items[i].bound) {
				line(out, '+', &new.items[k], &old.items[i]);
				grown++;
			}
			i++;
			k++;
		}
	}
	caps_free(&old);
	caps_free(&new);
	return bw_buf_error(out) ? bw_buf_error(out) : grown;
}
