/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_RULE_H
#define BW_RULE_H
/*
 * The rules: what facts are worth a finding, and how severe. Rules are data (rules/audit-*.json, described by
 * rules/schema/rules-v1.schema.json); the code here reads them strictly and evaluates their conditions.
 *
 * A condition is a tree of all / any / not / exists over predicates on one field each. The depth is limited, so recursion
 * over it is, too; it comes from the operator, not from the object.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auditor/arena.h"
#include "auditor/checks/facts.h"
#include "auditor/diag.h"
#include "auditor/finding.h"

#define BW_MAX_RULES 1000u
#define BW_MAX_COND_DEPTH 12u
#define BW_MAX_RULE_GROUPS 32u

enum bw_cond_op {
	BW_COND_ALL,
	BW_COND_ANY,
	BW_COND_NOT,	/* none of .kids */
	BW_COND_EXISTS, /* a fact of kind .on, within .scope, for which kids[0] holds */
	BW_COND_FIELD,
};

enum bw_scope {
	BW_SCOPE_PROGRAM,  /* "program": of the same program */
	BW_SCOPE_OBJECT,   /* "object": of the whole object */
	BW_SCOPE_OTHERS,   /* "other-programs": of the object without this program */
	BW_SCOPE_FUNCTION, /* "function": of the same program and function */
	BW_SCOPE_FEEDERS,  /* "feeders": of this program and of those whose data it takes out of maps, however many hops */
	BW_SCOPE_ORIGIN,   /* "origin": of the program the data or the address came from */
	BW_SCOPE_COUNT_,
};

enum bw_test {
	BW_TEST_ANY,  /* one of the values */
	BW_TEST_ALL,  /* all of them (sets) */
	BW_TEST_ONLY, /* nothing else, and not empty (sets) */
};

struct bw_cond {
	enum bw_cond_op op;
	struct bw_cond **kids;
	uint32_t n_kids;
	/* EXISTS */
	enum bw_fact_kind on;
	enum bw_scope scope;
	uint32_t at_least;
	/* FIELD */
	const struct bw_field *field;
	enum bw_test test;
	uint64_t bits;
	int64_t min, max;   /* NUMBER: within these, ... */
	int64_t *numbers;   /* ... or one of these */
	uint32_t n_numbers;
	bool flag;
	const char **globs; /* TEXT: '*' stands for any text; a leading '~' makes it case-insensitive */
	uint32_t n_globs;
};

struct bw_level {
	struct bw_cond *when;
	enum bw_severity severity;
	enum bw_finding_kind kind;
	const char *because;
};

struct bw_rule {
	const char *id, *title, *rationale, *remediation, *message;
	enum bw_severity severity;
	enum bw_finding_kind kind;
	enum bw_fact_kind on;
	struct bw_cond *when; /* NULL: always */
	struct bw_level *levels; /* the first that holds decides */
	uint32_t n_levels;
	const char **attack; /* ATT&CK techniques: "T1056.001" */
	uint32_t n_attack;
	const char **positive, **negative; /* sample programs */
	uint32_t n_positive, n_negative;
	uint32_t group; /* of several rules of one group on one fact the most severe speaks; 0: none */
	bool once;	/* one finding per program, the most severe */
	const char *file; /* it comes from */
};

struct bw_ruleset {
	struct bw_arena arena;
	struct bw_rule *rules; /* sorted by id */
	uint32_t n_rules;
	size_t cap;
	const char *groups[BW_MAX_RULE_GROUPS];
	uint32_t n_groups;
};

/* The rules compiled in. Returns 0, -ENOMEM, or -EINVAL with @diag. */
int bw_ruleset_default(struct bw_ruleset *s, struct bw_diag *diag);
/* Adds the rules of one JSON text; @name is for messages. A rule with a known id is an error. */
int bw_ruleset_add(struct bw_ruleset *s, const char *text, size_t len, const char *name, struct bw_diag *diag);
/* Call after the last addition: sorts. */
void bw_ruleset_finish(struct bw_ruleset *s);
void bw_ruleset_free(struct bw_ruleset *s);
const struct bw_rule *bw_ruleset_find(const struct bw_ruleset *s, const char *id);

/* True when the text (@len bytes) matches the pattern, see bw_cond.globs. */
bool bw_glob_match(const char *glob, const char *text);

/* Facts that made a condition true, for the report. */
#define BW_MAX_EVIDENCE 8u
struct bw_evidence {
	const struct bw_fact *facts[BW_MAX_EVIDENCE];
	uint32_t n;
};

/* @ev may be NULL; facts found by "exists" are added to it when the whole condition holds. */
bool bw_cond_holds(const struct bw_cond *c, const struct bw_facts *x, const struct bw_fact *f, struct bw_evidence *ev);

/*
 * Applies the rules to an object's facts. Fills @ret->programs[].findings (the programs are those of the object, in its
 * order, already allocated from @arena). Returns 0 or -ENOMEM.
 */
int bw_check(const struct bw_ruleset *s, const struct bw_facts *x, struct bw_arena *arena, struct bw_scan_object *ret);

/* Where an instruction is; "" and 0 where the object does not say. */
struct bw_place bw_place_of(const struct bw_object *o, int32_t func, uint32_t insn);

#endif
