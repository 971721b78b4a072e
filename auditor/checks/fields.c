// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The fields of facts that a rule's conditions can name: one table. */
#include <errno.h>
#include <string.h>

#include "auditor/checks/facts.h"
#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/cleanup.h"

#define K(kind) (1u << BW_FACT_##kind)
#define K_ALL ((1u << BW_FACT_COUNT_) - 1)
#define GET(name) static void name(const struct bw_facts *x, const struct bw_fact *f, struct bw_value *v)

static int bit_id(const char *(*name)(unsigned int), unsigned int n, const char *word)
{
	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(name(i), word))
			return (int)i;
	return -1;
}

static const char *effect_of(unsigned int i)
{
	return bw_effect_name(1u << i);
}

static const char *layer_of(unsigned int i)
{
	return bw_layer_name(1u << i);
}

static const char *mode_of(unsigned int i)
{
	return bw_map_mode_name(1u << i);
}

static int effect_id(const char *name)
{
	return bit_id(effect_of, 10, name);
}

static int layer_id(const char *name)
{
	return bit_id(layer_of, 6, name);
}

static int mode_id(const char *name)
{
	return bit_id(mode_of, 10, name);
}

static int64_t bounded(uint64_t v)
{
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

static const char *map_name(const struct bw_facts *x, int32_t map)
{
	return map >= 0 && map < (int32_t)x->o->n_maps ? x->o->maps[map].name : "";
}

static const char *map_type(const struct bw_facts *x, int32_t map)
{
	const char *name = NULL;

	if (map >= 0 && map < (int32_t)x->o->n_maps)
		name = bw_map_type_name(x->o->maps[map].type);
	return name ? name : "";
}

static const struct bw_prog_facts *prog_of(const struct bw_facts *x, const struct bw_fact *f)
{
	return x->a && f->prog >= 0 && f->prog < (int32_t)x->a->n_progs ? &x->a->progs[f->prog] : NULL;
}

static const struct bw_hook *hook_of(const struct bw_facts *x, int32_t prog)
{
	static const struct bw_hook none = { .target = "", .syscall = "", .library = "" };

	return prog >= 0 && prog < (int32_t)x->o->n_progs ? &x->hooks[prog] : &none;
}

static const struct bw_length *length_of(const struct bw_fact *f)
{
	switch (f->kind) {
	case BW_FACT_FLOW:
		return &((const struct bw_flow *)f->p)->len;
	case BW_FACT_USER_WRITE:
		return &((const struct bw_user_write *)f->p)->len;
	case BW_FACT_PACKET_WRITE:
		return &((const struct bw_packet_write *)f->p)->len;
	default:
		return NULL;
	}
}

static const struct bw_literal *literal_of(const struct bw_fact *f)
{
	switch (f->kind) {
	case BW_FACT_FLOW:
		return &((const struct bw_flow *)f->p)->literal;
	case BW_FACT_USER_WRITE:
		return &((const struct bw_user_write *)f->p)->literal;
	case BW_FACT_COMPARE:
		return &((const struct bw_compare *)f->p)->literal;
	case BW_FACT_PACKET_WRITE:
		return &((const struct bw_packet_write *)f->p)->literal;
	default:
		return NULL;
	}
}

static uint32_t sources_of(const struct bw_fact *f)
{
	switch (f->kind) {
	case BW_FACT_FLOW:
		return BW_SRC_BIT(((const struct bw_flow *)f->p)->source);
	case BW_FACT_USER_WRITE:
		return ((const struct bw_user_write *)f->p)->sources;
	case BW_FACT_COMPARE:
		return ((const struct bw_compare *)f->p)->sources;
	case BW_FACT_PACKET_WRITE:
		return ((const struct bw_packet_write *)f->p)->sources;
	case BW_FACT_CROSS:
		return ((const struct bw_cross_flow *)f->p)->sources;
	case BW_FACT_MAP_USE:
		return ((const struct bw_map_use *)f->p)->value_sources;
	default:
		return 0;
	}
}

static const char *detail_of(const struct bw_fact *f)
{
	switch (f->kind) {
	case BW_FACT_FLOW:
		return ((const struct bw_flow *)f->p)->source_detail;
	case BW_FACT_USER_WRITE:
		return ((const struct bw_user_write *)f->p)->dst_detail;
	case BW_FACT_COMPARE:
		return ((const struct bw_compare *)f->p)->detail;
	default:
		return "";
	}
}

static const char *helper_of(const struct bw_fact *f)
{
	switch (f->kind) {
	case BW_FACT_USER_WRITE:
		return ((const struct bw_user_write *)f->p)->helper;
	case BW_FACT_OVERRIDE:
		return ((const struct bw_override *)f->p)->how;
	case BW_FACT_SIGNAL:
		return ((const struct bw_signal *)f->p)->helper;
	case BW_FACT_PACKET_WRITE:
		return ((const struct bw_packet_write *)f->p)->how;
	case BW_FACT_REDIRECT:
		return ((const struct bw_redirect *)f->p)->how;
	case BW_FACT_STRING:
		return ((const struct bw_constant *)f->p)->helper;
	case BW_FACT_CALL:
		return ((const struct bw_call_count *)f->p)->name;
	default:
		return "";
	}
}

static uint32_t from_of(const struct bw_fact *f)
{
	switch (f->kind) {
	case BW_FACT_USER_WRITE:
		return ((const struct bw_user_write *)f->p)->dst;
	case BW_FACT_OVERRIDE:
		return ((const struct bw_override *)f->p)->from;
	case BW_FACT_SIGNAL:
		return ((const struct bw_signal *)f->p)->from;
	case BW_FACT_REDIRECT:
		return ((const struct bw_redirect *)f->p)->from;
	default:
		return 0;
	}
}

static int32_t map_of(const struct bw_fact *f)
{
	switch (f->kind) {
	case BW_FACT_FLOW:
		return ((const struct bw_flow *)f->p)->map;
	case BW_FACT_USER_WRITE:
		return ((const struct bw_user_write *)f->p)->dst_map;
	case BW_FACT_OVERRIDE:
		return ((const struct bw_override *)f->p)->from_map;
	case BW_FACT_SIGNAL:
		return ((const struct bw_signal *)f->p)->from_map;
	case BW_FACT_COMPARE:
		return ((const struct bw_compare *)f->p)->map;
	case BW_FACT_PACKET_WRITE:
		return ((const struct bw_packet_write *)f->p)->source_map;
	case BW_FACT_REDIRECT:
		return ((const struct bw_redirect *)f->p)->map;
	case BW_FACT_TAIL_CALL:
		return ((const struct bw_tail_call *)f->p)->map;
	case BW_FACT_MAP_USE:
		return ((const struct bw_map_use *)f->p)->map;
	case BW_FACT_CROSS:
		return ((const struct bw_cross_flow *)f->p)->map;
	default:
		return BW_NONE;
	}
}

/* ---- what several kinds have -------------------------------------------------------------------------------------- */
GET(get_source) { v->bits = sources_of(f); }
GET(get_detail) { v->text = detail_of(f); }
GET(get_helper) { v->text = helper_of(f); }
GET(get_from) { v->bits = from_of(f); }
GET(get_map) { v->text = map_name(x, map_of(f)); }
GET(get_map_type) { v->text = map_type(x, map_of(f)); }
GET(get_length_max) { v->number = length_of(f) ? bounded(length_of(f)->max) : INT64_MIN; }
GET(get_length_min) { v->number = length_of(f) ? bounded(length_of(f)->min) : INT64_MIN; }

GET(get_literal)
{
	const struct bw_literal *l = literal_of(f);

	v->text = l && l->bytes ? l->text : "";
}

GET(get_literal_length)
{
	const struct bw_literal *l = literal_of(f);

	v->number = l && l->bytes ? l->len : 0;
}

/* The number of a short literal, as a little-endian machine stores it. */
GET(get_literal_number)
{
	const struct bw_literal *l = literal_of(f);
	uint64_t n = 0;

	v->number = INT64_MIN;
	if (!l || !l->bytes || !l->len || l->len > 8)
		return;
	for (uint32_t i = 0; i < l->len; i++)
		n |= (uint64_t)l->bytes[i] << (8 * i);
	v->number = bounded(n);
}

/* The same as the network reads it: ports, sequence numbers. */
GET(get_literal_net)
{
	const struct bw_literal *l = literal_of(f);
	uint64_t n = 0;

	v->number = INT64_MIN;
	if (!l || !l->bytes || !l->len || l->len > 8)
		return;
	for (uint32_t i = 0; i < l->len; i++)
		n = n << 8 | l->bytes[i];
	v->number = bounded(n);
}

/* ---- flow --------------------------------------------------------------------------------------------------------- */
#define FLOW(f) ((const struct bw_flow *)(f)->p)
GET(get_channel) { v->bits = BW_CH_BIT(FLOW(f)->channel); }
GET(get_channel_detail) { v->text = FLOW(f)->channel_detail; }
GET(get_carrier) { v->bits = FLOW(f)->carriers; }
GET(get_as_key) { v->flag = FLOW(f)->as_key; }
GET(get_derived) { v->flag = FLOW(f)->derived; }
GET(get_crosses) { v->flag = FLOW(f)->source_prog != FLOW(f)->prog; }
GET(get_source_hook) { v->bits = hook_of(x, FLOW(f)->source_prog)->bits; }

/* ---- user-write --------------------------------------------------------------------------------------------------- */
#define USER_WRITE(f) ((const struct bw_user_write *)(f)->p)
GET(get_dst_off) { v->number = USER_WRITE(f)->dst_off; }
GET(get_dst_elsewhere)
{
	v->flag = USER_WRITE(f)->dst_prog != BW_NONE && USER_WRITE(f)->dst_prog != f->prog;
}
GET(get_dst_hook) { v->bits = hook_of(x, USER_WRITE(f)->dst_prog)->bits; }

/* ---- override, signal --------------------------------------------------------------------------------------------- */
GET(get_override_value)
{
	const struct bw_override *o = f->p;

	v->number = o->value_known ? o->value : INT64_MIN;
}

GET(get_signal_value)
{
	const struct bw_signal *s = f->p;

	v->number = s->signal_known ? s->signal : INT64_MIN;
}

GET(get_value_known)
{
	v->flag = f->kind == BW_FACT_OVERRIDE ? ((const struct bw_override *)f->p)->value_known :
						((const struct bw_signal *)f->p)->signal_known;
}

/* ---- compare ------------------------------------------------------------------------------------------------------ */
#define COMPARE(f) ((const struct bw_compare *)(f)->p)
GET(get_equality) { v->flag = COMPARE(f)->equality; }
GET(get_from_map) { v->flag = COMPARE(f)->from_map; }
GET(get_is_text) { v->flag = COMPARE(f)->literal.bytes && *COMPARE(f)->literal.text; }
GET(get_packet_off_known) { v->flag = COMPARE(f)->packet_off >= 0; }
GET(get_header_off) { v->number = COMPARE(f)->header_off < 0 ? INT64_MIN : COMPARE(f)->header_off; }
GET(get_packet_off) { v->number = COMPARE(f)->packet_off < 0 ? INT64_MIN : COMPARE(f)->packet_off; }
GET(get_match_effects) { v->bits = COMPARE(f)->match_effects; }
GET(get_mismatch_effects) { v->bits = COMPARE(f)->mismatch_effects; }
GET(get_match_verdicts) { v->bits = COMPARE(f)->match_verdicts; }
GET(get_mismatch_verdicts) { v->bits = COMPARE(f)->mismatch_verdicts; }

/* ---- packet-write -------------------------------------------------------------------------------------------------- */
#define PACKET_WRITE(f) ((const struct bw_packet_write *)(f)->p)
GET(get_layers) { v->bits = PACKET_WRITE(f)->layers; }
GET(get_off_min) { v->number = PACKET_WRITE(f)->off_min < 0 ? INT64_MIN : PACKET_WRITE(f)->off_min; }
GET(get_counted) { v->flag = PACKET_WRITE(f)->counted; }
GET(get_source_map_known) { v->flag = PACKET_WRITE(f)->source_map != BW_NONE; }

/* ---- string, tail-call, map-use, call, cross ------------------------------------------------------------------------ */
#define CONSTANT(f) ((const struct bw_constant *)(f)->p)
GET(get_text) { v->text = CONSTANT(f)->text; }
GET(get_text_length) { v->number = CONSTANT(f)->len; }
GET(get_arg) { v->number = CONSTANT(f)->arg; }
GET(get_rodata) { v->flag = CONSTANT(f)->rodata; }
GET(get_index_known) { v->flag = ((const struct bw_tail_call *)f->p)->index_known; }
GET(get_target_known) { v->flag = ((const struct bw_tail_call *)f->p)->target != BW_NONE; }
GET(get_modes) { v->bits = ((const struct bw_map_use *)f->p)->modes; }
GET(get_key_source) { v->bits = ((const struct bw_map_use *)f->p)->key_sources; }
GET(get_known) { v->flag = ((const struct bw_call_count *)f->p)->known; }
GET(get_kfunc) { v->flag = !((const struct bw_call_count *)f->p)->id; }
GET(get_count) { v->number = ((const struct bw_call_count *)f->p)->count; }
GET(get_commands) { v->bits = ((const struct bw_call_count *)f->p)->commands; }
GET(get_reader_channel) { v->bits = ((const struct bw_cross_flow *)f->p)->reader_channels; }
GET(get_writer_hook) { v->bits = hook_of(x, ((const struct bw_cross_flow *)f->p)->writer)->bits; }
GET(get_reason) { v->text = ((const struct bw_unanalysed *)f->p)->reason; }
GET(get_note) { v->text = ((const struct bw_note *)f->p)->text; }
GET(get_odd) { v->flag = ((const struct bw_note *)f->p)->flags & BW_NOTE_ODD; }
GET(get_note_incomplete) { v->flag = ((const struct bw_note *)f->p)->flags & BW_NOTE_INCOMPLETE; }

/* ---- program.* ------------------------------------------------------------------------------------------------------ */
GET(get_hook) { v->bits = hook_of(x, f->prog)->bits; }
GET(get_target) { v->text = hook_of(x, f->prog)->target; }
GET(get_syscall) { v->text = hook_of(x, f->prog)->syscall; }
GET(get_library) { v->text = hook_of(x, f->prog)->library; }
GET(get_prog_name) { v->text = f->prog >= 0 ? x->o->progs[f->prog].name : ""; }
GET(get_section) { v->text = f->prog >= 0 ? x->o->progs[f->prog].section : ""; }

GET(get_prog_type)
{
	const char *name = f->prog >= 0 ? bw_prog_type_name(x->o->progs[f->prog].def.prog_type) : NULL;

	v->text = name ? name : "";
}

#define PROG_FLAG(fn, member)                                      \
	GET(fn)                                                    \
	{                                                          \
		const struct bw_prog_facts *p = prog_of(x, f);     \
		v->flag = p && p->member;                          \
	}
#define PROG_NUMBER(fn, member)                                    \
	GET(fn)                                                    \
	{                                                          \
		const struct bw_prog_facts *p = prog_of(x, f);     \
		v->number = p ? (int64_t)p->member : INT64_MIN;    \
	}
#define PROG_BITS(fn, member)                                      \
	GET(fn)                                                    \
	{                                                          \
		const struct bw_prog_facts *p = prog_of(x, f);     \
		v->bits = p ? p->member : 0;                       \
	}
PROG_FLAG(get_internal, attach_internal)
PROG_FLAG(get_scans, enters_user_loop)
PROG_FLAG(get_sleepable, sleepable)
PROG_NUMBER(get_insns, n_insns)
PROG_NUMBER(get_fixups, checksum_fixups)
PROG_NUMBER(get_resizes, packet_resizes)
PROG_NUMBER(get_dns, dns_compares)
PROG_NUMBER(get_n_writes, n_packet_writes)
PROG_BITS(get_entry_source, entry_sources)
PROG_BITS(get_returns, return_values)
PROG_BITS(get_return_source, return_sources)

GET(get_calls)
{
	const struct bw_prog_facts *p = prog_of(x, f);

	for (uint32_t i = 0; p && i < p->n_helpers && v->n_texts < BW_MAX_FIELD_TEXTS; i++)
		v->texts[v->n_texts++] = p->helpers[i].name;
	for (uint32_t i = 0; p && i < p->n_kfuncs && v->n_texts < BW_MAX_FIELD_TEXTS; i++)
		v->texts[v->n_texts++] = p->kfuncs[i].name;
}

/* ---- object.* ------------------------------------------------------------------------------------------------------- */
GET(get_license) { v->text = x->o->license; }
GET(get_n_progs) { v->number = x->o->n_progs; }
GET(get_windows) { v->flag = x->o->flavour == BW_FLAVOUR_WINDOWS; }
GET(get_live) { v->flag = x->o->live; }
GET(get_light) { v->flag = x->o->light_skeleton; }

#define K_LENGTH (K(FLOW) | K(USER_WRITE) | K(PACKET_WRITE))
#define K_LITERAL (K(FLOW) | K(USER_WRITE) | K(COMPARE) | K(PACKET_WRITE))
#define K_MAP                                                                                                       \
	(K(FLOW) | K(USER_WRITE) | K(OVERRIDE) | K(SIGNAL) | K(COMPARE) | K(PACKET_WRITE) | K(REDIRECT) | K(TAIL_CALL) | \
	 K(MAP_USE) | K(CROSS))

static const struct bw_field fields[] = {
	{ "source", K(FLOW) | K(USER_WRITE) | K(COMPARE) | K(PACKET_WRITE) | K(CROSS) | K(MAP_USE), BW_FIELD_BITS,
	  bw_source_id, get_source, "source classes of the data" },
	{ "detail", K(FLOW) | K(USER_WRITE) | K(COMPARE), BW_FIELD_TEXT, NULL, get_detail,
	  "what exactly it is: a structure's field, a function's argument, where an address came from" },
	{ "length-max", K_LENGTH, BW_FIELD_NUMBER, NULL, get_length_max, "bytes at most" },
	{ "length-min", K_LENGTH, BW_FIELD_NUMBER, NULL, get_length_min, "bytes at least" },
	{ "literal", K_LITERAL, BW_FIELD_TEXT, NULL, get_literal, "known bytes, when they are text" },
	{ "literal-length", K_LITERAL, BW_FIELD_NUMBER, NULL, get_literal_length, "known bytes: how many, 0 for none" },
	{ "literal-number", K_LITERAL, BW_FIELD_NUMBER, NULL, get_literal_number, "up to 8 known bytes, little endian" },
	{ "literal-network-number", K_LITERAL, BW_FIELD_NUMBER, NULL, get_literal_net,
	  "up to 8 known bytes, big endian: ports, sequence numbers" },
	{ "map", K_MAP, BW_FIELD_TEXT, NULL, get_map, "the map's name" },
	{ "map-type", K_MAP, BW_FIELD_TEXT, NULL, get_map_type, "the map's type" },
	{ "channel", K(FLOW), BW_FIELD_BITS, bw_channel_id, get_channel, "how it leaves" },
	{ "channel-detail", K(FLOW), BW_FIELD_TEXT, NULL, get_channel_detail, "the map or helper of the channel" },
	{ "carrier", K(FLOW), BW_FIELD_BITS, bw_carrier_id, get_carrier, "through what it went" },
	{ "as-key", K(FLOW), BW_FIELD_BOOL, NULL, get_as_key, "it leaves in a map's key" },
	{ "derived", K(FLOW), BW_FIELD_BOOL, NULL, get_derived, "a hash, length or comparison of it, not the bytes" },
	{ "crosses-programs", K(FLOW), BW_FIELD_BOOL, NULL, get_crosses, "source and sink are in different programs" },
	{ "source-hook", K(FLOW), BW_FIELD_BITS, bw_hook_id, get_source_hook, "hook of the program with the source" },
	{ "from", K(USER_WRITE) | K(OVERRIDE) | K(SIGNAL) | K(REDIRECT), BW_FIELD_BITS, bw_origin_id, get_from,
	  "where the address or the number came from" },
	{ "address-offset", K(USER_WRITE), BW_FIELD_NUMBER, NULL, get_dst_off, "constant added to the address" },
	{ "address-from-other-program", K(USER_WRITE), BW_FIELD_BOOL, NULL, get_dst_elsewhere,
	  "the address was kept in a map by another program" },
	{ "address-hook", K(USER_WRITE), BW_FIELD_BITS, bw_hook_id, get_dst_hook, "hook of the program that kept it" },
	{ "helper", K(USER_WRITE) | K(OVERRIDE) | K(SIGNAL) | K(PACKET_WRITE) | K(REDIRECT) | K(STRING), BW_FIELD_TEXT,
	  NULL, get_helper, "by which helper" },
	{ "value", K(OVERRIDE), BW_FIELD_NUMBER, NULL, get_override_value, "the value returned" },
	{ "signal", K(SIGNAL), BW_FIELD_NUMBER, NULL, get_signal_value, "the signal's number" },
	{ "value-known", K(OVERRIDE) | K(SIGNAL), BW_FIELD_BOOL, NULL, get_value_known, "it is fixed in the code" },
	{ "equality", K(COMPARE), BW_FIELD_BOOL, NULL, get_equality, "compared for being equal" },
	{ "compared-with-map", K(COMPARE), BW_FIELD_BOOL, NULL, get_from_map, "with what is in a map, not a literal" },
	{ "literal-is-text", K(COMPARE), BW_FIELD_BOOL, NULL, get_is_text, "the literal is text; one character in a wider word is a number" },
	{ "packet-offset", K(COMPARE), BW_FIELD_NUMBER, NULL, get_packet_off, "constant offset in the packet" },
	{ "packet-offset-known", K(COMPARE), BW_FIELD_BOOL, NULL, get_packet_off_known, "it is constant" },
	{ "match-effects", K(COMPARE), BW_FIELD_BITS, effect_id, get_match_effects, "what happens only when equal" },
	{ "mismatch-effects", K(COMPARE), BW_FIELD_BITS, effect_id, get_mismatch_effects,
	  "what happens only when not equal" },
	{ "match-verdicts", K(COMPARE), BW_FIELD_VERDICTS, NULL, get_match_verdicts, "returned after being equal" },
	{ "mismatch-verdicts", K(COMPARE), BW_FIELD_VERDICTS, NULL, get_mismatch_verdicts, "returned otherwise" },
	{ "header-offset", K(COMPARE), BW_FIELD_NUMBER, NULL, get_header_off, "offset in the transport header" },
	{ "counted", K(PACKET_WRITE), BW_FIELD_BOOL, NULL, get_counted, "the program itself changes it from packet to packet" },
	{ "layers", K(PACKET_WRITE), BW_FIELD_BITS, layer_id, get_layers, "which layers of the packet are written" },
	{ "packet-offset-min", K(PACKET_WRITE), BW_FIELD_NUMBER, NULL, get_off_min, "from the start of the packet" },
	{ "from-map", K(PACKET_WRITE), BW_FIELD_BOOL, NULL, get_source_map_known, "what is written came out of a map" },
	{ "text", K(STRING), BW_FIELD_TEXT, NULL, get_text, "the string" },
	{ "text-length", K(STRING), BW_FIELD_NUMBER, NULL, get_text_length, "its length" },
	{ "argument", K(STRING), BW_FIELD_NUMBER, NULL, get_arg, "which argument of the helper; 0 for none" },
	{ "in-data", K(STRING), BW_FIELD_BOOL, NULL, get_rodata, "in a data section; else built on the stack" },
	{ "index-known", K(TAIL_CALL), BW_FIELD_BOOL, NULL, get_index_known, "the index is a constant" },
	{ "target-known", K(TAIL_CALL), BW_FIELD_BOOL, NULL, get_target_known, "the object says which program it is" },
	{ "modes", K(MAP_USE), BW_FIELD_BITS, mode_id, get_modes, "what the program does with the map" },
	{ "key-source", K(MAP_USE), BW_FIELD_BITS, bw_source_id, get_key_source, "what keys are made of" },
	{ "name", K(CALL), BW_FIELD_TEXT, NULL, get_helper, "the helper (without bpf_) or kfunc" },
	{ "known", K(CALL), BW_FIELD_BOOL, NULL, get_known, "its effects are in our tables" },
	{ "kfunc", K(CALL), BW_FIELD_BOOL, NULL, get_kfunc, "a kernel function, not a helper" },
	{ "count", K(CALL), BW_FIELD_NUMBER, NULL, get_count, "call sites" },
	{ "commands", K(CALL), BW_FIELD_VERDICTS, NULL, get_commands, "numbers of the commands given to bpf_sys_bpf" },
	{ "reader-channel", K(CROSS), BW_FIELD_BITS, bw_channel_id, get_reader_channel, "where the reader sends it" },
	{ "writer-hook", K(CROSS), BW_FIELD_BITS, bw_hook_id, get_writer_hook, "hook of the writing program" },
	{ "reason", K(UNANALYSED), BW_FIELD_TEXT, NULL, get_reason, "why it could not be analysed" },
	{ "note", K(NOTE), BW_FIELD_TEXT, NULL, get_note, "what the reader remarked" },
	{ "odd", K(NOTE), BW_FIELD_BOOL, NULL, get_odd, "well-formed tools do not make this" },
	{ "incomplete", K(NOTE), BW_FIELD_BOOL, NULL, get_note_incomplete, "something was not understood" },
	{ "program.hook", K_ALL, BW_FIELD_BITS, bw_hook_id, get_hook, "kind of hook" },
	{ "program.target", K_ALL, BW_FIELD_TEXT, NULL, get_target, "hooked function or tracepoint" },
	{ "program.syscall", K_ALL, BW_FIELD_TEXT, NULL, get_syscall, "hooked system call, \"*\" for all, \"\" for none" },
	{ "program.library", K_ALL, BW_FIELD_TEXT, NULL, get_library, "hooked library or executable" },
	{ "program.type", K_ALL, BW_FIELD_TEXT, NULL, get_prog_type, "program type" },
	{ "program.name", K_ALL, BW_FIELD_TEXT, NULL, get_prog_name, "its name" },
	{ "program.section", K_ALL, BW_FIELD_TEXT, NULL, get_section, "its section" },
	{ "program.attach-internal", K_ALL, BW_FIELD_BOOL, NULL, get_internal, "attached to the BPF subsystem" },
	{ "program.scans-user-memory", K_ALL, BW_FIELD_BOOL, NULL, get_scans, "reads user memory in a loop" },
	{ "program.sleepable", K_ALL, BW_FIELD_BOOL, NULL, get_sleepable, "may sleep" },
	{ "program.instructions", K_ALL, BW_FIELD_NUMBER, NULL, get_insns, "with its subprograms" },
	{ "program.checksum-fixups", K_ALL, BW_FIELD_NUMBER, NULL, get_fixups, "calls that mend checksums" },
	{ "program.packet-resizes", K_ALL, BW_FIELD_NUMBER, NULL, get_resizes, "calls that grow or shrink packets" },
	{ "program.packet-writes", K_ALL, BW_FIELD_NUMBER, NULL, get_n_writes, "places that write packets" },
	{ "program.dns-compares", K_ALL, BW_FIELD_NUMBER, NULL, get_dns, "comparisons of a port with 53" },
	{ "program.entry-source", K_ALL, BW_FIELD_BITS, bw_source_id, get_entry_source, "what the hook's arguments hold" },
	{ "program.returns", K_ALL, BW_FIELD_VERDICTS, NULL, get_returns, "what it may return" },
	{ "program.return-source", K_ALL, BW_FIELD_BITS, bw_source_id, get_return_source, "what that is computed from" },
	{ "program.calls", K_ALL, BW_FIELD_TEXTS, NULL, get_calls, "its helpers and kfuncs" },
	{ "object.license", K_ALL, BW_FIELD_TEXT, NULL, get_license, "" },
	{ "object.programs", K_ALL, BW_FIELD_NUMBER, NULL, get_n_progs, "how many" },
	{ "object.windows", K_ALL, BW_FIELD_BOOL, NULL, get_windows, "made for eBPF for Windows" },
	{ "object.live", K_ALL, BW_FIELD_BOOL, NULL, get_live, "read from a running kernel" },
	{ "object.light-skeleton", K_ALL, BW_FIELD_BOOL, NULL, get_light, "carved out of a light skeleton" },
};

const struct bw_field *bw_fields(uint32_t *ret_n)
{
	*ret_n = ARRAY_SIZE(fields);
	return fields;
}

const struct bw_field *bw_field_find(const char *name, enum bw_fact_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(fields[i].name, name) && fields[i].kinds >> kind & 1)
			return &fields[i];
	return NULL;
}

