// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/block/block.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static const char *const kind_names[BLOCK_KINDS] = { "address", "header", "login", "service" };
static const char *const server_names[BLOCK_SERVER_KINDS] = { "nginx", "haproxy", "envoy", "modsecurity" };
static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static int id_of(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

const char *block_kind_name(enum block_kind k)
{
	return kind_names[k];
}

const char *block_server_name(enum block_server_kind k)
{
	return server_names[k];
}

int block_kind_id(const char *name)
{
	return id_of(kind_names, BLOCK_KINDS, name);
}

int block_server_id(const char *name)
{
	return id_of(server_names, BLOCK_SERVER_KINDS, name);
}

/* ---- addresses ------------------------------------------------------------------------------------------------------------- */

bool block_prefix_is_v4(const struct block_prefix *p)
{
	return p->len >= 96 && !memcmp(p->address, mapped, sizeof(mapped));
}

/* The first @len bits are equal. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int len)
{
	return !memcmp(a, b, len / 8) && (!(len % 8) || !((a[len / 8] ^ b[len / 8]) >> (8 - len % 8)));
}

bool block_prefix_overlaps(const struct block_prefix *a, const struct block_prefix *b)
{
	return same_bits(a->address, b->address, a->len < b->len ? a->len : b->len);
}

int block_prefix_read(const char *text, struct block_prefix *ret)
{
	const char *slash = strchr(text, '/');
	struct block_prefix p = { .len = 128 };
	char address[INET6_ADDRSTRLEN];
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	unsigned int most;
	bool v4;

	if (n >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, n);
	address[n] = 0;
	v4 = inet_pton(AF_INET, address, p.address + 12) == 1;
	if (v4)
		memcpy(p.address, mapped, sizeof(mapped));
	else if (inet_pton(AF_INET6, address, p.address) != 1)
		return -EINVAL;
	most = v4 ? 32 : 128;
	if (slash) {
		unsigned long len;
		char *end;

		if (slash[1] < '0' || slash[1] > '9')
			return -EINVAL;
		len = strtoul(slash + 1, &end, 10);
		if (*end || len > most)
			return -EINVAL;
		p.len = (uint8_t)(len + 128 - most);
	}
	for (unsigned int bit = p.len; bit < 128; bit++)
		if (p.address[bit / 8] >> (7 - bit % 8) & 1)
			return -EINVAL;
	*ret = p;
	return 0;
}

void block_prefix_text(const struct block_prefix *p, char text[BLOCK_PREFIX_TEXT])
{
	bool v4 = block_prefix_is_v4(p);
	char address[INET6_ADDRSTRLEN];

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? p->address + 12 : p->address, address, sizeof(address));
	if (p->len == 128)
		snprintf(text, BLOCK_PREFIX_TEXT, "%s", address);
	else
		snprintf(text, BLOCK_PREFIX_TEXT, "%s/%d", address, v4 ? p->len - 96 : p->len);
}

int block_duration_read(const char *text, uint32_t *ret)
{
	static const struct {
		char unit;
		unsigned int seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	unsigned long n;
	char *end;

	if (*text < '0' || *text > '9' || strlen(text) > 9)
		return -EINVAL;
	n = strtoul(text, &end, 10);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (*end == units[i].unit && !end[1]) {
			if (!n || n > BLOCK_MAX_SECONDS / units[i].seconds)
				return -ERANGE;
			*ret = (uint32_t)(n * units[i].seconds);
			return 0;
		}
	return -EINVAL;
}

/* ---- what may be blocked ----------------------------------------------------------------------------------------------------- */

/* Printable: no control characters, which no header can hold and no rule file should. */
static bool printable(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s == 0x7f)
			return false;
	return true;
}

const char *block_check_header(const char *name, const char *value)
{
	size_t n = strlen(name);

	/* RFC 9110, section 5.1, without what servers disagree about: nginx turns "-" into "_", and drops names with "_". */
	if (!n || n >= sizeof(((struct block *)0)->name) ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != n)
		return "a header's name is letters, digits and \"-\", at most 63";
	if (!*value || strlen(value) > BLOCK_MAX_VALUE)
		return "a header's value is 1 to 256 bytes";
	if (value[0] == ' ' || value[strlen(value) - 1] == ' ')
		return "a header's value neither begins nor ends with a blank: servers take them off";
	return printable(value) ? NULL : "a header's value has no control characters";
}

