/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_ENGINE_H
#define BW_ENGINE_H
/*
 * Inside the analysis: what its parts share. engine_memory.c reads and writes through abstract pointers, engine_ctx.c knows
 * contexts and memory outside, engine_step.c instructions, of which engine_alu.c has arithmetic and branches, engine_call.c helpers
 * and kfuncs; engine_run.c blocks and functions, engine_fixpoint.c programs; engine_result*.c turns records into flows and facts.
 */
#include "auditor/analysis.h"
#include "auditor/cfg.h"
#include "auditor/helpers.h"
#include "auditor/object.h"
#include "auditor/sources.h"
#include "auditor/state.h"

/* ---- records: what was seen on the way, merged per place ------------------------------------------------------------- */
enum bw_rec_kind {
	BW_REC_FLOW = 1,   /* a = channel, b = map; val = bytes, len */
	BW_REC_CALL,	   /* a = helper number, or -1 - string number of a kfunc; val = the command given to bpf_sys_bpf */
	BW_REC_MAP,	   /* a = map; mask = modes; val = keys, val2 = values; func and insn 0 */
	BW_REC_USER_WRITE, /* a = helper; val = data, val2 = address, len */
	BW_REC_OVERRIDE,   /* a = string; val = value */
	BW_REC_SIGNAL,	   /* a = helper; val = number */
	BW_REC_COMPARE,	   /* a = 1 equality; val = data, val2 = other side; len = load offset; mask: see below; lit */
	BW_REC_PACKET_WRITE, /* a = string; val = data; mask = layers; len; x, y = offsets; lit */
	BW_REC_REDIRECT,   /* a = string, b = map; val = target */
	BW_REC_STRING,	   /* a = helper (0 none), b = argument; lit; mask 1: from a data section */
	BW_REC_TAIL_CALL,  /* b = map; val = index */
	BW_REC_UNANALYSED, /* a = string */
	BW_REC_EFFECT,	   /* func, insn = block; mask = effects */
	BW_REC_VERDICT,	   /* func, insn = block: r0 when it goes to the exit; val */
	BW_REC_RETURN,	   /* val = the program's return values */
	BW_REC_COUNT,	   /* a = enum bw_count_kind; x = how many */
};
enum bw_count_kind {
	BW_COUNT_CSUM,
	BW_COUNT_RESIZE,
	BW_COUNT_LOOP,
	BW_COUNT_CALLBACK,
	BW_COUNT_EXCEPTION,
	BW_COUNT_ARENA,
	BW_COUNT_USER_LOOP,
	BW_COUNT_DNS,
};
struct bw_rec_key {
	uint32_t kind;
	int32_t prog, func;
	uint32_t insn;
	int32_t a, b;
};
struct bw_rec {
	struct bw_val val, val2;
	struct bw_length len;
	uint32_t mask;
	uint32_t lit; /* run of bytes in .strings */
	int64_t x, y;
	uint32_t width;
	uint32_t header; /* COMPARE: 1 + the offset in the transport header, when the place varies */
};

/* ---- maps -------------------------------------------------------------------------------------------------------------- */
struct bw_map_info {
	struct bw_mem *content; /* of all values together; NULL until written */
	struct bw_val key;
	uint32_t version;	/* the clock at its last change */
	uint32_t updates;
	uint8_t carrier;	/* enum bw_carrier of what is loaded from it */
	bool percpu, data, rodata, channel;
	uint32_t value_size;
};

/* ---- what the run of a function looked at: see engine_memo.c ------------------------------------------------------------ */
#define BW_MAX_TRACED 16u
struct bw_trace {
	uint64_t frames[BW_MAX_FRAMES]; /* slots of its callers' frames */
	uint32_t whole;			/* bits: frames of which slots are not told apart */
	uint32_t effects;
	uint32_t serial; /* local objects born before were there when it began */
	bool never;	 /* it is not to be remembered */
	bool threw;
	uint32_t n_objs, objs[BW_MAX_TRACED]; /* regions */
	uint32_t n_views;
	int32_t views[BW_MAX_TRACED]; /* maps all of whose local views it looked at */
	uint64_t *bits; /* maps it read, then functions it ran */
};
struct bw_memo_input {
	struct bw_state *state;
	uint32_t clock, packet, prov_max, hash, high;
	bool looped;
};

