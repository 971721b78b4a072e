// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which vulnerabilities the change log of a kernel's package names. A distribution that fixes without changing the number of the
 * release says so there, and only there. Pure: bytes in, identifiers out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/posture/posture.h"
#include "common/cleanup.h"

#define MAX_IDS 65536u

static bool digits(struct bw_slice s, size_t *at, size_t min, size_t max, uint32_t *ret)
{
	size_t n = 0;
	uint32_t v = 0;

	for (; n < max && *at + n < s.len && s.data[*at + n] >= '0' && s.data[*at + n] <= '9'; n++)
		v = v * 10 + (uint32_t)(s.data[*at + n] - '0');
	if (n < min)
		return false;
	*at += n;
	*ret = v;
	return true;
}

/* "CVE-2021-3490" at @at, which is moved behind it. */
static bool id_at(struct bw_slice s, size_t *at, struct posture_cve_id *ret)
{
	size_t p = *at + 4;
	struct posture_cve_id id;

	if (s.len - *at < 4 || memcmp(s.data + *at, "CVE-", 4) || !digits(s, &p, 4, 4, &id.year) || p >= s.len || s.data[p++] != '-' ||
	    !digits(s, &p, 4, 8, &id.number))
		return false;
	*at = p;
	*ret = id;
	return true;
}

bool posture_cve_id_parse(const char *text, struct posture_cve_id *ret)
{
	struct bw_slice s = bw_slice(text, strlen(text));
	size_t at = 0;

	return id_at(s, &at, ret) && at == s.len;
}

static int id_compare(const void *a, const void *b)
{
	const struct posture_cve_id *x = a, *y = b;

	return x->year != y->year ? (x->year < y->year ? -1 : 1) : x->number != y->number ? (x->number < y->number ? -1 : 1) : 0;
}

int posture_changelog_scan(struct bw_slice text, struct bw_arena *a, struct posture_changelog *ret)
{
	struct posture_changelog c = { .from = "" };
	size_t cap = 0, kept = 0;

	for (size_t at = 0; at < text.len;) {
		const uint8_t *hit = memchr(text.data + at, 'C', text.len - at);
		struct posture_cve_id id;

		if (!hit)
			break;
		at = (size_t)(hit - text.data);
		if (!id_at(text, &at, &id)) {
			at++;
			continue;
		}
		/* More than there are: what comes later is the oldest, and counts as not named. */
		if (c.n_ids == MAX_IDS)
			break;
		if (!bw_arena_grow(a, &c.ids, c.n_ids, &cap, sizeof(*c.ids)))
			return -ENOMEM;
		c.ids[c.n_ids++] = id;
	}
	if (c.n_ids)
		qsort(c.ids, c.n_ids, sizeof(*c.ids), id_compare);
	for (size_t i = 0; i < c.n_ids; i++)
		if (!i || id_compare(&c.ids[i], &c.ids[kept - 1]))
			c.ids[kept++] = c.ids[i];
	c.n_ids = kept;
	*ret = c;
	return 0;
}

bool posture_changelog_names(const struct posture_changelog *c, const char *cve)
{
	struct posture_cve_id id;

	return c->n_ids && posture_cve_id_parse(cve, &id) && bsearch(&id, c->ids, c->n_ids, sizeof(id), id_compare);
}

/*
 * deb-changelog(5): "PACKAGE (VERSION) DISTRIBUTIONS; METADATA" begins an entry, newest first. What is above the entry of the kernel that
 * runs was installed later.
 */
bool posture_changelog_since(struct bw_slice text, const char *version, struct bw_slice *ret)
{
	size_t len = strlen(version);

	for (size_t at = 0; len && at < text.len;) {
		const uint8_t *line = text.data + at, *end = memchr(line, '\n', text.len - at), *open;
		size_t n = end ? (size_t)(end - line) : text.len - at;

		open = n && *line != ' ' && *line != '\t' ? memchr(line, '(', n) : NULL;
		if (open && (size_t)(line + n - open) > len + 1 && !memcmp(open + 1, version, len) && open[1 + len] == ')')
			return bw_slice_sub(text, at, text.len - at, ret);
		at += n + 1;
	}
	return false;
}

