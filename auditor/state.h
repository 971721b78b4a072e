/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_STATE_H
#define BW_STATE_H
/*
 * The abstract domain of the data-flow analysis: what a register or some bytes may be, where a pointer may point, and a
 * program state made of them. Nothing is proved in bounds here (that is the kernel's business), so intervals suffice:
 * a value is a set of regions + an offset interval, or a number interval with a small set of constants, together with a
 * taint word (the source classes of flow.h) and an interned provenance (which sources exactly).
 *
 * The order of the lattice: BW_VAL_NONE (no value: unreachable or never written) is below everything; joining makes intervals,
 * sets and masks larger; nothing gets smaller. bw_val_join() is commutative, associative up to widening of full sets, and
 * monotone: tests/unit/test_state.c checks the laws.
 */
#include "auditor/flow.h"
#include "auditor/intern.h"

#define BW_MAX_REGION_SET 16u
#define BW_MAX_CONST_SET 8u
#define BW_MAX_PROV_SET 48u
#define BW_MAX_FRAMES 8u
#define BW_MAX_OBJS 12u
#define BW_STACK_SIZE 512u
#define BW_CHUNK_SLOTS 64u /* of 8 bytes: one stack frame */
#define BW_MAX_CHUNKS 128u /* 64 KiB of one object are told apart, the rest is one summary */

/* ---- regions: what a pointer points into ------------------------------------------------------------------------- */
enum bw_region_kind {
	BW_REGION_ANY = 1, /* lost track: anything */
	BW_REGION_STACK,   /* a = frame number (0: the entry program's) */
	BW_REGION_CTX,
	BW_REGION_MAP,	   /* the map itself; a = map number, see below */
	BW_REGION_MAPVAL,  /* a value of map a; b = lookup site + 1 of per-CPU maps (a local view), else 0 */
	BW_REGION_MAPKEY,  /* a key of map a, as given to a callback */
	BW_REGION_PACKET,
	BW_REGION_PACKET_END,
	BW_REGION_PACKET_META,
	BW_REGION_RECORD,  /* reserved ring buffer memory of map a, reserved at site b */
	BW_REGION_EXT,	   /* memory outside the program: a = descriptor */
	BW_REGION_FUNC,	   /* code: a = function */
	BW_REGION_HEAP,	   /* memory allocated at site b (bpf_obj_new and the like); one summary per object file */
};

struct bw_region {
	uint32_t kind;
	int32_t a;
	uint32_t b;
};

/* Memory outside the program: what a register of the traced code or a kernel structure's field points to. */
enum bw_space {
	BW_SPACE_UNKNOWN, /* helper 4 reads either */
	BW_SPACE_USER,
	BW_SPACE_KERNEL,
};
enum bw_desc_kind {
	BW_DESC_PLAIN,	 /* bytes of the given classes */
	BW_DESC_PTREGS,	 /* registers of user space; aux = system call number or -1, so that arguments get their meaning */
	BW_DESC_STRUCT,	 /* a kernel structure of a named type: fields decide the class */
	BW_DESC_POINTERS, /* an array of pointers (argv); what they point to is in .deref */
	BW_DESC_SYSARG,	 /* argument aux of a system call whose number is only known on the path */
};
struct bw_desc {
	uint32_t space; /* enum bw_space */
	uint32_t kind;	/* enum bw_desc_kind */
	uint32_t classes; /* BW_SRC_BIT(): of the bytes there */
	uint32_t detail; /* string: "SSL_write buf", "task_struct.comm" */
	uint32_t type;	 /* string: structure's name */
	uint32_t deref;	 /* descriptor of what pointers in there point to; 0: the same */
	int32_t aux;
	uint32_t btf_type; /* of the structure in the object's BTF; 0 not known */
};

/* ---- origins: where tainted bytes come from ----------------------------------------------------------------------- */
struct bw_origin_node {
	uint32_t source; /* enum bw_source */
	uint32_t detail; /* string */
	int32_t prog, func;
	uint32_t insn;
	uint32_t parent; /* the origin node this one carries on, 0 for a source */
	uint32_t carrier; /* enum bw_carrier, when it has a parent */
	int32_t map;	 /* through which it was carried */
	uint32_t depth;
};
#define BW_MAX_ORIGIN_DEPTH 8u

