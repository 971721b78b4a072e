// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/drift.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUILTIN "builtin:"
#define FIRST_SLOTS 256u

struct seen {
	uint64_t entry; /* hash of its id; 0: free */
	uint8_t digest[BW_DIGEST_LEN];
	uint64_t loads;
};

struct unapproved {
	uint8_t digest[BW_DIGEST_LEN];
	uint8_t tag[BW_TAG_LEN];
	enum bw_identity identity;
	char name[BW_OBJ_NAME_LEN + 1];
	uint64_t loads;
};

struct drift {
	struct seen *seen; /* open addressing, a power of two of slots, at most half full */
	uint32_t n_slots, n_seen;
	struct unapproved unapproved[DRIFT_MAX_UNAPPROVED];
	uint32_t n_unapproved;
	uint64_t unapproved_loads, forgotten;
	bool changed;
};

int drift_new(struct drift **ret)
{
	struct drift *d = calloc(1, sizeof(*d));

	if (d)
		d->seen = calloc(FIRST_SLOTS, sizeof(*d->seen));
	if (!d || !d->seen) {
		free(d);
		return -ENOMEM;
	}
	d->n_slots = FIRST_SLOTS;
	*ret = d;
	return 0;
}

void drift_free(struct drift *d)
{
	if (!d)
		return;
	free(d->seen);
	free(d);
}

/* Ids are chosen by who writes the policy: nobody gains by a collision of their own. */
static uint64_t hash(const char *id)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *id; id++)
		h = (h ^ (uint8_t)*id) * 0x100000001b3ULL;
	return h ? h : 1;
}

/* The first slot of that entry with that digest (NULL: any), or the free one behind all of its. */
static struct seen *find(struct seen *slots, uint32_t n, uint64_t entry, const uint8_t *digest)
{
	for (uint32_t i = (uint32_t)(entry >> 32);; i++) {
		struct seen *s = &slots[i & (n - 1)];

		if (!s->entry || (s->entry == entry && (!digest || !memcmp(s->digest, digest, BW_DIGEST_LEN))))
			return s;
	}
}

static bool grow(struct drift *d)
{
	uint32_t n = d->n_slots * 2;
	struct seen *bigger;

	if (d->n_seen < d->n_slots / 2)
		return true;
	if (d->n_seen >= DRIFT_MAX_SEEN)
		return false;
	bigger = calloc(n, sizeof(*bigger));
	if (!bigger)
		return false;
	for (uint32_t i = 0; i < d->n_slots; i++)
		if (d->seen[i].entry)
			*find(bigger, n, d->seen[i].entry, d->seen[i].digest) = d->seen[i];
	free(d->seen);
	d->seen = bigger;
	d->n_slots = n;
	return true;
}

static void note_approved(struct drift *d, const struct decode_load *load, const char *id)
{
	uint64_t entry = hash(id);
	struct seen *s = find(d->seen, d->n_slots, entry, load->digest);

	if (!s->entry) {
		if (!grow(d)) {
			d->forgotten++;
			return;
		}
		s = find(d->seen, d->n_slots, entry, load->digest);
		s->entry = entry;
		memcpy(s->digest, load->digest, BW_DIGEST_LEN);
		d->n_seen++;
		d->changed = true;
	}
	s->loads++;
}

static void note_unapproved(struct drift *d, const struct decode_load *load)
{
	struct unapproved *u;

	d->unapproved_loads++;
	for (uint32_t i = 0; i < d->n_unapproved; i++) {
		u = &d->unapproved[i];
		if (u->identity == load->identity && !memcmp(u->digest, load->digest, BW_DIGEST_LEN) && !memcmp(u->tag, load->tag, BW_TAG_LEN)) {
			u->loads++;
			return;
		}
	}
	if (d->n_unapproved == DRIFT_MAX_UNAPPROVED) {
		d->forgotten++;
		return;
	}
	u = &d->unapproved[d->n_unapproved++];
	*u = (struct unapproved){ .identity = load->identity, .loads = 1 };
	memcpy(u->digest, load->digest, BW_DIGEST_LEN);
	memcpy(u->tag, load->tag, BW_TAG_LEN);
	memcpy(u->name, load->name, sizeof(u->name));
	d->changed = true;
}

void drift_note(struct drift *d, const struct decode_load *load, const char *entry)
{
	switch (load->reason) {
	case BW_REASON_APPROVED:
		if (entry && strncmp(entry, BUILTIN, strlen(BUILTIN)))
			note_approved(d, load, entry);
		break;
	case BW_REASON_NONE:
	case BW_REASON_GUARD:
	case BW_REASON_INIT:
	case BW_REASON_INERT:
	case BW_REASON_BASELINE:
	case BW_REASON_NO_POLICY:
		break;
	default:
		if (load->action != BW_ACTION_HELD)
			note_unapproved(d, load);
	}
}

