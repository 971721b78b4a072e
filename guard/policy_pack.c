// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/policy_pack.h"

#include <linux/bpf.h>
#include <string.h>

#define MAGIC 0x4c4f5057u /* "WPOL" */
#define NAMES_MAGIC 0x4d414e57u
#define KNOWN_CONF_FLAGS (BW_CONF_ALLOW_INIT | BW_CONF_ALLOW_INERT | BW_CONF_VALID | BW_CONF_ANALYSE)
#define KNOWN_RULE_FLAGS (BW_RULE_USED | BW_RULE_KFUNCS | BW_RULE_ANY_KFUNC)
#define KNOWN_CONDITIONS (BW_CONDITION_UNCHANGED | BW_CONDITION_UIDS | BW_CONDITION_NAMESPACES | BW_CONDITION_CGROUPS)
#define MAX_ATTACK 1024u /* techniques of a rule */
#define MAX_ENTRY_ID 512 /* an approval that many entries share lists some of them */

struct names_head {
	uint32_t magic, n_programs, n_rules, n_entries, len, n_attach;
};

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static void put_string(struct bw_buf *b, const char *s)
{
	bw_buf_append(b, s, strlen(s) + 1);
}

static void put_names(const struct bw_policy *p, const struct bw_policy_image *image, struct bw_buf *b)
{
	char id[MAX_ENTRY_ID];

	for (uint32_t i = 0; i < p->n_rules; i++) {
		put_string(b, p->rules[i].id);
		for (uint32_t k = 0; k < p->rules[i].n_attack; k++)
			put_string(b, p->rules[i].attack[k]);
	}
	for (uint32_t i = 0; i < image->n_origins; i++)
		put_string(b, bw_policy_entry_id(p, image, i, id, sizeof(id)));
	for (uint32_t i = 0; i < p->n_attach; i++)
		put_string(b, p->attach[i].id);
}

void policy_pack(const struct policy_release *release, const struct bw_policy *p, const struct bw_policy_image *image, const struct bw_policy_warnings *w,
		 const struct bw_buf *loaders, uint32_t n_loaders, struct bw_buf *out)
{
	_cleanup_buf_ struct bw_buf names = { .max = POLICY_PACK_MAX }, warnings = { .max = POLICY_PACK_MAX };
	struct policy_pack_head h = {
		.magic = MAGIC,
		.release = *release,
		.n_programs = p->n_programs,
		.n_rules = p->n_rules,
		.n_entries = image->n_origins,
		.n_attach = p->n_attach,
		.n_approvals = image->n_approvals,
		.n_bindings = image->n_bindings,
		.n_conditions = image->n_conditions,
		.n_kfuncs = image->n_kfuncs,
		.n_cgroups = image->n_cgroups,
		.n_loaders = n_loaders,
		.n_warnings = w->n,
		.more_warnings = w->more,
		.loaders_len = (uint32_t)loaders->len,
		.conf = image->conf,
	};

	put_names(p, image, &names);
	for (uint32_t i = 0; i < w->n; i++)
		put_string(&warnings, w->lines[i]);
	h.names_len = (uint32_t)names.len;
	h.warnings_len = (uint32_t)warnings.len;
	bw_buf_append(out, &h, sizeof(h));
	bw_buf_append(out, &p->protect, sizeof(p->protect));
	bw_buf_append(out, image->approvals, image->n_approvals * sizeof(*image->approvals));
	bw_buf_append(out, image->bindings, image->n_bindings * sizeof(*image->bindings));
	bw_buf_append(out, image->conditions, image->n_conditions * sizeof(*image->conditions));
	bw_buf_append(out, image->kfuncs, image->n_kfuncs * sizeof(*image->kfuncs));
	bw_buf_append(out, image->cgroups, image->n_cgroups * sizeof(*image->cgroups));
	for (uint32_t i = 0; i < p->n_rules; i++)
		bw_buf_append(out, &p->rules[i].n_attack, sizeof(uint32_t));
	bw_buf_append(out, names.data, names.len);
	bw_buf_append(out, loaders->data, loaders->len);
	bw_buf_append(out, warnings.data, warnings.len);
	if (!out->error)
		out->error = names.error ? names.error : warnings.error ? warnings.error : loaders->error;
}