/* ---- tags: remembered facts about how a number was made -------------------------------------------------------------- */
enum bw_tag_kind {
	BW_TAG_CORE = 1,  /* a field offset: a = string "task_struct.comm", b = root type string, c = pointee type string,
			   * d = 1 when the field is a pointer, 2 when it is a pointer to characters, 0 otherwise */
	BW_TAG_LOAD,	  /* a = region set it was loaded from, b = offset, c = width */
	BW_TAG_SYSNR,	  /* a system call number */
	BW_TAG_XOR,	  /* tainted data XOR a literal: a = comparison record + 1, b = another such tag (OR of several) */
	BW_TAG_STRCMP,	  /* the result of a comparing helper: a = comparison record + 1 */
	BW_TAG_DYNPTR,	  /* the value is the memory behind a dynptr */
	BW_TAG_ADDR,	  /* a number that was read as (possibly) an address: a = descriptor of what is there */
	BW_TAG_SITE,	  /* no property: an instruction (b) of a function (a), as a number */
};
struct bw_tag {
	uint32_t kind;
	uint32_t a;
	int64_t b;
	uint32_t c, d;
};

/* ---- values ------------------------------------------------------------------------------------------------------ */
enum bw_val_kind {
	BW_VAL_NONE,
	BW_VAL_SCALAR,
	BW_VAL_PTR,
};
#define BW_VAL_NULLABLE 1 /* pointer: may be 0 */
#define BW_VAL_MIXED 2	  /* pointer: may also be a number */
#define BW_VAL_SOFT 4	  /* lo == hi is an initial value that user space may change before the load: never decide on it */
#define BW_VAL_DIRECT 8	  /* the tainted bytes themselves, not something computed from them */

#define BW_VAL_MAPS UINT16_MAX

struct bw_val {
	uint32_t taint;	 /* BW_SRC_BIT() */
	uint32_t prov;	 /* set of origin nodes */
	uint32_t ref;	 /* PTR: set of regions; SCALAR: set of constants when 0 < their number <= 8, else 0 */
	uint32_t tag;
	uint16_t from;	 /* BW_FROM_BIT() */
	uint16_t carry;	 /* BW_CARRY_BIT() */
	uint8_t kind;	 /* enum bw_val_kind */
	uint8_t flags;
	uint16_t map;	 /* 1 + the map it came out of, 0 none, BW_VAL_MAPS several */
	int64_t lo, hi;	 /* SCALAR: the number as signed 64 bits; PTR: offset */
};
_Static_assert(sizeof(struct bw_val) == 40, "no padding: values are compared as bytes");

/* Eight bytes of memory: up to eight pieces, a piece goes from its first byte to the next piece. */
struct bw_slot {
	uint32_t starts; /* bit i: a piece starts at byte i; bit 0 is always set */
	uint32_t v[8];	 /* value numbers, by first byte */
};

/* ---- the domain: all interned things of one analysis -------------------------------------------------------------- */
#define BW_JOIN_CACHE 8192u
#define BW_JOIN_CACHE_MIN 256u

struct bw_domain {
	bool big_endian; /* how constants lie in memory */
	struct bw_mem_budget budget;
	struct bw_intern vals, slots, regions, descs, origins, tags, csets;
	struct bw_intern_runs strings, sets;
	uint32_t any_region; /* the set {ANY} */
	uint32_t prov_max;   /* sources one provenance names at most, at the moment */
	struct {
		uint32_t a, b, result;
	} *slot_joins, *set_joins;
	uint32_t n_joins; /* entries of each */
	uint64_t work; /* slots of memory looked at: what instructions on large objects really cost */
	struct bw_chunk *free_chunks;
	struct bw_state *free_states;
	uint32_t births;    /* counts runs of functions */
	uint32_t objs_high; /* local objects at most in a state, in the run at work */
};

int bw_domain_init(struct bw_domain *d, size_t max_memory);
void bw_domain_free(struct bw_domain *d);