/* ---- words ---------------------------------------------------------------------------------------------------------- */
static void put_length(const struct bw_length *l, struct bw_buf *out)
{
	if (l->max == BW_LENGTH_UNBOUNDED)
		bw_buf_str(out, "an unbounded number of bytes");
	else if (l->min == l->max)
		bw_buf_printf(out, "%llu byte%s", (unsigned long long)l->max, l->max == 1 ? "" : "s");
	else
		bw_buf_printf(out, "up to %llu bytes", (unsigned long long)l->max);
}

static void put_bits(uint32_t bits, const char *(*name)(unsigned int), struct bw_buf *out)
{
	bool first = true;

	for (unsigned int i = 0; i < 32; i++) {
		if (!(bits >> i & 1))
			continue;
		bw_buf_printf(out, "%s%s", first ? "" : ", ", name(i));
		first = false;
	}
	if (first)
		bw_buf_str(out, "nothing known");
}

static const char *source_of(unsigned int i)
{
	return bw_source_name(i);
}

static const char *origin_of(unsigned int i)
{
	return bw_origin_name(i);
}

static const char *channel_of(unsigned int i)
{
	return bw_channel_name(i);
}

static void put_literal(const struct bw_literal *l, struct bw_buf *out)
{
	if (!l || !l->bytes) {
		bw_buf_str(out, "unknown bytes");
	} else if (*l->text) {
		bw_buf_printf(out, "\"%.80s%s\"", l->text, strlen(l->text) > 80 ? "..." : "");
		if (l->len <= 4) { /* as well a number that happens to be printable */
			bw_buf_str(out, " (0x");
			bw_buf_hex(out, l->bytes, l->len);
			bw_buf_char(out, ')');
		}
	} else {
		bw_buf_str(out, "0x");
		bw_buf_hex(out, l->bytes, l->len > 16 ? 16 : l->len);
		if (l->len > 16)
			bw_buf_str(out, "...");
	}
}