void policy_pack_error(int result, enum bw_signature refused, const char *error, struct bw_buf *out)
{
	struct policy_pack_head h = { .magic = MAGIC, .result = result, .refused = refused, .error_len = (uint32_t)strlen(error) };

	bw_buf_append(out, &h, sizeof(h));
	bw_buf_append(out, error, h.error_len);
}

void policy_names_pack(const struct policy_names *n, struct bw_buf *out)
{
	struct names_head h = { .magic = NAMES_MAGIC, .n_programs = n->n_programs, .n_rules = n->n_rules, .n_entries = n->n_entries,
				.n_attach = n->n_attach };
	size_t at = out->len;

	bw_buf_append(out, &h, sizeof(h));
	bw_buf_append(out, n->n_attack, n->n_rules * sizeof(*n->n_attack));
	for (uint32_t i = 0; i < n->first_attach + n->n_attach; i++)
		put_string(out, n->strings[i]);
	if (out->error)
		return;
	h.len = (uint32_t)(out->len - at - sizeof(h) - n->n_rules * sizeof(*n->n_attack));
	memcpy(out->data + at, &h, sizeof(h));
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

struct reader {
	struct bw_slice in;
	uint64_t at;
	bool bad;
};

static struct bw_slice take(struct reader *r, uint64_t len)
{
	struct bw_slice s = { 0 };

	if (!r->bad && !bw_slice_sub(r->in, r->at, len, &s))
		r->bad = true;
	r->at += r->bad ? 0 : len;
	return s;
}

/* A copy of @n elements: the input is not aligned. NULL for none and without memory. */
static void *take_array(struct reader *r, uint32_t n, size_t size, int *ret_error)
{
	struct bw_slice s = take(r, (uint64_t)n * size);
	void *copy;

	if (r->bad || !n)
		return NULL;
	copy = malloc(s.len);
	if (copy)
		memcpy(copy, s.data, s.len);
	else
		*ret_error = -ENOMEM;
	return copy;
}

/* Exactly @n strings without control characters, which could forge lines of a log. */
static bool strings_fit(struct bw_slice s, uint32_t n)
{
	uint32_t ends = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (!s.data[i])
			ends++;
		else if (s.data[i] < 0x20 || s.data[i] == 0x7f)
			return false;
	}
	return ends == n && (!s.len || !s.data[s.len - 1]);
}

const char *policy_pack_string(struct bw_slice *s)
{
	const char *text = bw_slice_str(*s, 0);
	size_t len = text ? strlen(text) + 1 : 0;

	s->data += len;
	s->len -= len;
	return text;
}

/* n_programs, n_rules, n_entries and n_attack are there and in bounds; finds the strings in @s. */
static int names_index(struct policy_names *n, struct bw_slice s)
{
	uint32_t total = 0, at = 0;

	for (uint32_t i = 0; i < n->n_rules; i++) {
		if (n->n_attack[i] > MAX_ATTACK)
			return -EBADMSG;
		n->first[i] = total;
		total += 1 + n->n_attack[i];
	}
	n->first_entry = total;
	total += n->n_entries;
	n->first_attach = total;
	total += n->n_attach;
	if (!strings_fit(s, total))
		return -EBADMSG;
	n->text = malloc(s.len + 1);
	n->strings = calloc((size_t)total + 1, sizeof(*n->strings));
	if (!n->text || !n->strings)
		return -ENOMEM;
	memcpy(n->text, s.data, s.len);
	n->text[s.len] = 0;
	for (const char *p = n->text; at < total; p += strlen(p) + 1)
		n->strings[at++] = p;
	return 0;
}