uint32_t bw_dom_str(struct bw_domain *d, const char *s);
const char *bw_dom_cstr(const struct bw_domain *d, uint32_t id); /* valid until the next string is added */
uint32_t bw_dom_strf(struct bw_domain *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
uint32_t bw_dom_region(struct bw_domain *d, enum bw_region_kind kind, int32_t a, uint32_t b); /* a region */
uint32_t bw_dom_region_set(struct bw_domain *d, enum bw_region_kind kind, int32_t a, uint32_t b); /* the set of it alone */
const struct bw_region *bw_dom_region_get(const struct bw_domain *d, uint32_t region);
/* The members of a set, sorted. */
const uint32_t *bw_dom_set(const struct bw_domain *d, uint32_t set, uint32_t *ret_n);
uint32_t bw_dom_set_of(struct bw_domain *d, uint32_t member);
uint32_t bw_dom_region_union(struct bw_domain *d, uint32_t a, uint32_t b);
uint32_t bw_dom_prov_union(struct bw_domain *d, uint32_t a, uint32_t b);
uint32_t bw_dom_prov_max(struct bw_domain *d);
void bw_dom_joins_grow(struct bw_domain *d);
uint32_t bw_dom_prov_of(struct bw_domain *d, uint32_t *members, uint32_t n); /* sorts @members */
/* The only region of a set, NULL when it has several. */
const struct bw_region *bw_dom_only(const struct bw_domain *d, uint32_t set);
static inline const struct bw_desc *bw_dom_desc(const struct bw_domain *d, uint32_t id)
{
	return bw_intern_get(&d->descs, id);
}
static inline const struct bw_origin_node *bw_dom_origin(const struct bw_domain *d, uint32_t id)
{
	return bw_intern_get(&d->origins, id);
}
static inline const struct bw_tag *bw_dom_tag(const struct bw_domain *d, uint32_t id)
{
	return bw_intern_get(&d->tags, id);
}
uint32_t bw_dom_tag_add(struct bw_domain *d, enum bw_tag_kind kind, uint32_t a, int64_t b, uint32_t c, uint32_t e);

/* ---- values ------------------------------------------------------------------------------------------------------ */
static inline struct bw_val bw_val_scalar(int64_t lo, int64_t hi)
{
	return (struct bw_val){ .kind = BW_VAL_SCALAR, .lo = lo, .hi = hi };
}
static inline struct bw_val bw_val_const(int64_t c)
{
	return (struct bw_val){ .kind = BW_VAL_SCALAR, .lo = c, .hi = c, .from = BW_FROM_BIT(BW_FROM_CONSTANT) };
}
static inline struct bw_val bw_val_unknown(void)
{
	return bw_val_scalar(INT64_MIN, INT64_MAX);
}
static inline struct bw_val bw_val_ptr(uint32_t set, int64_t off)
{
	return (struct bw_val){ .kind = BW_VAL_PTR, .ref = set, .lo = off, .hi = off };
}
static inline bool bw_val_is_const(const struct bw_val *v)
{
	return v->kind == BW_VAL_SCALAR && v->lo == v->hi && !(v->flags & BW_VAL_SOFT);
}
static inline uint16_t bw_val_map_of(int32_t map)
{
	return (uint16_t)(map + 1 >= BW_VAL_MAPS ? BW_VAL_MAPS : map + 1);
}
/* The map a value came out of, -1 for none or several. */
static inline int32_t bw_val_map(const struct bw_val *v)
{
	return v->map && v->map != BW_VAL_MAPS ? v->map - 1 : -1;
}
/* Known bytes, also those that only hold until user space changes them. */
static inline bool bw_val_is_literal(const struct bw_val *v)
{
	return v->kind == BW_VAL_SCALAR && v->lo == v->hi;
}
/* hi - lo, at most INT64_MAX. */
static inline int64_t bw_span(int64_t lo, int64_t hi)
{
	uint64_t w = (uint64_t)hi - (uint64_t)lo;

	return hi < lo ? -1 : w > INT64_MAX ? INT64_MAX : (int64_t)w;
}
/* a + b, at the ends where it would go beyond them. */
static inline int64_t bw_sat_add(int64_t a, int64_t b)
{
	int64_t r;

	return __builtin_add_overflow(a, b, &r) ? (b > 0 ? INT64_MAX : INT64_MIN) : r;
}
/* @width bytes (1, 2, 4, 8) of unknown content, zero extended. */
struct bw_val bw_val_of_width(unsigned int width);
/* *a = join of both; true when *a changed. @widen jumps growing bounds to the next threshold. */
bool bw_val_join(struct bw_domain *d, struct bw_val *a, const struct bw_val *b, bool widen);
/* Takes the bounds of a scalar to the next thresholds. */
void bw_val_widen(struct bw_val *v);
/* Is @a at or below @b? */
bool bw_val_leq(struct bw_domain *d, const struct bw_val *a, const struct bw_val *b);
/* Adds taint, provenance, carriers and origins of @b to @a (what @a is computed from), not its numbers. */
void bw_val_absorb(struct bw_domain *d, struct bw_val *a, const struct bw_val *b);
/* The constants a scalar may be: fills at most BW_MAX_CONST_SET, returns how many; 0: not a small set. */
unsigned int bw_val_consts(const struct bw_domain *d, const struct bw_val *v, int64_t ret[BW_MAX_CONST_SET]);
/* Narrows a scalar to [lo, hi]; false when nothing is left. */
bool bw_val_clamp(struct bw_domain *d, struct bw_val *v, int64_t lo, int64_t hi);
/* Removes one number from a scalar when it is at an end or in its set; false when nothing is left. */
bool bw_val_exclude(struct bw_domain *d, struct bw_val *v, int64_t c);

/* ---- memory with content: chunks shared between states, copied when written ----------------------------------------- */
struct bw_chunk {
	uint32_t refs;
	uint32_t all; /* value: written somewhere in here, so that each slot may hold it beside its own content */
	struct bw_chunk *next_free;
	uint32_t slots[BW_CHUNK_SLOTS];
};
struct bw_mem {
	uint32_t refs;
	uint32_t n_chunks;
	uint32_t rest; /* value: written at unknown places, or beyond the chunks */
	struct bw_chunk *chunks[];
};
struct bw_mem *bw_mem_new(struct bw_domain *d);
void bw_mem_put(struct bw_domain *d, struct bw_mem *m);
/* Bytes [off, off + width) as one value; pieces that do not fit exactly are summarised. NONE when nothing was written there. */
struct bw_val bw_mem_load(struct bw_domain *d, const struct bw_mem *m, uint64_t off, unsigned int width);
/* Everything in [off, off + len) joined: taint and provenance matter, numbers do not. */
struct bw_val bw_mem_collect(struct bw_domain *d, const struct bw_mem *m, uint64_t off, uint64_t len);
/* Copies known bytes to @ret (room for @len); returns how many from the start are known. */
uint32_t bw_mem_literal(struct bw_domain *d, const struct bw_mem *m, uint64_t off, uint32_t len, uint8_t *ret);
/* Is every byte there known to have been written? */
bool bw_mem_written(struct bw_domain *d, const struct bw_mem *m, uint64_t off, uint64_t len);
/*
 * Stores @v in the @width bytes at @off: @weak joins with what is there. *mp is replaced when it is shared.
 * Returns true when something changed.
 */
bool bw_mem_store(struct bw_domain *d, struct bw_mem **mp, uint64_t off, unsigned int width, const struct bw_val *v, bool weak,
		  bool widen);
/* Fills [off, off + len) with values like @v (a byte pattern of unknown numbers). */
bool bw_mem_fill(struct bw_domain *d, struct bw_mem **mp, uint64_t off, uint64_t len, const struct bw_val *v, bool weak,
		 bool widen);
/* A local view: bytes in [off, off + len) that it knows may have become like @v; what it does not know it still does not. */
void bw_mem_weaken(struct bw_domain *d, struct bw_mem **mp, uint64_t off, uint64_t len, const struct bw_val *v);
bool bw_mem_join(struct bw_domain *d, struct bw_mem **ap, const struct bw_mem *b, bool widen);
/* The same for local views: known afterwards is only what both sides know. */
bool bw_mem_join_known(struct bw_domain *d, struct bw_mem **ap, const struct bw_mem *b, bool widen);
/* The first 64 slots, those in @slots, are as in @src. */
void bw_mem_copy_slots(struct bw_domain *d, struct bw_mem **mp, const struct bw_mem *src, uint64_t slots);

/* ---- states -------------------------------------------------------------------------------------------------------- */
struct bw_local_obj {
	uint32_t region;
	struct bw_mem *mem;
	int64_t size; /* of a record; -1 unknown */
	uint32_t born; /* .births of the domain when it was made */
};
struct bw_state {
	struct bw_val r[11];
	uint32_t depth; /* frames[0..depth] exist */
	struct bw_mem *frames[BW_MAX_FRAMES];
	struct bw_local_obj objs[BW_MAX_OBJS];
	uint32_t n_objs;
	/*
	 * Registers that hold the same number, so that a bound on one is a bound on all: the lowest such register, with a flag
	 * for "that one shifted left by 32" and "its lower half, zero extended".
	 */
	uint8_t eq[11];
	int32_t sysnr; /* the system call, where the path knows it; -1 */
	uint8_t l4;    /* the transport protocol, where the path knows it; 0 */
	uint8_t dns;   /* a port was found equal to 53 */
	struct bw_state *next_free;
};
#define BW_EQ_SHIFTED 0x80
#define BW_EQ_ZEXT 0x40
#define BW_EQ_REG 0x0f
void bw_state_eq_reset(struct bw_state *s);
/* Register @r was written: it is like no other. Returns the register that its equals have now, -1 when there is none. */
int bw_state_eq_written(struct bw_state *s, unsigned int r);
struct bw_state *bw_state_new(struct bw_domain *d);
void bw_state_free(struct bw_domain *d, struct bw_state *s);
struct bw_state *bw_state_dup(struct bw_domain *d, const struct bw_state *src); /* a new one, like @src; NULL: out of memory */
void bw_state_move(struct bw_domain *d, struct bw_state *dst, struct bw_state *src); /* the same as copying and freeing @src */
void bw_state_copy(struct bw_domain *d, struct bw_state *dst, const struct bw_state *src); /* @dst is overwritten after release */
void bw_state_release(struct bw_domain *d, struct bw_state *s);
bool bw_state_join(struct bw_domain *d, struct bw_state *a, const struct bw_state *b, bool widen);
struct bw_local_obj *bw_state_obj(struct bw_state *s, uint32_t region);
struct bw_local_obj *bw_state_obj_add(struct bw_domain *d, struct bw_state *s, uint32_t region);
void bw_state_obj_drop(struct bw_domain *d, struct bw_state *s, struct bw_local_obj *o);

#endif