/* "Ubuntu 5.15.0-91.101-generic 5.15.131": the second word without its last part, the flavour. */
bool posture_ubuntu_version(const char *signature, char *ret, size_t size)
{
	const char *p = strchr(signature, ' '), *end, *flavour;

	if (!p)
		return false;
	p++;
	end = p + strcspn(p, " ");
	flavour = memrchr(p, '-', (size_t)(end - p));
	/* "5.15.0-generic" has no number of the upload in it */
	if (!flavour || !memchr(p, '-', (size_t)(flavour - p)) || (size_t)(flavour - p) >= size)
		return false;
	memcpy(ret, p, (size_t)(flavour - p));
	ret[flavour - p] = 0;
	return true;
}

/*
 * The header of an installed package, as the database keeps it (RPM's "Package File Format", Header Structure):
 *
 *   u32 entries | u32 bytes | entries * { u32 tag, u32 type, u32 offset, u32 count } | data
 *
 * all big endian; strings end with NUL, and those of an array follow one another.
 */
#define RPM_STRING 6u
#define RPM_ARRAY  8u
#define RPM_I18N   9u
#define MAX_TAGS   65536u
#define MAX_DATA   (64u << 20)

static bool strings_at(struct bw_slice data, uint32_t offset, uint32_t count, struct bw_slice *ret)
{
	uint64_t at = offset;

	for (uint32_t i = 0; i < count; i++) {
		const char *s = bw_slice_str(data, at);

		if (!s)
			return false;
		at += strlen(s) + 1;
	}
	return bw_slice_sub(data, offset, at - offset, ret);
}

int posture_rpm_parse(struct bw_slice header, struct posture_rpm *ret)
{
	struct posture_rpm r = { .name = "" };
	uint32_t n, bytes;
	struct bw_slice index, data;

	if (header.len < 8)
		return -EBADMSG;
	n = bw_get_u32(header.data, true);
	bytes = bw_get_u32(header.data + 4, true);
	if (n > MAX_TAGS || bytes > MAX_DATA || !bw_slice_sub(header, 8, (uint64_t)n * 16, &index) ||
	    !bw_slice_sub(header, 8 + (uint64_t)n * 16, bytes, &data))
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *e = index.data + (size_t)i * 16;
		uint32_t type = bw_get_u32(e + 4, true), offset = bw_get_u32(e + 8, true), count = bw_get_u32(e + 12, true);
		const char **text = NULL;

		switch (bw_get_u32(e, true)) {
		case 1000: text = &r.name; break;
		case 1001: text = &r.version; break;
		case 1002: text = &r.release; break;
		case 1022: text = &r.arch; break;
		case 1082:
			if ((type != RPM_ARRAY && type != RPM_I18N) || !strings_at(data, offset, count, &r.changelog))
				return -EBADMSG;
			break;
		default: break;
		}
		if (text && (type != RPM_STRING || !(*text = bw_slice_str(data, offset))))
			return -EBADMSG;
	}
	if (!*r.name || !r.version || !r.release || !r.arch)
		return -EBADMSG;
	*ret = r;
	return 0;
}

/* uname(2) says VERSION-RELEASE.ARCH, and behind "+" which of the builds of one package it is ("+rt", "+debug"). */
bool posture_rpm_is_kernel(const struct posture_rpm *r, const char *release)
{
	size_t len = strcspn(release, "+"), v = strlen(r->version), rel = strlen(r->release), arch = strlen(r->arch);

	return len == v + 1 + rel + 1 + arch && !memcmp(release, r->version, v) && release[v] == '-' && !memcmp(release + v + 1, r->release, rel) &&
	       release[v + 1 + rel] == '.' && !memcmp(release + v + 1 + rel + 1, r->arch, arch);
}