void policy_names_free(struct policy_names *n)
{
	free(n->text);
	free(n->strings);
	*n = (struct policy_names){ 0 };
}

int policy_names_unpack(struct bw_slice in, struct policy_names *ret)
{
	struct reader rd = { .in = in };
	struct policy_names n = { 0 };
	struct names_head h;
	struct bw_slice s;
	int r;

	s = take(&rd, sizeof(h));
	if (rd.bad)
		return -EBADMSG;
	memcpy(&h, s.data, sizeof(h));
	if (h.magic != NAMES_MAGIC || h.n_rules > BW_MAX_RULES || h.n_entries > POLICY_PACK_MAX_ENTRIES ||
	    h.n_attach > BW_MAX_ATTACH_RULES)
		return -EBADMSG;
	n.n_programs = h.n_programs;
	n.n_rules = h.n_rules;
	n.n_entries = h.n_entries;
	n.n_attach = h.n_attach;
	s = take(&rd, h.n_rules * sizeof(*n.n_attack));
	if (!rd.bad && s.len)
		memcpy(n.n_attack, s.data, s.len);
	s = take(&rd, h.len);
	if (rd.bad || rd.at != in.len)
		return -EBADMSG;
	r = names_index(&n, s);
	if (r < 0) {
		policy_names_free(&n);
		return r;
	}
	*ret = n;
	return 0;
}

static bool conf_fits(const struct policy_pack_head *h)
{
	const struct bw_policy_conf *c = &h->conf;

	/* Mode and generation are the guard's alone. */
	if (c->flags & ~(uint32_t)KNOWN_CONF_FLAGS || c->mode || c->generation || c->n_rules != h->n_rules)
		return false;
	for (uint32_t i = 0; i < BW_MAX_PROG_TYPES; i++)
		if (c->type_default[i] > BW_VERDICT_DENY)
			return false;
	for (uint32_t i = 0; i < BW_MAX_RULES; i++)
		if (c->rules[i].flags & ~(uint32_t)KNOWN_RULE_FLAGS || c->rules[i].pad || (i >= h->n_rules && c->rules[i].flags))
			return false;
	/* Only read, not compiled: nothing is there for the kernel. */
	if (c->n_attach_rules != (c->flags & BW_CONF_VALID ? h->n_attach : 0) || c->response > BW_RESPONSE_KILL || c->n_watched > BW_MAX_WATCHED_MAPS || c->pad2)
		return false;
	for (uint32_t i = 0; i < BW_MAX_ATTACH_RULES; i++)
		if (c->attach_rules[i].pad || (i < c->n_attach_rules && !c->attach_rules[i].ways && !c->attach_rules[i].attach_types &&
					       !c->attach_rules[i].prog_types))
			return false;
	for (uint32_t i = 0; i < c->n_watched; i++)
		if (!memchr(c->watched[i].name, 0, sizeof(c->watched[i].name)) || c->watched[i].pad)
			return false;
	return true;
}

static bool protect_fits(const struct bw_policy_conf *c, const struct bw_policy_protect *p)
{
	/* Only read, not compiled: nothing is there for the kernel. */
	if (!(c->flags & BW_CONF_VALID))
		return bw_policy_protect_valid(p) && !c->hold_wait_ns && !c->hold_caller_ns && !c->hold_timeout;
	return bw_policy_protect_valid(p) && c->hold_timeout == p->on_timeout && c->hold_wait_ns == p->wait_ms * 1000000ull &&
	       c->hold_caller_ns == p->caller_ms * 1000000ull && !c->pad;
}

/* A binding is of an approval, or an exception from a rule about attaching. */
static bool binding_fits(const struct bw_binding_key *b, const struct policy_pack_head *h)
{
	if (b->condition >= h->n_conditions)
		return false;
	if (b->entry & BW_BINDING_ATTACH)
		return (b->entry & ~BW_BINDING_ATTACH) < h->n_attach && b->attach_btf_id <= h->n_entries;
	return b->entry < h->n_entries;
}

