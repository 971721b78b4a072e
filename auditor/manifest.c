// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/object.h"
#include "common/bpf_names.h"
#include "common/cleanup.h"
#include "common/json.h"

/* A set of strings that is written sorted and without doubles. Each is JSON text already. */
struct set {
	char **items;
	uint32_t n, cap;
	bool failed;
};

static void set_take(struct set *s, struct bw_buf *b)
{
	char *text = bw_buf_error(b) ? NULL : bw_buf_steal(b);

	bw_buf_free(b);
	if (!text || s->failed) {
		free(text);
		s->failed = true;
		return;
	}
	if (s->n == s->cap) {
		uint32_t cap = s->cap ? s->cap * 2 : 16;
		char **p = realloc(s->items, cap * sizeof(*p));

		if (!p) {
			free(text);
			s->failed = true;
			return;
		}
		s->items = p;
		s->cap = cap;
	}
	s->items[s->n++] = text;
}

static void set_str(struct set *s, const char *text)
{
	struct bw_buf b = { 0 };

	bw_buf_char(&b, '"');
	bw_json_escape(&b, text, strlen(text));
	bw_buf_char(&b, '"');
	set_take(s, &b);
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool set_write(struct bw_json *j, const char *key, struct set *s)
{
	if (s->n)
		qsort(s->items, s->n, sizeof(*s->items), text_compare);
	bw_json_open(j, key, '[');
	for (uint32_t i = 0; i < s->n; i++) {
		if (!i || strcmp(s->items[i], s->items[i - 1]))
			bw_json_raw(j, NULL, s->items[i], strlen(s->items[i]));
	}
	bw_json_close(j, ']');
	for (uint32_t i = 0; i < s->n; i++)
		free(s->items[i]);
	free(s->items);
	s->items = NULL;
	s->n = s->cap = 0;
	return !s->failed;
}

static void bits(struct bw_json *j, const char *key, uint32_t mask, const char *(*name)(unsigned int))
{
	struct set s = { 0 };

	for (unsigned int i = 0; i < 32; i++)
		if (mask & 1u << i)
			set_str(&s, name(i));
	set_write(j, key, &s);
}

static const char *source_by_bit(unsigned int i)
{
	return bw_source_name((enum bw_source)i);
}

static const char *carrier_by_bit(unsigned int i)
{
	return bw_carrier_name((enum bw_carrier)i);
}

static const char *origin_by_bit(unsigned int i)
{
	return bw_origin_name((enum bw_origin)i);
}

static const char *mode_by_bit(unsigned int i)
{
	return bw_map_mode_name((enum bw_map_mode)(1u << i));
}

static const char *layer_by_bit(unsigned int i)
{
	return bw_layer_name((enum bw_packet_layer)(1u << i));
}

static const char *map_name(const struct bw_object *o, int32_t map)
{
	return map >= 0 && (uint32_t)map < o->n_maps ? o->maps[map].name : "";
}

/* Bytes; null when nothing bounds them. */
static void length(struct bw_json *j, const char *key, uint64_t v)
{
	if (v == BW_LENGTH_UNBOUNDED)
		bw_json_null(j, key);
	else
		bw_json_u64(j, key, v);
}

static void literal(struct bw_json *j, const char *key, const struct bw_literal *l)
{
	if (!l->len)
		return;
	if (*l->text)
		bw_json_str(j, key, l->text);
	else
		bw_json_hex(j, key, l->bytes, l->len);
}

#define ITEM(body)                                    \
	do {                                          \
		struct bw_buf item = { 0 };           \
		struct bw_json w = { .buf = &item };  \
		bw_json_open(&w, NULL, '{');          \
		body;                                 \
		bw_json_close(&w, '}');               \
		set_take(&s, &item);                  \
	} while (0)

static bool write_flows(struct bw_json *j, const struct bw_manifest_part *p, int32_t prog)
{
	struct set s = { 0 };

	for (uint32_t i = 0; i < p->analysis->n_flows; i++) {
		const struct bw_flow *f = &p->analysis->flows[i];

		if (f->prog != prog)
			continue;
		ITEM({
			if (f->as_key)
				bw_json_bool(&w, "as_key", true);
			bits(&w, "carriers", f->carriers, carrier_by_bit);
			bw_json_str(&w, "channel", bw_channel_name(f->channel));
			if (*f->channel_detail)
				bw_json_str(&w, "channel_detail", f->channel_detail);
			if (f->derived)
				bw_json_bool(&w, "derived", true);
			literal(&w, "literal", &f->literal);
			length(&w, "max_length", f->len.max);
			length(&w, "min_length", f->len.min);
			bw_json_str(&w, "source", bw_source_name(f->source));
			if (*f->source_detail)
				bw_json_str(&w, "source_detail", f->source_detail);
			if (f->source_prog != f->prog && f->source_prog >= 0)
				bw_json_str(&w, "source_program", p->object->progs[f->source_prog].name);
		});
	}
	return set_write(j, "flows", &s);
}

static bool write_calls(struct bw_json *j, const char *key, const struct bw_call_count *c, uint32_t n)
{
	struct set s = { 0 };

	for (uint32_t i = 0; i < n; i++)
		ITEM({
			bw_json_u64(&w, "count", c[i].count);
			if (!c[i].known)
				bw_json_bool(&w, "known", false);
			bw_json_str(&w, "name", c[i].name);
		});
	return set_write(j, key, &s);
}

static bool write_maps_used(struct bw_json *j, const struct bw_manifest_part *p, const struct bw_prog_facts *f)
{
	struct set s = { 0 };

	for (uint32_t i = 0; i < f->n_maps; i++)
		ITEM({
			bits(&w, "key_sources", f->maps[i].key_sources, source_by_bit);
			bits(&w, "modes", f->maps[i].modes, mode_by_bit);
			bw_json_str(&w, "name", map_name(p->object, f->maps[i].map));
			bits(&w, "value_sources", f->maps[i].value_sources, source_by_bit);
		});
	return set_write(j, "maps", &s);
}

static bool write_acts(struct bw_json *j, const struct bw_manifest_part *p, const struct bw_prog_facts *f)
{
	struct set s = { 0 };
	bool ok = true;

	for (uint32_t i = 0; i < f->n_overrides; i++) {
		const struct bw_override *v = &f->overrides[i];

		ITEM({
			bits(&w, "from", v->from, origin_by_bit);
			bw_json_str(&w, "how", v->how);
			if (v->from_map >= 0)
				bw_json_str(&w, "map", map_name(p->object, v->from_map));
			if (v->value_known)
				bw_json_i64(&w, "value", v->value);
		});
	}
	ok &= set_write(j, "overrides", &s);
	for (uint32_t i = 0; i < f->n_packet_writes; i++) {
		const struct bw_packet_write *v = &f->packet_writes[i];

		ITEM({
			bw_json_str(&w, "how", v->how);
			bits(&w, "layers", v->layers, layer_by_bit);
			literal(&w, "literal", &v->literal);
			length(&w, "max_length", v->len.max);
			if (v->source_map >= 0)
				bw_json_str(&w, "map", map_name(p->object, v->source_map));
			bits(&w, "sources", v->sources, source_by_bit);
		});
	}
	ok &= set_write(j, "packet_writes", &s);
	for (uint32_t i = 0; i < f->n_redirects; i++)
		ITEM({
			bits(&w, "from", f->redirects[i].from, origin_by_bit);
			bw_json_str(&w, "how", f->redirects[i].how);
			if (f->redirects[i].map >= 0)
				bw_json_str(&w, "map", map_name(p->object, f->redirects[i].map));
		});
	ok &= set_write(j, "redirects", &s);
	if (f->return_values >> 63 || !f->return_values) {
		bw_json_null(j, "return_values");
	} else {
		bw_json_open(j, "return_values", '[');
		for (unsigned int i = 0; i < 63; i++)
			if (f->return_values & 1ull << i)
				bw_json_u64(j, NULL, i);
		bw_json_close(j, ']');
	}
	bw_json_str(j, "section", p->object->progs[f->prog].section);
	for (uint32_t i = 0; i < f->n_signals; i++)
		ITEM({
			bits(&w, "from", f->signals[i].from, origin_by_bit);
			bw_json_str(&w, "how", f->signals[i].helper);
			if (f->signals[i].from_map >= 0)
				bw_json_str(&w, "map", map_name(p->object, f->signals[i].from_map));
			if (f->signals[i].signal_known)
				bw_json_i64(&w, "signal", f->signals[i].signal);
		});
	ok &= set_write(j, "signals", &s);
	bw_json_bool(j, "sleepable", f->sleepable);
	for (uint32_t i = 0; i < f->n_strings; i++)
		if (*f->strings[i].literal.text)
			set_str(&s, f->strings[i].literal.text);
	ok &= set_write(j, "strings", &s);
	for (uint32_t i = 0; i < f->n_tail_calls; i++)
		ITEM({
			if (f->tail_calls[i].index_known)
				bw_json_u64(&w, "index", f->tail_calls[i].index);
			bw_json_str(&w, "map", map_name(p->object, f->tail_calls[i].map));
			if (f->tail_calls[i].target >= 0)
				bw_json_str(&w, "program", p->object->progs[f->tail_calls[i].target].name);
		});
	ok &= set_write(j, "tail_calls", &s);
	return ok;
}

static bool write_user_writes(struct bw_json *j, const struct bw_manifest_part *p, const struct bw_prog_facts *f)
{
	struct set s = { 0 };

	for (uint32_t i = 0; i < f->n_user_writes; i++) {
		const struct bw_user_write *v = &f->user_writes[i];

		ITEM({
			bw_json_str(&w, "destination", v->dst_detail);
			bits(&w, "from", v->dst, origin_by_bit);
			bw_json_str(&w, "how", v->helper);
			literal(&w, "literal", &v->literal);
			if (v->dst_map >= 0)
				bw_json_str(&w, "map", map_name(p->object, v->dst_map));
			length(&w, "max_length", v->len.max);
			bits(&w, "sources", v->sources, source_by_bit);
			if (v->dst_prog >= 0)
				bw_json_str(&w, "stored_by", p->object->progs[v->dst_prog].name);
		});
	}
	return set_write(j, "user_writes", &s);
}

static bool write_compares(struct bw_json *j, const struct bw_manifest_part *p, const struct bw_prog_facts *f)
{
	struct set s = { 0 };

	for (uint32_t i = 0; i < f->n_compares; i++) {
		const struct bw_compare *c = &f->compares[i];

		/* Numbers compared with small constants say nothing; text and packet content do. */
		if (!*c->literal.text && c->packet_off < 0)
			continue;
		ITEM({
			bw_json_str(&w, "data", c->detail);
			literal(&w, "literal", &c->literal);
			bits(&w, "sources", c->sources, source_by_bit);
		});
	}
	return set_write(j, "compares", &s);
}

static bool write_program(struct bw_json *j, const struct bw_manifest_part *p, uint32_t i)
{
	const struct bw_prog *prog = &p->object->progs[i];
	const struct bw_prog_facts *f = &p->analysis->progs[i];
	const char *type = bw_prog_type_name(prog->def.prog_type);
	const char *attach = prog->def.attach_type >= 0 ? bw_attach_type_name((uint32_t)prog->def.attach_type) : NULL;
	struct set s = { 0 };
	bool ok = true;

	bw_json_open(j, NULL, '{');
	bw_json_str(j, "attach_type", attach ? attach : "");
	ok &= write_compares(j, p, f);
	{
		struct set flags = { 0 };

		if (f->attach_internal)
			set_str(&flags, "attached-to-bpf");
		if (f->uses_bpf_loop)
			set_str(&flags, "loops");
		if (f->uses_callbacks)
			set_str(&flags, "callbacks");
		if (f->uses_exceptions)
			set_str(&flags, "exceptions");
		if (f->uses_arena)
			set_str(&flags, "arena");
		if (f->enters_user_loop)
			set_str(&flags, "scans-user-memory");
		if (f->checksum_fixups)
			set_str(&flags, "fixes-checksums");
		if (f->packet_resizes)
			set_str(&flags, "resizes-packets");
		if (f->dns_compares)
			set_str(&flags, "knows-dns");
		ok &= set_write(j, "features", &flags);
	}
	ok &= write_flows(j, p, (int32_t)i);
	ok &= write_calls(j, "helpers", f->helpers, f->n_helpers);
	ok &= write_calls(j, "kfuncs", f->kfuncs, f->n_kfuncs);
	ok &= write_maps_used(j, p, f);
	bw_json_str(j, "name", prog->name);
	if (*p->name)
		bw_json_str(j, "object", p->name);
	ok &= write_acts(j, p, f);
	bw_json_str(j, "target", prog->def.target ? prog->def.target : "");
	bw_json_str(j, "type", type ? type : "unspec");
	for (uint32_t k = 0; k < f->n_unanalysed; k++)
		set_str(&s, f->unanalysed[k].reason);
	ok &= set_write(j, "unanalysed", &s);
	ok &= write_user_writes(j, p, f);
	bw_json_close(j, '}');
	return ok;
}

struct order {
	uint32_t part, prog;
	const char *name;
};

static int order_compare(const void *pa, const void *pb)
{
	const struct order *a = pa, *b = pb;
	int c = strcmp(a->name, b->name);

	if (c)
		return c;
	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	return a->prog < b->prog ? -1 : a->prog > b->prog;
}

static bool write_map_definitions(struct bw_json *j, const struct bw_manifest_part *parts, uint32_t n)
{
	struct set s = { 0 };

	for (uint32_t k = 0; k < n; k++)
		for (uint32_t i = 0; i < parts[k].object->n_maps; i++) {
			const struct bw_map *m = &parts[k].object->maps[i];
			const char *type = bw_map_type_name(m->type);

			ITEM({
				bw_json_u64(&w, "flags", m->flags);
				bw_json_u64(&w, "key_size", m->key_size);
				bw_json_u64(&w, "max_entries", m->max_entries);
				bw_json_str(&w, "name", m->name);
				if (*parts[k].name)
					bw_json_str(&w, "object", parts[k].name);
				bw_json_bool(&w, "pinned", m->pinning != 0);
				bw_json_str(&w, "type", type ? type : "unspec");
				bw_json_u64(&w, "value_size", m->value_size);
			});
		}
	return set_write(j, "maps", &s);
}

static bool write_shared(struct bw_json *j, const struct bw_manifest_part *parts, uint32_t n)
{
	struct set s = { 0 };

	for (uint32_t k = 0; k < n; k++)
		for (uint32_t i = 0; i < parts[k].analysis->n_cross; i++) {
			const struct bw_cross_flow *c = &parts[k].analysis->cross[i];
			const struct bw_object *o = parts[k].object;

			ITEM({
				struct set channels = { 0 };

				for (unsigned int ch = 0; ch < BW_CH_COUNT_; ch++)
					if (c->reader_channels & BW_CH_BIT(ch))
						set_str(&channels, bw_channel_name((enum bw_channel)ch));
				set_write(&w, "channels", &channels);
				bw_json_str(&w, "map", map_name(o, c->map));
				bw_json_str(&w, "reader", o->progs[c->reader].name);
				bits(&w, "sources", c->sources, source_by_bit);
				bw_json_str(&w, "writer", o->progs[c->writer].name);
			});
		}
	return set_write(j, "shared", &s);
}

int bw_manifest_write(const struct bw_manifest_part *parts, uint32_t n, struct bw_buf *out)
{
	struct bw_json j = { .buf = out, .indent = 2 };
	_cleanup_free_ struct order *order = NULL;
	uint32_t n_progs = 0, at = 0;
	bool complete = true, ok = true;

	for (uint32_t k = 0; k < n; k++) {
		n_progs += parts[k].object->n_progs;
		complete &= parts[k].analysis->complete && !parts[k].object->incomplete;
	}
	order = calloc(n_progs + 1, sizeof(*order));
	if (!order)
		return -ENOMEM;
	for (uint32_t k = 0; k < n; k++)
		for (uint32_t i = 0; i < parts[k].object->n_progs; i++)
			order[at++] = (struct order){ k, i, parts[k].object->progs[i].name };
	qsort(order, n_progs, sizeof(*order), order_compare);
	bw_json_open(&j, NULL, '{');
	ok &= write_map_definitions(&j, parts, n);
	bw_json_open(&j, "programs", '[');
	for (uint32_t i = 0; i < n_progs; i++)
		ok &= write_program(&j, &parts[order[i].part], order[i].prog);
	bw_json_close(&j, ']');
	ok &= write_shared(&j, parts, n);
	bw_json_str(&j, "status", complete ? "ok" : "incomplete");
	bw_json_u64(&j, "version", BW_MANIFEST_VERSION);
	bw_json_close(&j, '}');
	bw_buf_char(out, '\n');
	return bw_buf_error(out) ? bw_buf_error(out) : ok ? 0 : -ENOMEM;
}