bool drift_changed(struct drift *d)
{
	bool changed = d->changed;

	d->changed = false;
	return changed;
}

/* ---- reports -------------------------------------------------------------------------------------------------------- */

/* The next entry of the policy from *@i on that is not built in; NULL at the end. */
static const char *next_entry(const struct policy_names *names, uint32_t *i)
{
	while (*i < names->n_entries) {
		const char *id = policy_names_entry(names, (*i)++);

		if (id && strncmp(id, BUILTIN, strlen(BUILTIN)))
			return id;
	}
	return NULL;
}

static bool was_seen(const struct drift *d, const char *id)
{
	return find(d->seen, d->n_slots, hash(id), NULL)->entry != 0;
}

void drift_count(const struct drift *d, const struct policy_names *names, struct drift_counts *ret)
{
	const char *id;

	*ret = (struct drift_counts){
		.unapproved = d->n_unapproved, .unapproved_loads = d->unapproved_loads, .digests = d->n_seen, .forgotten = d->forgotten,
	};
	for (uint32_t i = 0; (id = next_entry(names, &i));) {
		ret->approved++;
		ret->never_seen += !was_seen(d, id);
	}
}

static const uint8_t *identity_of(const struct unapproved *u, size_t *ret_len)
{
	bool tag = u->identity == BW_IDENTITY_TAG || u->identity == BW_IDENTITY_TAG_DIGEST;

	*ret_len = tag ? BW_TAG_LEN : BW_DIGEST_LEN;
	return tag ? u->tag : u->digest;
}

void drift_status(const struct drift *d, const struct policy_names *names, struct bw_json *j)
{
	struct drift_counts c;
	const char *id;
	uint32_t n = 0;

	drift_count(d, names, &c);
	bw_json_u64(j, "approved", c.approved);
	bw_json_u64(j, "never_seen", c.never_seen);
	bw_json_u64(j, "unapproved", c.unapproved);
	bw_json_u64(j, "unapproved_loads", c.unapproved_loads);
	bw_json_u64(j, "digests", c.digests);
	bw_json_u64(j, "forgotten", c.forgotten);
	bw_json_open(j, "never_seen_entries", '[');
	for (uint32_t i = 0; n < DRIFT_LISTED && (id = next_entry(names, &i));)
		if (!was_seen(d, id)) {
			bw_json_str(j, NULL, id);
			n++;
		}
	bw_json_close(j, ']');
	bw_json_open(j, "unapproved_programs", '[');
	for (uint32_t i = 0; i < d->n_unapproved && i < DRIFT_LISTED; i++) {
		const struct unapproved *u = &d->unapproved[i];
		size_t len;
		const uint8_t *id_bytes = identity_of(u, &len);

		bw_json_open(j, NULL, '{');
		bw_json_str(j, "prog_name", u->name);
		bw_json_hex(j, len == BW_TAG_LEN ? "tag" : "digest", id_bytes, len);
		bw_json_u64(j, "loads", u->loads);
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
	bw_json_open(j, "seen_digests", '[');
	n = 0;
	for (uint32_t i = 0; i < d->n_slots && n < DRIFT_LISTED; i++)
		if (d->seen[i].entry) {
			bw_json_hex(j, NULL, d->seen[i].digest, BW_DIGEST_LEN);
			n++;
		}
	bw_json_close(j, ']');
}

void drift_never_seen(const struct drift *d, const struct policy_names *names, char *dst, size_t size)
{
	size_t at = 0;
	const char *id;

	dst[0] = 0;
	for (uint32_t i = 0; (id = next_entry(names, &i));) {
		if (was_seen(d, id))
			continue;
		if (at + strlen(id) + 3 > size)
			break;
		at += (size_t)snprintf(dst + at, size - at, "%s%s", at ? ", " : "", id);
	}
}

void drift_unapproved(const struct drift *d, char *dst, size_t size)
{
	size_t at = 0;

	dst[0] = 0;
	for (uint32_t i = 0; i < d->n_unapproved; i++) {
		size_t len;
		const uint8_t *id = identity_of(&d->unapproved[i], &len);

		if (at + 2 * len + 3 > size)
			break;
		if (at)
			at += (size_t)snprintf(dst + at, size - at, ", ");
		for (size_t k = 0; k < len; k++)
			at += (size_t)snprintf(dst + at, size - at, "%02x", id[k]);
	}
}