static const char *const words[] = { "source", "channel", "detail", "length", "literal", "map",	  "helper",  "from",
				     "value",  "target",  "hook",   "syscall", "section", "program", "layers", "effects",
				     "text",   "reason",  "writer", "stored-by", "count", "channel-detail" };

bool bw_fact_word_known(enum bw_fact_kind kind, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i], name))
			return true;
	return false;
}

static void put_value(const struct bw_facts *x, const struct bw_fact *f, struct bw_buf *out)
{
	const struct bw_override *o = f->p;
	const struct bw_signal *s = f->p;

	if (f->kind == BW_FACT_OVERRIDE && o->value_known)
		bw_buf_printf(out, "%lld", (long long)o->value);
	else if (f->kind == BW_FACT_SIGNAL && s->signal_known)
		bw_buf_printf(out, "%lld", (long long)s->signal);
	else
		bw_buf_printf(out, "a value from %s", *map_name(x, map_of(f)) ? "a map" : "elsewhere");
}

static const char *prog_name(const struct bw_facts *x, int32_t prog)
{
	return prog >= 0 && prog < (int32_t)x->o->n_progs ? x->o->progs[prog].name : "?";
}

/* The map of a channel; in words where it has none. */
static const char *channel_words(const struct bw_fact *f)
{
	static const char *const names[] = {
		[BW_CH_PACKET_WRITE] = "the packet",	  [BW_CH_PACKET_REDIRECT] = "another interface or socket",
		[BW_CH_USER_WRITE] = "a process' memory", [BW_CH_FILE_WRITE] = "a file",
		[BW_CH_TRACE_PIPE] = "the trace pipe",	  [BW_CH_RETURN_VALUE] = "the return value",
		[BW_CH_SIGNAL] = "a signal",		  [BW_CH_RETURN_OVERRIDE] = "a forged result",
		[BW_CH_BPF_SYSCALL] = "a system call",	  [BW_CH_COUNT_] = NULL,
	};

	if (f->kind != BW_FACT_FLOW)
		return "";
	if (*FLOW(f)->channel_detail)
		return FLOW(f)->channel_detail;
	return FLOW(f)->channel < BW_CH_COUNT_ && names[FLOW(f)->channel] ? names[FLOW(f)->channel] : "a buffer";
}