const char *block_check_login(const char *login)
{
	if (!*login || strlen(login) > BLOCK_MAX_VALUE)
		return "a login is 1 to 256 bytes";
	/* RFC 7617, section 2: the first colon ends the user's name. */
	if (strchr(login, ':'))
		return "a login has no \":\"";
	return printable(login) ? NULL : "a login has no control characters";
}

const char *block_check_text(const char *text)
{
	if (!*text || strlen(text) > BLOCK_MAX_TEXT)
		return "1 to 200 bytes";
	return printable(text) ? NULL : "no control characters";
}

static int admit_address(const struct block_list *l, const struct block *b, const struct block_prefix *never, uint32_t n_never, char *buf, size_t size)
{
	bool v4 = block_prefix_is_v4(&b->address);
	char text[BLOCK_PREFIX_TEXT];

	if (b->address.len < (v4 ? 96 + BLOCK_MIN_PREFIX4 : BLOCK_MIN_PREFIX6)) {
		snprintf(buf, size, "wider than /%u", v4 ? BLOCK_MIN_PREFIX4 : BLOCK_MIN_PREFIX6);
		return -EPERM;
	}
	for (uint32_t i = 0; i < n_never; i++)
		if (block_prefix_overlaps(&b->address, &never[i])) {
			block_prefix_text(&never[i], text);
			snprintf(buf, size, "%s is never blocked (this host, its gateway, a session, or the settings)", text);
			return -EPERM;
		}
	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].kind == BLOCK_ADDRESS && block_prefix_overlaps(&b->address, &l->v[i].address)) {
			block_prefix_text(&l->v[i].address, text);
			snprintf(buf, size, "block %u is about %s already; remove that first", l->v[i].id, text);
			return -EEXIST;
		}
	return 0;
}

int block_admit(const struct block_list *l, const struct block *b, const struct block_prefix *never, uint32_t n_never, uint32_t limit,
		char *buf, size_t size)
{
	const char *why = block_check_text(b->owner);

	if (!why)
		why = block_check_text(b->reason);
	if (!why && b->kind == BLOCK_HEADER)
		why = block_check_header(b->name, b->value);
	if (!why && b->kind == BLOCK_LOGIN)
		why = block_check_login(b->value);
	if (!why && (b->expires_s <= b->created_s || b->expires_s - b->created_s > BLOCK_MAX_SECONDS))
		why = "a block ends after 1 second to 90 days";
	if (why) {
		snprintf(buf, size, "%s", why);
		return -EINVAL;
	}
	if (l->n >= limit) {
		snprintf(buf, size, "there are %u blocks already, which is the limit", l->n);
		return -ENOSPC;
	}
	if (b->kind == BLOCK_ADDRESS)
		return admit_address(l, b, never, n_never, buf, size);
	for (uint32_t i = 0; i < l->n; i++) {
		const struct block *o = &l->v[i];

		if (o->kind == b->kind && ((b->kind == BLOCK_SERVICE && !strcmp(o->cgroup, b->cgroup)) ||
					   (b->kind != BLOCK_SERVICE && !strcasecmp(o->name, b->name) && !strcmp(o->value, b->value)))) {
			snprintf(buf, size, "block %u does that already", o->id);
			return -EEXIST;
		}
	}
	return 0;
}

/* ---- the list ------------------------------------------------------------------------------------------------------------------ */

int block_append(struct block_list *l, const struct block *b)
{
	struct block *v = realloc(l->v, (l->n + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	l->v = v;
	v[l->n++] = *b;
	if (b->id >= l->next_id)
		l->next_id = b->id + 1;
	return 0;
}

struct block *block_find(const struct block_list *l, uint32_t id)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].id == id)
			return &l->v[i];
	return NULL;
}

bool block_drop(struct block_list *l, uint32_t id)
{
	struct block *b = block_find(l, id);

	if (!b)
		return false;
	memmove(b, b + 1, (size_t)(l->v + l->n - (b + 1)) * sizeof(*b));
	l->n--;
	return true;
}

void block_expire(struct block_list *l, int64_t now_s, void (*fn)(void *arg, const struct block *b), void *arg)
{
	for (uint32_t i = 0; i < l->n;) {
		if (l->v[i].expires_s > now_s) {
			i++;
			continue;
		}
		if (fn)
			fn(arg, &l->v[i]);
		block_drop(l, l->v[i].id);
	}
}
