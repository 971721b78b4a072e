// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/policy_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t name_hash(const struct name *n)
{
	uint64_t h = 0xcbf29ce484222325ULL; /* FNV-1a */

	for (const char *p = n->text; *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3ULL;
	h = (h ^ n->kind) * 0x100000001b3ULL;
	h = (h ^ n->prog_type) * 0x100000001b3ULL;
	h = (h ^ n->attach_type) * 0x100000001b3ULL;
	return h ^ h >> 32;
}

static struct name *name_slot(struct name *table, uint32_t size, const struct name *wanted)
{
	for (uint64_t at = name_hash(wanted);; at++) {
		struct name *n = &table[at & (size - 1)];

		if (!n->text || (n->kind == wanted->kind && n->prog_type == wanted->prog_type &&
				 n->attach_type == wanted->attach_type && !strcmp(n->text, wanted->text)))
			return n;
	}
}

static int names_grow(struct policy_names_table *t)
{
	uint32_t size = t->size ? t->size * 2 : 256;
	struct name *bigger;

	if (t->n * 2 < t->size)
		return 0;
	bigger = calloc(size, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->size; i++)
		if (t->names[i].text)
			*name_slot(bigger, size, &t->names[i]) = t->names[i];
	free(t->names);
	t->names = bigger;
	t->size = size;
	return 0;
}

static void name_resolve(const struct bw_policy_env *env, struct name *n)
{
	n->error = -ENOSYS;
	switch (n->kind) {
	case NAME_LOADER:
		if (env->loader)
			n->error = env->loader(env->ctx, n->text, &n->id, &n->ino);
		/* Zero means any loader in the kernel's key. */
		if (!n->error && !n->ino)
			n->error = -EINVAL;
		return;
	case NAME_CONTENT:
		if (env->loader_content)
			n->error = env->loader_content(env->ctx, n->text, &n->content);
		return;
	case NAME_TARGET:
		if (env->target)
			n->error = env->target(env->ctx, n->text, n->prog_type, n->attach_type, &n->id);
		break;
	case NAME_KFUNC:
		if (env->kfunc)
			n->error = env->kfunc(env->ctx, n->text, &n->id);
		break;
	}
	/* Zero means any target; the largest is the marker. */
	if (!n->error && (!n->id || n->id == BW_BINDING_LOADER_NAMED))
		n->error = -EINVAL;
}

/* What is known about a name; valid until the next call. */
int policy_name_get(struct policy_names_table *t, const struct bw_policy_env *env, struct name wanted, const struct name **ret)
{
	struct name *n;
	int r = names_grow(t);

	if (r < 0)
		return r;
	n = name_slot(t->names, t->size, &wanted);
	if (!n->text) {
		name_resolve(env, &wanted);
		*n = wanted;
		t->n++;
	}
	*ret = n;
	return 0;
}

const char *policy_name_error(const struct name *n)
{
	return n->error == -ENOSYS ? "cannot be resolved here" : strerror(-n->error);
}

void policy_names_table_free(struct policy_names_table *t)
{
	free(t->names);
	*t = (struct policy_names_table){ 0 };
}