bool bw_fact_word(const struct bw_facts *x, const struct bw_fact *f, const char *name, struct bw_buf *out)
{
	static const struct bw_length unknown = { 0, BW_LENGTH_UNBOUNDED };
	const struct bw_hook *h = hook_of(x, f->prog);
	struct bw_value v = { .text = "" };

	if (!strcmp(name, "source"))
		put_bits(sources_of(f), source_of, out);
	else if (!strcmp(name, "channel"))
		bw_buf_str(out, bw_fact_channel(f));
	else if (!strcmp(name, "channel-detail"))
		bw_buf_str(out, channel_words(f));
	else if (!strcmp(name, "detail"))
		bw_buf_str(out, *detail_of(f) ? detail_of(f) : "unnamed data");
	else if (!strcmp(name, "length"))
		put_length(length_of(f) ? length_of(f) : &unknown, out);
	else if (!strcmp(name, "literal"))
		put_literal(literal_of(f), out);
	else if (!strcmp(name, "map"))
		bw_buf_str(out, *map_name(x, map_of(f)) ? map_name(x, map_of(f)) : "a map");
	else if (!strcmp(name, "helper"))
		bw_buf_str(out, helper_of(f));
	else if (!strcmp(name, "from"))
		put_bits(from_of(f), origin_of, out);
	else if (!strcmp(name, "value"))
		put_value(x, f, out);
	else if (!strcmp(name, "target"))
		bw_buf_str(out, h->target);
	else if (!strcmp(name, "syscall"))
		bw_buf_str(out, h->syscall);
	else if (!strcmp(name, "section"))
		bw_buf_str(out, f->prog >= 0 ? x->o->progs[f->prog].section : "");
	else if (!strcmp(name, "program"))
		bw_buf_str(out, prog_name(x, f->prog));
	else if (!strcmp(name, "hook"))
		bw_buf_str(out, h->bits ? bw_hook_name((enum bw_hook_bit)__builtin_ctz(h->bits)) : "unknown hook");
	else if (!strcmp(name, "layers"))
		put_bits(f->kind == BW_FACT_PACKET_WRITE ? PACKET_WRITE(f)->layers : 0, layer_of, out);
	else if (!strcmp(name, "effects"))
		put_bits(f->kind == BW_FACT_COMPARE ? COMPARE(f)->match_effects : 0, effect_of, out);
	else if (!strcmp(name, "text"))
		bw_buf_printf(out, "\"%.80s%s\"", f->kind == BW_FACT_STRING ? CONSTANT(f)->text : "",
			      f->kind == BW_FACT_STRING && CONSTANT(f)->len > 80 ? "..." : "");
	else if (!strcmp(name, "reason") && f->kind == BW_FACT_UNANALYSED)
		bw_buf_str(out, ((const struct bw_unanalysed *)f->p)->reason);
	else if (!strcmp(name, "reason") && f->kind == BW_FACT_NOTE)
		bw_buf_str(out, ((const struct bw_note *)f->p)->text);
	else if (!strcmp(name, "writer") && f->kind == BW_FACT_CROSS)
		bw_buf_str(out, prog_name(x, ((const struct bw_cross_flow *)f->p)->writer));
	else if (!strcmp(name, "stored-by") && f->kind == BW_FACT_USER_WRITE)
		bw_buf_str(out, prog_name(x, USER_WRITE(f)->dst_prog));
	else if (!strcmp(name, "count") && f->kind == BW_FACT_CALL) {
		get_count(x, f, &v);
		bw_buf_printf(out, "%lld", (long long)v.number);
	} else
		return false;
	return true;
}

