/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_FACTS_H
#define BW_FACTS_H
/*
 * Everything the rules can talk about, in one form: the analysis' flows and facts, the object's strings and notes. A rule
 * looks at one kind of fact at a time, and asks for fields by name (bw_field_find()).
 */
#include <stdbool.h>
#include <stdint.h>

#include "auditor/arena.h"
#include "auditor/checks/hook.h"
#include "auditor/flow.h"
#include "auditor/object.h"

enum bw_fact_kind {
	BW_FACT_FLOW,	      /* "flow": struct bw_flow */
	BW_FACT_USER_WRITE,   /* "user-write" */
	BW_FACT_OVERRIDE,     /* "override" */
	BW_FACT_SIGNAL,	      /* "signal" */
	BW_FACT_COMPARE,      /* "compare" */
	BW_FACT_PACKET_WRITE, /* "packet-write" */
	BW_FACT_REDIRECT,     /* "redirect" */
	BW_FACT_STRING,	      /* "string": struct bw_constant */
	BW_FACT_TAIL_CALL,    /* "tail-call" */
	BW_FACT_MAP_USE,      /* "map-use" */
	BW_FACT_CALL,	      /* "call": struct bw_call_count */
	BW_FACT_CROSS,	      /* "cross": struct bw_cross_flow; its program is the reader */
	BW_FACT_PROGRAM,      /* "program": struct bw_prog_facts */
	BW_FACT_UNANALYSED,   /* "unanalysed" */
	BW_FACT_NOTE,	      /* "note": struct bw_note of the object */
	BW_FACT_COUNT_,
};

/* A string of the object: in its data sections, or built on the stack. */
struct bw_constant {
	const char *text;
	uint32_t len;
	const char *helper; /* it is given to, "" none */
	uint32_t arg;
	bool rodata;
};

struct bw_fact {
	enum bw_fact_kind kind;
	int32_t prog;  /* BW_NONE: the object's */
	int32_t func;  /* BW_NONE: no place */
	uint32_t insn;
	const void *p; /* by kind */
};

/* No object is asked for more strings, each at most this long. */
#define BW_MAX_CONSTANTS 20000u
#define BW_MAX_CONSTANT_LEN 4096u

/* Above, hops through maps are not followed: each program stands for itself. */
#define BW_MAX_FEEDER_PROGS 1024u

struct bw_facts {
	const struct bw_object *o;
	const struct bw_analysis *a;
	struct bw_hook *hooks; /* per program */
	struct bw_fact *list[BW_FACT_COUNT_]; /* sorted by program */
	uint32_t n[BW_FACT_COUNT_];
	uint32_t *first[BW_FACT_COUNT_]; /* n_progs + 1 entries: where each program's facts begin */
	int32_t *owner; /* per function: the first program that reaches it, BW_NONE for none */
	uint8_t *feeds; /* n_progs * n_progs: [reader * n_progs + writer]; NULL for objects with too many programs */
	bool strings_dropped; /* more than BW_MAX_CONSTANTS */
};

int bw_facts_build(const struct bw_object *o, const struct bw_analysis *a, struct bw_arena *arena,
		   struct bw_facts *ret);

const char *bw_fact_kind_name(enum bw_fact_kind k);
int bw_fact_kind_id(const char *name);

/* ---- fields ------------------------------------------------------------------------------------------------------- */
enum bw_field_type {
	BW_FIELD_BITS,	   /* a set of named members */
	BW_FIELD_VERDICTS, /* a set of return values: 0 to 62, "other" */
	BW_FIELD_TEXT,
	BW_FIELD_NUMBER,
	BW_FIELD_BOOL,
	BW_FIELD_TEXTS, /* several: true when one of them matches */
};

#define BW_MAX_FIELD_TEXTS 512u

struct bw_value {
	uint64_t bits;
	int64_t number; /* INT64_MAX: unbounded; INT64_MIN: not known, matches nothing */
	bool flag;
	const char *text;
	const char *texts[BW_MAX_FIELD_TEXTS];
	uint32_t n_texts;
};

struct bw_field {
	const char *name; /* "source", "program.hook", "object.license" */
	uint32_t kinds;	  /* 1 << enum bw_fact_kind: where it exists */
	enum bw_field_type type;
	int (*id)(const char *name); /* BITS: name to bit number, -1 */
	void (*get)(const struct bw_facts *x, const struct bw_fact *f, struct bw_value *ret);
	const char *help;
};

/* NULL for an unknown name, or one that facts of that kind do not have. */
const struct bw_field *bw_field_find(const char *name, enum bw_fact_kind kind);
const struct bw_field *bw_fields(uint32_t *ret_n);

/* ---- words ---------------------------------------------------------------------------------------------------------- */
struct bw_buf;
/* "writes 2 bytes into user memory; the address was saved by sys_enter_getdents64": evidence in reports. */
void bw_fact_describe(const struct bw_facts *x, const struct bw_fact *f, struct bw_buf *out);
/* The value of {name} in a rule's message; false when facts of that kind have none such. */
bool bw_fact_word(const struct bw_facts *x, const struct bw_fact *f, const char *name, struct bw_buf *out);
bool bw_fact_word_known(enum bw_fact_kind kind, const char *name);
/* What a finding on this fact states as its source and channel, "" for none. */
const char *bw_fact_source(const struct bw_fact *f);
const char *bw_fact_channel(const struct bw_fact *f);

#endif