bool policy_release_fits(const struct policy_release *r)
{
	const char *end = memchr(r->signers, 0, sizeof(r->signers));

	if (!end || r->trusted > BW_MAX_SIGNERS || r->expires < 0 || r->pad || (r->trusted && !r->serial) || (!r->trusted && end != r->signers))
		return false;
	for (const char *p = r->signers; p < end; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return true;
}

static bool head_fits(const struct policy_pack_head *h)
{
	return h->magic == MAGIC && !h->pad && !h->pad2 && policy_release_fits(&h->release) && h->n_attach <= BW_MAX_ATTACH_RULES && h->n_programs <= BW_MAX_POLICY_PROGRAMS && h->n_rules <= BW_MAX_RULES &&
	       h->n_entries <= POLICY_PACK_MAX_ENTRIES && h->n_approvals <= BW_MAX_APPROVALS && h->n_bindings <= BW_MAX_BINDINGS &&
	       h->n_conditions <= BW_MAX_BINDINGS &&
	       h->n_kfuncs <= BW_MAX_KFUNC_RULES && h->n_cgroups <= BW_MAX_CGROUP_PATTERNS && h->n_loaders <= POLICY_PACK_MAX_LOADERS && h->n_warnings <= BW_MAX_POLICY_WARNINGS;
}

static bool cgroup_fits(const struct bw_cgroup_pattern *p)
{
	if (!p->depth || p->depth > BW_MAX_CGROUP_DEPTH)
		return false;
	for (uint32_t i = 0; i < p->depth; i++)
		if (p->parts[i].head + p->parts[i].tail > BW_CGROUP_TEXT_LEN || p->parts[i].exact > 1 || p->parts[i].pad)
			return false;
	return true;
}

static bool image_fits(const struct bw_policy_image *image, const struct policy_pack_head *h)
{
	const uint64_t rules = h->n_rules == 32 ? ~0u : (1u << h->n_rules) - 1;

	for (uint32_t i = 0; i < image->n_approvals; i++) {
		const struct bw_policy_approval *a = &image->approvals[i];

		if (a->value.entry >= h->n_entries || a->value.flags & ~(uint32_t)BW_APPROVAL_DIGEST_TOO || a->value.pad)
			return false;
	}
	for (uint32_t i = 0; i < image->n_bindings; i++)
		if (!binding_fits(&image->bindings[i], h))
			return false;
	for (uint32_t i = 0; i < image->n_conditions; i++) {
		const struct bw_condition *c = &image->conditions[i];

		if (c->flags & ~(uint32_t)KNOWN_CONDITIONS || c->n_uids > BW_MAX_CONDITION_UIDS ||
		    c->n_cgroups > BW_MAX_CONDITION_CGROUPS || c->pad || (!i && c->flags))
			return false;
		for (uint32_t k = 0; k < c->n_cgroups; k++)
			if (c->cgroups[k] >= image->n_cgroups)
				return false;
	}
	for (uint32_t i = 0; i < image->n_cgroups; i++)
		if (!cgroup_fits(&image->cgroups[i]))
			return false;
	for (uint32_t i = 0; i < image->n_kfuncs; i++)
		if (image->kfuncs[i].rules & ~rules)
			return false;
	return true;
}

static int unpack_error(struct reader *rd, const struct policy_pack_head *h, struct policy_pack *p)
{
	struct bw_slice s = take(rd, h->error_len);

	if (rd->bad || rd->at != rd->in.len || h->result > 0 || h->refused >= BW_SIGNATURES || !s.len || s.len >= sizeof(p->error))
		return -EBADMSG;
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < 0x20 || s.data[i] == 0x7f)
			return -EBADMSG;
	p->result = h->result;
	p->refused = (enum bw_signature)h->refused;
	memcpy(p->error, s.data, s.len);
	return 0;
}