const char *bw_fact_source(const struct bw_fact *f)
{
	uint32_t bits = sources_of(f);

	/* the classes are in the order of their sensitivity */
	return bits ? bw_source_name((enum bw_source)__builtin_ctz(bits)) : "";
}

const char *bw_fact_channel(const struct bw_fact *f)
{
	uint32_t bits;

	switch (f->kind) {
	case BW_FACT_FLOW:
		return bw_channel_name(FLOW(f)->channel);
	case BW_FACT_USER_WRITE:
		return bw_channel_name(BW_CH_USER_WRITE);
	case BW_FACT_OVERRIDE:
		return bw_channel_name(BW_CH_RETURN_OVERRIDE);
	case BW_FACT_SIGNAL:
		return bw_channel_name(BW_CH_SIGNAL);
	case BW_FACT_PACKET_WRITE:
		return bw_channel_name(BW_CH_PACKET_WRITE);
	case BW_FACT_REDIRECT:
		return bw_channel_name(BW_CH_PACKET_REDIRECT);
	case BW_FACT_CROSS:
		bits = ((const struct bw_cross_flow *)f->p)->reader_channels;
		return bits ? bw_channel_name((enum bw_channel)__builtin_ctz(bits)) : "";
	default:
		return "";
	}
}

void bw_fact_describe(const struct bw_facts *x, const struct bw_fact *f, struct bw_buf *out)
{
	const struct bw_hook *h = hook_of(x, f->prog);

	switch (f->kind) {
	case BW_FACT_FLOW:
		bw_buf_printf(out, "%s reaches %s", bw_source_name(FLOW(f)->source), bw_channel_name(FLOW(f)->channel));
		break;
	case BW_FACT_USER_WRITE:
		bw_buf_str(out, "writes ");
		put_length(&USER_WRITE(f)->len, out);
		bw_buf_str(out, " into user memory; the address is from: ");
		put_bits(USER_WRITE(f)->dst, origin_of, out);
		break;
	case BW_FACT_OVERRIDE:
	case BW_FACT_SIGNAL:
		bw_buf_printf(out, "%s with ", helper_of(f));
		put_value(x, f, out);
		break;
	case BW_FACT_COMPARE:
		bw_buf_printf(out, "compares %s with ", *COMPARE(f)->detail ? COMPARE(f)->detail : "its data");
		if (COMPARE(f)->from_map)
			bw_buf_printf(out, "the content of %s", map_name(x, COMPARE(f)->map));
		else
			put_literal(&COMPARE(f)->literal, out);
		break;
	case BW_FACT_PACKET_WRITE:
		bw_buf_str(out, "writes into the packet: ");
		put_bits(PACKET_WRITE(f)->layers, layer_of, out);
		break;
	case BW_FACT_REDIRECT:
		bw_buf_printf(out, "redirects packets (%s)", helper_of(f));
		break;
	case BW_FACT_STRING:
		bw_buf_printf(out, "holds the string \"%.80s\"", CONSTANT(f)->text);
		break;
	case BW_FACT_TAIL_CALL:
		bw_buf_printf(out, "tail call through %s", map_name(x, map_of(f)));
		break;
	case BW_FACT_MAP_USE:
		bw_buf_printf(out, "uses the map %s: ", map_name(x, map_of(f)));
		put_bits(((const struct bw_map_use *)f->p)->modes, mode_of, out);
		break;
	case BW_FACT_CALL:
		bw_buf_printf(out, "calls %s", helper_of(f));
		break;
	case BW_FACT_CROSS:
		bw_buf_printf(out, "takes from the map %s what %s puts there: ", map_name(x, map_of(f)),
			      prog_name(x, ((const struct bw_cross_flow *)f->p)->writer));
		put_bits(sources_of(f), source_of, out);
		if (((const struct bw_cross_flow *)f->p)->reader_channels) {
			bw_buf_str(out, "; it goes to: ");
			put_bits(((const struct bw_cross_flow *)f->p)->reader_channels, channel_of, out);
		}
		break;
	case BW_FACT_PROGRAM:
		bw_buf_printf(out, "attached to %s", h->target);
		break;
	case BW_FACT_UNANALYSED:
		bw_buf_str(out, ((const struct bw_unanalysed *)f->p)->reason);
		break;
	case BW_FACT_NOTE:
		bw_buf_str(out, ((const struct bw_note *)f->p)->text);
		break;
	default:
		break;
	}
}