struct bw_engine {
	const struct bw_object *o;
	struct bw_analysis_limits limits;
	struct bw_domain d;
	struct bw_cfg **cfgs; /* per function */
	struct bw_map_info *maps; /* 2 * n_maps: the second half are the unknown inner maps */
	uint32_t n_maps;
	struct bw_mem *ctx_mem, *heap_mem; /* what programs left in their context for tail calls; allocated objects */
	struct bw_mem *packet_mem;
	uint32_t shared_version;
	struct bw_intern rec_keys;
	struct bw_rec **recs; /* parallel to rec_keys, in blocks that never move: their users hold pointers */
	uint32_t recs_cap;    /* records there is room for */
	struct bw_attach *attaches; /* per program */
	uint32_t **core_tags;	    /* per code: 1 + the tag of each CO-RE record, 0 not yet made */
	uint8_t **core_bits;	    /* per code: which instructions have one */
	uint32_t clock;		    /* counts changes of what programs share */
	struct bw_carried_memo *carried; /* what bw_carried() said lately */

	/* the program and function at work */
	int32_t prog;
	const struct bw_attach *at;
	int32_t func;
	uint32_t insn, block;
	uint32_t depth;
	struct {
		int32_t func;
		uint32_t block;
	} calls[BW_MAX_FRAMES]; /* the functions on the way; [depth] is the one at work */
	uint64_t steps, total_steps;
	uint64_t inlined;
	uint32_t *runs;	    /* per function: how often it was run for the program at work */
	uint32_t callbacks; /* that run any number of times and have not returned */
	uint32_t visits;
	bool stop;  /* budget ran out */
	bool later; /* the function about to run is one that runs on its own, some other time */
	bool threw; /* bpf_throw was reached */
	uint8_t *map_reads; /* per map: read by the program at work */
	struct bw_memos *memos;
	struct bw_trace trace[BW_MAX_FRAMES]; /* per depth */
};

/* ---- records ------------------------------------------------------------------------------------------------------------ */
#define BW_REC_COUNTED 0x10000u /* BW_REC_MAP, beside the modes: what is written was read there before */
#define BW_REC_BLOCK 64u

static inline struct bw_rec *bw_rec_get(const struct bw_engine *e, uint32_t id)
{
	return &e->recs[id / BW_REC_BLOCK][id % BW_REC_BLOCK];
}

struct bw_rec *bw_rec_at(struct bw_engine *e, enum bw_rec_kind kind, int32_t func, uint32_t insn, int32_t a, int32_t b);
struct bw_rec *bw_rec_here(struct bw_engine *e, enum bw_rec_kind kind, int32_t a, int32_t b);
void bw_unanalysed(struct bw_engine *e, const char *reason);
void bw_effect(struct bw_engine *e, uint32_t effects);
void bw_count(struct bw_engine *e, enum bw_count_kind kind);
/* Bytes with taint @v go through channel @ch. */
void bw_sink(struct bw_engine *e, enum bw_channel ch, int32_t map, const struct bw_val *v, struct bw_length len);
void bw_map_use(struct bw_engine *e, int32_t map, uint32_t modes, const struct bw_val *key, const struct bw_val *value);
uint32_t bw_origin(struct bw_engine *e, enum bw_source source, uint32_t detail); /* a set with one source that begins here */
void bw_taint(struct bw_engine *e, struct bw_val *v, uint32_t classes, uint32_t detail);
/* The same data, carried on through @map from here: for things put into maps. */
uint32_t bw_carried(struct bw_engine *e, uint32_t prov, enum bw_carrier carrier, int32_t map);
int bw_carried_init(struct bw_engine *e);
void bw_carried_free(struct bw_engine *e);
const char *bw_map_name(const struct bw_engine *e, int32_t map);

/* ---- places in packets ---------------------------------------------------------------------------------------------------- */
#define BW_PACKET_VARIABLE (1ll << 30) /* taken from the place of a load whose place varies */
uint32_t bw_packet_place(int64_t off, unsigned int width);
int64_t bw_packet_header_off(const struct bw_tag *t); /* -1: not known, or the place does not vary */
uint32_t bw_packet_tag(struct bw_engine *e, uint32_t ref, int64_t lo, int64_t hi, unsigned int width);

/* ---- memory ------------------------------------------------------------------------------------------------------------- */
struct bw_val bw_mem_read(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, int64_t off, unsigned int width);
void bw_mem_write(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, int64_t off, unsigned int width,
		  const struct bw_val *v);
/* [ptr, ptr + max len) joined. */
struct bw_val bw_mem_gather(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, struct bw_length len);
void bw_mem_scatter(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, struct bw_length len,
		    const struct bw_val *v);
