// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/exchange.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 1024u

struct exchange_block {
	struct exchange_block *next;
	size_t size, used;
	char bytes[];
};

struct exchange *exchange_new(struct api_budget *budget)
{
	struct exchange *x;

	if (!api_budget_take(budget, sizeof(*x)))
		return NULL;
	x = calloc(1, sizeof(*x));
	if (!x) {
		api_budget_give(budget, sizeof(*x));
		return NULL;
	}
	x->budget = budget;
	x->memory = sizeof(*x);
	x->content_length[0] = x->content_length[1] = UINT64_MAX;
	x->call.method = x->call.scheme = x->call.host = x->call.path = x->call.operation = "";
	x->call.comm = x->call.exe = "";
	x->call.request.content_type = x->call.request.coding = "";
	x->call.response.content_type = x->call.response.coding = "";
	x->call.grpc_status = -1;
	x->boundary[0] = x->boundary[1] = "";
	return x;
}

void exchange_free(struct exchange *x)
{
	struct exchange_block *next;

	if (!x)
		return;
	exchange_body_free(x, EXCHANGE_REQUEST);
	exchange_body_free(x, EXCHANGE_RESPONSE);
	for (struct exchange_block *b = x->blocks; b; b = next) {
		next = b->next;
		explicit_bzero(b->bytes, b->used);
		free(b);
	}
	free(x->grpc[EXCHANGE_REQUEST]);
	free(x->grpc[EXCHANGE_RESPONSE]);
	free(x->name_hash);
	free(x->call.fields);
	free(x->call.pii);
	free(x->call.extracted);
	api_budget_give(x->budget, x->memory);
	free(x);
}

/* More memory for the record: within the budget and within what one record may have. */
static bool grow(struct exchange *x, size_t n)
{
	if (x->memory + n > API_CALL_MAX_MEMORY || !api_budget_take(x->budget, n)) {
		x->call.flags |= API_CALL_LIMIT;
		return false;
	}
	x->memory += n;
	return true;
}

static char *alloc(struct exchange *x, size_t n)
{
	struct exchange_block *b = x->blocks;

	if (!b || b->size - b->used < n) {
		size_t size = n > BLOCK_SIZE - sizeof(*b) ? n : BLOCK_SIZE - sizeof(*b);

		if (!grow(x, sizeof(*b) + size))
			return NULL;
		b = malloc(sizeof(*b) + size);
		if (!b) {
			x->memory -= sizeof(*b) + size;
			api_budget_give(x->budget, sizeof(*b) + size);
			x->call.flags |= API_CALL_LIMIT;
			return NULL;
		}
		*b = (struct exchange_block){ .next = x->blocks, .size = size };
		x->blocks = b;
	}
	b->used += n;
	return b->bytes + b->used - n;
}

const char *exchange_text(struct exchange *x, struct bw_slice s, size_t max)
{
	size_t n = s.len < max ? s.len : max;
	char *p;

	if (!n)
		return "";
	p = alloc(x, n + 1);
	if (!p)
		return "";
	for (size_t i = 0; i < n; i++)
		p[i] = s.data[i] < ' ' || s.data[i] == 0x7f ? '?' : (char)s.data[i];
	p[n] = '\0';
	return p;
}

const char *exchange_text_lower(struct exchange *x, struct bw_slice s, size_t max)
{
	const char *text = exchange_text(x, s, max);

	/* It was allocated just now, or is empty. */
	for (char *p = (char *)text; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p | 0x20);
	return text;
}

/* Makes room for one more in a list. */
static bool room(struct exchange *x, void **list, uint32_t n, uint32_t *cap, uint32_t max, size_t size)
{
	uint32_t more = *cap ? *cap : 8;
	void *p;

	if (n < *cap)
		return true;
	if (*cap >= max) {
		x->call.flags |= API_CALL_LIMIT;
		return false;
	}
	if (!grow(x, more * size))
		return false;
	p = realloc(*list, (*cap + more) * size);
	if (!p) {
		x->memory -= more * size;
		api_budget_give(x->budget, more * size);
		x->call.flags |= API_CALL_LIMIT;
		return false;
	}
	*list = p;
	*cap += more;
	return true;
}