static int unpack_image(struct reader *rd, const struct policy_pack_head *h, struct policy_pack *p)
{
	struct bw_policy_image *image = &p->image;
	struct bw_slice attack, names, protect;
	int r = 0;

	if (h->refused)
		return -EBADMSG;
	p->release = h->release;
	image->conf = h->conf;
	protect = take(rd, sizeof(p->protect));
	if (rd->bad)
		return -EBADMSG;
	memcpy(&p->protect, protect.data, sizeof(p->protect));
	image->approvals = take_array(rd, h->n_approvals, sizeof(*image->approvals), &r);
	image->bindings = take_array(rd, h->n_bindings, sizeof(*image->bindings), &r);
	image->conditions = take_array(rd, h->n_conditions, sizeof(*image->conditions), &r);
	image->kfuncs = take_array(rd, h->n_kfuncs, sizeof(*image->kfuncs), &r);
	image->cgroups = take_array(rd, h->n_cgroups, sizeof(*image->cgroups), &r);
	attack = take(rd, h->n_rules * sizeof(uint32_t));
	names = take(rd, h->names_len);
	p->loaders = take(rd, h->loaders_len);
	p->warnings = take(rd, h->warnings_len);
	if (rd->bad || rd->at != rd->in.len || h->error_len)
		return -EBADMSG;
	if (r < 0)
		return r;
	image->n_approvals = h->n_approvals;
	image->n_bindings = h->n_bindings;
	image->n_conditions = h->n_conditions;
	image->n_kfuncs = h->n_kfuncs;
	image->n_cgroups = h->n_cgroups;
	if (!conf_fits(h) || !protect_fits(&h->conf, &p->protect) || !image_fits(image, h) || !strings_fit(p->loaders, h->n_loaders) ||
	    !strings_fit(p->warnings, h->n_warnings))
		return -EBADMSG;
	p->n_loaders = h->n_loaders;
	p->n_warnings = h->n_warnings;
	p->more_warnings = h->more_warnings;
	p->names.n_programs = h->n_programs;
	p->names.n_rules = h->n_rules;
	p->names.n_entries = h->n_entries;
	p->names.n_attach = h->n_attach;
	if (attack.len)
		memcpy(p->names.n_attack, attack.data, attack.len);
	return names_index(&p->names, names);
}

int policy_unpack(struct bw_slice in, struct policy_pack *ret)
{
	struct reader rd = { .in = in };
	struct policy_pack p = { 0 };
	struct policy_pack_head h;
	struct bw_slice s = take(&rd, sizeof(h));
	int r;

	if (rd.bad)
		return -EBADMSG;
	memcpy(&h, s.data, sizeof(h));
	if (!head_fits(&h))
		return -EBADMSG;
	r = h.result ? unpack_error(&rd, &h, &p) : unpack_image(&rd, &h, &p);
	if (r < 0) {
		policy_pack_free(&p);
		return r;
	}
	*ret = p;
	return 0;
}

void policy_pack_free(struct policy_pack *p)
{
	bw_policy_image_free(&p->image);
	policy_names_free(&p->names);
	*p = (struct policy_pack){ 0 };
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

const char *policy_names_rule(const struct policy_names *n, uint32_t rule)
{
	return rule < n->n_rules ? n->strings[n->first[rule]] : NULL;
}

const char *const *policy_names_attack(const struct policy_names *n, uint32_t rule, uint32_t *ret_n)
{
	*ret_n = rule < n->n_rules ? n->n_attack[rule] : 0;
	return *ret_n ? n->strings + n->first[rule] + 1 : NULL;
}

const char *policy_names_attach(const struct policy_names *n, uint32_t rule)
{
	return rule < n->n_attach ? n->strings[n->first_attach + rule] : NULL;
}

const char *policy_names_entry(const struct policy_names *n, uint32_t entry)
{
	return entry < n->n_entries ? n->strings[n->first_entry + entry] : NULL;
}
