/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_ENGINE_CALL_H
#define BW_ENGINE_CALL_H
/*
 * Inside the analysis of calls: engine_call.c does what the tables of helpers and kfuncs say, engine_call_special.c what they
 * cannot; engine_call_map.c, engine_call_memory.c, engine_call_packet.c and engine_callback.c are its parts.
 */
#include "auditor/engine.h"

#define BW_LEN_ANY ((struct bw_length){ 0, BW_LENGTH_UNBOUNDED })

struct bw_call_args {
	const struct bw_callee *c;
	const char *name;
	int32_t id;	      /* helper number; -1 - string of a kfunc */
	struct bw_val arg[6]; /* [1] to [5] */
	struct bw_val data;   /* what was read */
	struct bw_length len; /* of the first r or v argument */
	struct bw_val ret;
	int32_t map;	      /* the first map argument, when there is one */
};

uint32_t bw_call_site(struct bw_engine *e); /* the instruction at work, as a number */
/* The argument that the table calls @letter; NONE when there is none. */
void bw_call_arg(const struct bw_call_args *c, char letter, struct bw_val *ret);
/* Known bytes at @ptr: their length, and *ret_id as a literal. 0: not all that goes out is known. */
uint32_t bw_call_literal(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, struct bw_length len, uint32_t *ret_id,
			 bool *ret_rodata);
/* Returns false when control does not come back. */
bool bw_call_special(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c);
bool bw_call_writes_itself(enum bw_special sp);
void bw_call_struct_ret(struct bw_engine *e, struct bw_call_args *c, const char *type, bool nullable);

/* ---- maps */
uint32_t bw_call_maps(struct bw_engine *e, const struct bw_val *v, int32_t ret[BW_MAX_REGION_SET]);
const struct bw_map *bw_map_def(const struct bw_engine *e, int32_t map);
uint32_t bw_map_key_size(const struct bw_engine *e, int32_t map);
void bw_map_key_put(struct bw_engine *e, int32_t map, const struct bw_val *key);
void bw_map_value_put(struct bw_engine *e, struct bw_state *s, int32_t map, const struct bw_val *ptr);
void bw_call_map_lookup(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c);
void bw_call_map_pop(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c);
void bw_call_reserve(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c, const struct bw_val *size, struct bw_val *ret);
void bw_call_record_drop(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr);

/* ---- callbacks */
bool bw_call_funcs(struct bw_engine *e, struct bw_state *s, const struct bw_val *f, struct bw_val *ret);
void bw_call_back(struct bw_engine *e, struct bw_state *s, const struct bw_val *f, const struct bw_val args[6]);
void bw_call_for_each(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c);
void bw_call_timer(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c);

/* ---- memory: dynptrs (the slot on the stack holds a pointer to the memory behind), memory outside */
struct bw_val bw_dynptr_get(struct bw_engine *e, struct bw_state *s, const struct bw_val *arg);
void bw_dynptr_set(struct bw_engine *e, struct bw_state *s, const struct bw_val *arg, const struct bw_val *mem);
struct bw_val bw_dynptr_moved(const struct bw_val *p, const struct bw_val *off);
struct bw_val bw_call_copy(struct bw_engine *e, struct bw_state *s, const struct bw_val *dst, const struct bw_val *src,
			   struct bw_length len);
/* What the helper reads at @src; @width 1, 2, 4, 8 for a number, 0 for bytes. */
struct bw_val bw_call_read_outside(struct bw_engine *e, struct bw_state *s, const struct bw_call_args *c, const struct bw_val *src,
				   struct bw_length len, unsigned int width);
void bw_call_probe_read(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c);
void bw_call_dynptr_fill(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c);

/* ---- packets */
void bw_call_packet_load(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c, bool relative);
void bw_call_packet_write(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c, const struct bw_val *off,
			  const struct bw_val *src, struct bw_length len);
void bw_call_redirect(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c, const struct bw_val *target, int32_t map);
void bw_call_packet_bytes(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c);

#endif