static uint32_t hash_name(enum api_place place, const char *name)
{
	uint32_t h = 2166136261u ^ (uint32_t)place;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

void exchange_field(struct exchange *x, enum api_place place, const char *name, uint32_t types)
{
	struct api_call *c = &x->call;
	uint32_t hash = hash_name(place, name), cap = x->fields_cap;
	struct api_field f = { .place = place, .types = types };

	for (uint32_t i = 0; i < c->nfields; i++) {
		if (x->name_hash[i] == hash && c->fields[i].place == place && !strcmp(c->fields[i].name, name)) {
			c->fields[i].types |= types;
			return;
		}
	}
	/* Two lists that grow together: the second one first, so that a failure leaves them as long as the first says. */
	if (!room(x, (void **)&x->name_hash, c->nfields, &cap, API_CALL_MAX_FIELDS, sizeof(*x->name_hash)) ||
	    !room(x, (void **)&c->fields, c->nfields, &x->fields_cap, API_CALL_MAX_FIELDS, sizeof(*c->fields)))
		return;
	f.name = exchange_text(x, bw_slice(name, strlen(name)), API_MAX_NAME - 1);
	if (!*f.name && *name)
		return;
	x->name_hash[c->nfields] = hash;
	c->fields[c->nfields++] = f;
}

void exchange_pii(struct exchange *x, enum api_place place, const char *name, uint16_t class_id, const char *class_name, uint64_t hash)
{
	struct api_call *c = &x->call;

	for (uint32_t i = 0; i < c->npii; i++) {
		struct api_pii_hit *p = &c->pii[i];

		if (p->place == place && p->class_id == class_id && !strcmp(p->name, name)) {
			p->count++;
			return;
		}
	}
	if (!room(x, (void **)&c->pii, c->npii, &x->pii_cap, API_CALL_MAX_PII, sizeof(*c->pii)))
		return;
	c->pii[c->npii++] = (struct api_pii_hit){
		.place = place, .class_id = class_id, .count = 1, .hash = hash, .class_name = class_name,
		.name = exchange_text(x, bw_slice(name, strlen(name)), API_MAX_NAME - 1),
	};
}

void exchange_grpc(struct exchange *x, enum exchange_side side)
{
	if (!x->grpc[side] && grow(x, sizeof(*x->grpc[side]))) {
		x->grpc[side] = calloc(1, sizeof(*x->grpc[side]));
		if (!x->grpc[side]) {
			x->memory -= sizeof(*x->grpc[side]);
			api_budget_give(x->budget, sizeof(*x->grpc[side]));
		}
	}
}

void exchange_extracted(struct exchange *x, const char *name, struct bw_slice value)
{
	struct api_call *c = &x->call;

	if (!room(x, (void **)&c->extracted, c->nextracted, &x->extracted_cap, API_CALL_MAX_EXTRACTED, sizeof(*c->extracted)))
		return;
	c->extracted[c->nextracted++] = (struct api_extracted){
		.name = exchange_text(x, bw_slice(name, strlen(name)), API_MAX_NAME - 1), .value = exchange_text(x, value, 1024),
	};
}

void exchange_body_add(struct exchange *x, enum exchange_side side, struct bw_slice data, size_t max)
{
	struct exchange_body *b = &x->body[side];
	struct api_message *m = exchange_message(x, side);
	size_t n, cap;

	m->has_body |= data.len > 0;
	m->body_bytes += data.len;
	if (x->grpc[side])
		grpc_feed(x->grpc[side], data);
	if (b->broken || b->cut)
		return;
	n = max - b->len < data.len ? max - b->len : data.len;
	if (b->len + n > b->cap) {
		uint8_t *p = NULL;

		for (cap = b->cap ? b->cap : 512; cap < b->len + n; cap *= 2)
			;
		if (cap > max)
			cap = max;
		if (api_budget_take(x->budget, cap - b->cap)) {
			p = malloc(cap);
			if (!p)
				api_budget_give(x->budget, cap - b->cap);
		}
		if (!p) {
			b->cut = true;
			return;
		}
		if (b->data) {
			memcpy(p, b->data, b->len);
			explicit_bzero(b->data, b->cap);
			free(b->data);
		}
		x->memory += cap - b->cap;
		b->data = p;
		b->cap = cap;
	}
	if (n)
		memcpy(b->data + b->len, data.data, n);
	b->len += n;
	b->cut = n < data.len;
}

void exchange_body_gap(struct exchange *x, enum exchange_side side, uint64_t n)
{
	struct api_message *m = exchange_message(x, side);

	m->has_body = true;
	m->body_bytes += n;
	m->missing_bytes += n;
	if (n) {
		x->body[side].broken = true;
		if (x->grpc[side])
			grpc_gap(x->grpc[side], n);
	}
}

void exchange_body_free(struct exchange *x, enum exchange_side side)
{
	struct exchange_body *b = &x->body[side];

	if (b->data)
		explicit_bzero(b->data, b->cap);
	free(b->data);
	api_budget_give(x->budget, b->cap);
	x->memory -= b->cap;
	b->data = NULL;
	b->len = b->cap = 0;
}