/* Known bytes at @ptr: a literal of at most @max bytes, 0 when none are known. *ret_rodata: from a data section. */
uint32_t bw_mem_known(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, uint32_t max, uint8_t *ret,
		      bool *ret_rodata);
int64_t bw_map_value_size(const struct bw_engine *e, int32_t map);
void bw_map_store(struct bw_engine *e, int32_t map, uint64_t off, unsigned int width, const struct bw_val *v);
void bw_record_flush(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr); /* ringbuf submit */

/* ---- contexts and memory outside --------------------------------------------------------------------------------------------- */
struct bw_val bw_ctx_read(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, int64_t off, unsigned int width);
struct bw_val bw_ext_read(struct bw_engine *e, struct bw_state *s, uint32_t desc, uint32_t tag, int64_t off, unsigned int width,
			  uint32_t sources, bool exact);
uint32_t bw_ext_set(struct bw_engine *e, const struct bw_desc *d); /* the region set of a descriptor */
struct bw_val bw_arg_value(struct bw_engine *e, const struct bw_arg *a, int i);
/* The pointer a number may be: PTR for pointers and for numbers that were read as addresses. */
struct bw_val bw_as_pointer(struct bw_engine *e, const struct bw_val *v, uint32_t sources);
uint32_t bw_packet_classes(struct bw_engine *e, const struct bw_state *s, int64_t lo, int64_t hi, uint64_t len);
uint32_t bw_packet_layers(struct bw_engine *e, const struct bw_state *s, int64_t lo, int64_t hi, uint64_t len);
uint32_t bw_core_tag(struct bw_engine *e); /* of the instruction at work, 0 for none */
const struct bw_core_relo *bw_core_here(struct bw_engine *e);

/* ---- instructions ------------------------------------------------------------------------------------------------------------ */
void bw_alu(struct bw_engine *e, struct bw_state *s, const struct bw_decoded *d);
/* Narrows @s for a conditional jump taken (or not); false: cannot happen. */
bool bw_branch(struct bw_engine *e, struct bw_state *s, const struct bw_decoded *d, bool taken);
void bw_compare_note(struct bw_engine *e, struct bw_state *s, const struct bw_decoded *d);
/* Returns false when control does not come back. */
bool bw_call(struct bw_engine *e, struct bw_state *s, const struct bw_decoded *d);
/* Runs one block on @s; false when its end is not reached. */
bool bw_run_block(struct bw_engine *e, const struct bw_cfg *c, const struct bw_block *b, struct bw_state *s);

/* ---- functions --------------------------------------------------------------------------------------------------------------- */
const struct bw_cfg *bw_engine_cfg(struct bw_engine *e, int32_t func); /* NULL: out of memory */
/* The work on one function; @s is the state at its entry, then at its return. False: it never returns. */
bool bw_run_blocks(struct bw_engine *e, const struct bw_cfg *c, struct bw_state *s);
/* Runs a function on @s (r1 to r5 set): afterwards @s is the state at the return. False: it never returns. */
bool bw_run_func(struct bw_engine *e, int32_t func, struct bw_state *s);
bool bw_in_loop(const struct bw_engine *e); /* is the instruction at work run over and over, here or by a caller? */
/* Is the result of this call known? Then @s is what it comes to, and *ret_back what bw_run_func() returns. */
bool bw_memo_find(struct bw_engine *e, int32_t func, struct bw_state *s, bool *ret_back);
void bw_memo_begin(struct bw_engine *e, int32_t func, const struct bw_state *s, struct bw_memo_input *in);
void bw_memo_end(struct bw_engine *e, int32_t func, const struct bw_state *s, bool back, struct bw_memo_input *in);
int bw_memo_init(struct bw_engine *e);
void bw_memo_free(struct bw_engine *e);
/* Everything that looks at a frame, a local object or a map says so. */
void bw_trace_frame(struct bw_engine *e, int32_t frame, int64_t lo, uint64_t len); /* @lo < 0: anywhere */
void bw_trace_map(struct bw_engine *e, int32_t map);
void bw_trace_obj(struct bw_engine *e, const struct bw_local_obj *o, uint32_t region); /* @o: NULL when it is not there */
void bw_trace_views(struct bw_engine *e, int32_t map);
struct bw_length bw_len_of(const struct bw_val *v);

/* ---- results --------------------------------------------------------------------------------------------------------------- */
int bw_results(struct bw_engine *e, struct bw_analysis *a);

#endif
