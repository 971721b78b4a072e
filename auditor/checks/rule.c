// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reads rules from JSON. Strict: an unknown key, field or word is an error with its place, never ignored. */
#include "auditor/checks/rule.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>

#include "auditor/checks/rules_embedded.h"
#include "common/cleanup.h"
#include "common/json_check.h"
#include "common/limits.h"

#define BW_MAX_RULE_VALUES 200000u

struct reader {
	struct bw_ruleset *set;
	struct bw_arena *arena;
	struct bw_diag *diag;
	const char *file;
	const char *rule; /* its id, for messages */
};

static const char *const scope_names[] = {
	[BW_SCOPE_PROGRAM] = "program",	  [BW_SCOPE_OBJECT] = "object", [BW_SCOPE_OTHERS] = "other-programs",
	[BW_SCOPE_FUNCTION] = "function", [BW_SCOPE_ORIGIN] = "origin",	[BW_SCOPE_FEEDERS] = "feeders",
};

__attribute__((format(printf, 2, 3))) static int fail(struct reader *r, const char *fmt, ...)
{
	char reason[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	return bw_diag_set(r->diag, -EINVAL, r->file, r->rule, BW_DIAG_NO_OFFSET, "%s", reason);
}

static int nomem(struct reader *r)
{
	return bw_diag_set(r->diag, -ENOMEM, r->file, r->rule, BW_DIAG_NO_OFFSET, "out of memory");
}

static int check_keys(struct reader *r, const cJSON *o, const char *const *known, size_t n)
{
	for (const cJSON *m = o->child; m; m = m->next) {
		bool ok = false;

		for (size_t i = 0; i < n && !ok; i++)
			ok = !strcmp(known[i], m->string);
		if (!ok)
			return fail(r, "unknown key \"%s\"", m->string);
		for (const cJSON *k = m->next; k; k = k->next)
			if (!strcmp(k->string, m->string))
				return fail(r, "the key \"%s\" is there twice", m->string);
	}
	return 0;
}

/* A member that is a string; NULL member and @need: an error. */
static int get_text(struct reader *r, const cJSON *o, const char *key, bool need, const char **ret)
{
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, key);

	if (!m) {
		*ret = "";
		return need ? fail(r, "\"%s\" is missing", key) : 0;
	}
	if (!cJSON_IsString(m) || (need && !*m->valuestring))
		return fail(r, "\"%s\" must be a text", key);
	*ret = bw_arena_str(r->arena, m->valuestring);
	return *ret ? 0 : nomem(r);
}

/* One text or a list of texts. */
static int get_texts(struct reader *r, const cJSON *m, const char *key, const char ***ret, uint32_t *ret_n)
{
	uint32_t n = cJSON_IsArray(m) ? (uint32_t)cJSON_GetArraySize(m) : 1, i = 0;
	const char **list = bw_arena_alloc(r->arena, n ? n : 1, sizeof(*list));

	if (!list)
		return nomem(r);
	for (const cJSON *e = cJSON_IsArray(m) ? m->child : m; e; e = cJSON_IsArray(m) ? e->next : NULL) {
		if (!cJSON_IsString(e))
			return fail(r, "\"%s\" takes texts", key);
		list[i] = bw_arena_str(r->arena, e->valuestring);
		if (!list[i++])
			return nomem(r);
	}
	*ret = list;
	*ret_n = i;
	return 0;
}

static bool whole_number(const cJSON *m, int64_t *ret)
{
	if (!cJSON_IsNumber(m) || m->valuedouble != (double)(int64_t)m->valuedouble)
		return false;
	*ret = (int64_t)m->valuedouble;
	return true;
}

static int add_bit(struct reader *r, struct bw_cond *c, const cJSON *e)
{
	int64_t n;
	int bit = -1;

	if (c->field->type == BW_FIELD_VERDICTS) {
		if (whole_number(e, &n) && n >= 0 && n <= 62)
			bit = (int)n;
		else if (cJSON_IsString(e) && !strcmp(e->valuestring, "other"))
			bit = 63;
	} else if (cJSON_IsString(e)) {
		bit = c->field->id(e->valuestring);
	}
	if (bit < 0)
		return fail(r, "\"%s\": %s is not one of its words", c->field->name,
			    cJSON_IsString(e) ? e->valuestring : "a value");
	c->bits |= 1ull << bit;
	return 0;
}

static int read_bits(struct reader *r, struct bw_cond *c, const cJSON *m)
{
	static const char *const tests[] = { [BW_TEST_ANY] = "any", [BW_TEST_ALL] = "all", [BW_TEST_ONLY] = "only" };
	int err = 0;

	c->test = BW_TEST_ANY;
	if (cJSON_IsObject(m)) {
		const cJSON *inner = m->child;
		bool known = false;

		for (size_t i = 0; inner && !inner->next && i < ARRAY_SIZE(tests); i++)
			if (!strcmp(inner->string, tests[i])) {
				c->test = (enum bw_test)i;
				known = true;
			}
		if (!known)
			return fail(r, "\"%s\" takes words, or one of any, all, only", c->field->name);
		m = inner;
	}
	if (!cJSON_IsArray(m))
		return add_bit(r, c, m);
	for (const cJSON *e = m->child; e && !err; e = e->next)
		err = add_bit(r, c, e);
	return err;
}

static int read_number(struct reader *r, struct bw_cond *c, const cJSON *m)
{
	static const char *const keys[] = { "min", "max" };
	const cJSON *e;
	int err;

	c->min = INT64_MIN + 1;
	c->max = INT64_MAX;
	if (cJSON_IsObject(m)) {
		err = check_keys(r, m, keys, ARRAY_SIZE(keys));
		if (err)
			return err;
		e = cJSON_GetObjectItemCaseSensitive(m, "min");
		if (e && !whole_number(e, &c->min))
			return fail(r, "\"%s\": min must be a whole number", c->field->name);
		e = cJSON_GetObjectItemCaseSensitive(m, "max");
		if (e && !whole_number(e, &c->max))
			return fail(r, "\"%s\": max must be a whole number", c->field->name);
		return 0;
	}
	c->numbers = bw_arena_alloc(r->arena, cJSON_IsArray(m) ? (size_t)cJSON_GetArraySize(m) + 1 : 1, sizeof(int64_t));
	if (!c->numbers)
		return nomem(r);
	for (e = cJSON_IsArray(m) ? m->child : m; e; e = cJSON_IsArray(m) ? e->next : NULL)
		if (!whole_number(e, &c->numbers[c->n_numbers++]))
			return fail(r, "\"%s\" takes whole numbers", c->field->name);
	return 0;
}

static int read_field(struct reader *r, enum bw_fact_kind on, const cJSON *m, struct bw_cond *c)
{
	c->op = BW_COND_FIELD;
	c->field = bw_field_find(m->string, on);
	if (!c->field)
		return fail(r, "facts of kind %s have no field \"%s\"", bw_fact_kind_name(on), m->string);
	switch (c->field->type) {
	case BW_FIELD_BITS:
	case BW_FIELD_VERDICTS:
		return read_bits(r, c, m);
	case BW_FIELD_NUMBER:
		return read_number(r, c, m);
	case BW_FIELD_BOOL:
		if (!cJSON_IsBool(m))
			return fail(r, "\"%s\" is true or false", m->string);
		c->flag = cJSON_IsTrue(m);
		return 0;
	case BW_FIELD_TEXT:
	case BW_FIELD_TEXTS:
		return get_texts(r, m, m->string, &c->globs, &c->n_globs);
	}
	return fail(r, "\"%s\": internal: no such type", m->string);
}

static int read_cond(struct reader *r, enum bw_fact_kind on, const cJSON *o, unsigned int depth, struct bw_cond **ret);

static int read_kids(struct reader *r, enum bw_fact_kind on, const cJSON *m, unsigned int depth, struct bw_cond *c)
{
	uint32_t n = cJSON_IsArray(m) ? (uint32_t)cJSON_GetArraySize(m) : 1;
	int err = 0;

	c->kids = bw_arena_alloc(r->arena, n + 1, sizeof(*c->kids));
	if (!c->kids)
		return nomem(r);
	for (const cJSON *e = cJSON_IsArray(m) ? m->child : m; e && !err; e = cJSON_IsArray(m) ? e->next : NULL)
		err = read_cond(r, on, e, depth + 1, &c->kids[c->n_kids++]);
	return err;
}

static int read_exists(struct reader *r, const cJSON *m, unsigned int depth, struct bw_cond *c)
{
	static const char *const keys[] = { "on", "in", "when", "at-least" };
	const cJSON *on = cJSON_GetObjectItemCaseSensitive(m, "on"), *in = cJSON_GetObjectItemCaseSensitive(m, "in");
	const cJSON *when = cJSON_GetObjectItemCaseSensitive(m, "when");
	const cJSON *at_least = cJSON_GetObjectItemCaseSensitive(m, "at-least");
	int64_t n = 1;
	int kind, err;

	if (!cJSON_IsObject(m))
		return fail(r, "\"exists\" takes an object");
	err = check_keys(r, m, keys, ARRAY_SIZE(keys));
	if (err)
		return err;
	c->op = BW_COND_EXISTS;
	kind = cJSON_IsString(on) ? bw_fact_kind_id(on->valuestring) : -1;
	if (kind < 0)
		return fail(r, "\"exists\": \"on\" must name a kind of fact");
	c->on = (enum bw_fact_kind)kind;
	c->scope = BW_SCOPE_COUNT_;
	for (unsigned int i = 0; cJSON_IsString(in) && i < BW_SCOPE_COUNT_; i++)
		if (!strcmp(in->valuestring, scope_names[i]))
			c->scope = (enum bw_scope)i;
	if (c->scope == BW_SCOPE_COUNT_)
		return fail(r, "\"exists\": \"in\" must be program, function, feeders, object, other-programs or origin");
	if (at_least && (!whole_number(at_least, &n) || n < 1 || n > 1000000))
		return fail(r, "\"exists\": \"at-least\" must be a whole number from 1");
	c->at_least = (uint32_t)n;
	if (!when)
		return 0;
	return read_kids(r, c->on, when, depth, c);
}

/* Reads {"field": value, ..., "any": [...], "all": [...], "not": {...}, "exists": {...}}: all of them must hold. */
static int read_cond(struct reader *r, enum bw_fact_kind on, const cJSON *o, unsigned int depth, struct bw_cond **ret)
{
	struct bw_cond *c;
	uint32_t n;

	if (!cJSON_IsObject(o))
		return fail(r, "a condition must be an object");
	if (depth > BW_MAX_COND_DEPTH)
		return fail(r, "conditions nest more than %u deep", BW_MAX_COND_DEPTH);
	n = (uint32_t)cJSON_GetArraySize(o);
	c = bw_arena_alloc(r->arena, 1, sizeof(*c));
	if (!c)
		return nomem(r);
	c->op = BW_COND_ALL;
	c->kids = bw_arena_alloc(r->arena, n + 1, sizeof(*c->kids));
	if (!c->kids)
		return nomem(r);
	for (const cJSON *m = o->child; m; m = m->next) {
		struct bw_cond *k = bw_arena_alloc(r->arena, 1, sizeof(*k));
		int err;

		if (!k)
			return nomem(r);
		if (!strcmp(m->string, "any") || !strcmp(m->string, "all") || !strcmp(m->string, "not")) {
			k->op = m->string[1] == 'n' ? BW_COND_ANY : m->string[1] == 'l' ? BW_COND_ALL : BW_COND_NOT;
			err = read_kids(r, on, m, depth, k);
		} else if (!strcmp(m->string, "exists")) {
			err = read_exists(r, m, depth, k);
		} else {
			err = read_field(r, on, m, k);
		}
		if (err)
			return err;
		c->kids[c->n_kids++] = k;
	}
	*ret = c;
	return 0;
}

static int read_verdict(struct reader *r, const cJSON *o, enum bw_severity *severity, enum bw_finding_kind *kind, bool need)
{
	const char *text;
	int id, err;

	err = get_text(r, o, "severity", need, &text);
	if (err)
		return err;
	if (*text) {
		id = bw_severity_id(text);
		if (id < 0)
			return fail(r, "\"severity\" is info, low, medium, high or critical");
		*severity = (enum bw_severity)id;
	}
	err = get_text(r, o, "kind", need, &text);
	if (err)
		return err;
	if (*text) {
		id = bw_finding_kind_id(text);
		if (id < 0)
			return fail(r, "\"kind\" is capability, attack or defect");
		*kind = (enum bw_finding_kind)id;
	}
	return 0;
}

static int read_levels(struct reader *r, struct bw_rule *rule, const cJSON *m)
{
	static const char *const keys[] = { "when", "severity", "kind", "because" };
	int err;

	if (!m)
		return 0;
	if (!cJSON_IsArray(m))
		return fail(r, "\"levels\" must be a list");
	rule->levels = bw_arena_alloc(r->arena, (size_t)cJSON_GetArraySize(m) + 1, sizeof(*rule->levels));
	if (!rule->levels)
		return nomem(r);
	for (const cJSON *e = m->child; e; e = e->next) {
		struct bw_level *l = &rule->levels[rule->n_levels++];
		const cJSON *when;

		if (!cJSON_IsObject(e))
			return fail(r, "a level must be an object");
		err = check_keys(r, e, keys, ARRAY_SIZE(keys));
		if (err)
			return err;
		l->severity = rule->severity;
		l->kind = rule->kind;
		err = read_verdict(r, e, &l->severity, &l->kind, false);
		if (!err)
			err = get_text(r, e, "because", true, &l->because);
		if (err)
			return err;
		when = cJSON_GetObjectItemCaseSensitive(e, "when");
		if (!when)
			return fail(r, "a level needs \"when\"");
		err = read_cond(r, rule->on, when, 0, &l->when);
		if (err)
			return err;
	}
	return 0;
}

/* Every {word} of the message must be one that facts can fill in. */
static int check_message(struct reader *r, const struct bw_rule *rule)
{
	for (const char *p = rule->message; (p = strchr(p, '{')); p++) {
		size_t len = strcspn(p + 1, "}");
		char word[32];

		if (!p[1 + len] || len >= sizeof(word))
			return fail(r, "\"message\" has an unclosed {");
		memcpy(word, p + 1, len);
		word[len] = 0;
		if (!bw_fact_word_known(rule->on, word))
			return fail(r, "\"message\": {%s} is not known", word);
	}
	return 0;
}

static int read_group(struct reader *r, struct bw_rule *rule, const char *name)
{
	struct bw_ruleset *s = r->set;

	if (!*name)
		return 0;
	for (uint32_t i = 0; i < s->n_groups; i++)
		if (!strcmp(s->groups[i], name)) {
			rule->group = i + 1;
			return 0;
		}
	if (s->n_groups == BW_MAX_RULE_GROUPS)
		return fail(r, "more than %u groups", BW_MAX_RULE_GROUPS);
	s->groups[s->n_groups++] = name;
	rule->group = s->n_groups;
	return 0;
}

static bool valid_id(const char *id)
{
	size_t digits = strlen(id) > 2 ? strspn(id + 2, "0123456789") : 0;

	return id[0] >= 'A' && id[0] <= 'Z' && id[1] >= 'A' && id[1] <= 'Z' && digits >= 3 && digits <= 5 &&
	       !id[2 + digits];
}

static int read_tests(struct reader *r, struct bw_rule *rule, const cJSON *m)
{
	static const char *const keys[] = { "positive", "negative" };
	const cJSON *list;
	int err;

	if (!cJSON_IsObject(m))
		return fail(r, "\"tests\" must be an object");
	err = check_keys(r, m, keys, ARRAY_SIZE(keys));
	list = cJSON_GetObjectItemCaseSensitive(m, "positive");
	if (!err && list)
		err = get_texts(r, list, "positive", &rule->positive, &rule->n_positive);
	list = cJSON_GetObjectItemCaseSensitive(m, "negative");
	if (!err && list)
		err = get_texts(r, list, "negative", &rule->negative, &rule->n_negative);
	return err;
}

static int read_rule(struct reader *r, const cJSON *o)
{
	static const char *const keys[] = { "id",      "title",	 "severity", "kind",  "on",    "when", "levels", "message",
					    "rationale", "remediation", "attack", "tests", "group", "once" };
	struct bw_rule rule = { .file = r->file };
	const char *on, *group;
	const cJSON *m;
	int err, kind;

	r->rule = "a rule";
	if (!cJSON_IsObject(o))
		return fail(r, "a rule must be an object");
	err = get_text(r, o, "id", true, &rule.id);
	if (err)
		return err;
	r->rule = rule.id;
	if (!valid_id(rule.id))
		return fail(r, "an id is two capital letters and three to five digits");
	if (bw_ruleset_find(r->set, rule.id))
		return fail(r, "there is another rule with this id");
	err = check_keys(r, o, keys, ARRAY_SIZE(keys));
	if (!err)
		err = get_text(r, o, "title", true, &rule.title);
	if (!err)
		err = get_text(r, o, "rationale", true, &rule.rationale);
	if (!err)
		err = get_text(r, o, "remediation", true, &rule.remediation);
	if (!err)
		err = get_text(r, o, "message", true, &rule.message);
	if (!err)
		err = get_text(r, o, "on", true, &on);
	if (!err)
		err = get_text(r, o, "group", false, &group);
	if (!err)
		err = read_verdict(r, o, &rule.severity, &rule.kind, true);
	if (err)
		return err;
	kind = bw_fact_kind_id(on);
	if (kind < 0)
		return fail(r, "\"on\": there is no kind of fact \"%s\"", on);
	rule.on = (enum bw_fact_kind)kind;
	err = check_message(r, &rule);
	if (!err)
		err = read_group(r, &rule, group);
	m = cJSON_GetObjectItemCaseSensitive(o, "when");
	if (!err && m)
		err = read_cond(r, rule.on, m, 0, &rule.when);
	if (!err)
		err = read_levels(r, &rule, cJSON_GetObjectItemCaseSensitive(o, "levels"));
	m = cJSON_GetObjectItemCaseSensitive(o, "attack");
	if (!err && m)
		err = get_texts(r, m, "attack", &rule.attack, &rule.n_attack);
	m = cJSON_GetObjectItemCaseSensitive(o, "tests");
	if (!err && m)
		err = read_tests(r, &rule, m);
	m = cJSON_GetObjectItemCaseSensitive(o, "once");
	if (!err && m && !cJSON_IsBool(m))
		err = fail(r, "\"once\" is true or false");
	if (err)
		return err;
	rule.once = m && cJSON_IsTrue(m);
	if (r->set->n_rules >= BW_MAX_RULES)
		return fail(r, "more than %u rules", BW_MAX_RULES);
	if (!bw_arena_grow(r->arena, &r->set->rules, r->set->n_rules, &r->set->cap, sizeof(rule)))
		return nomem(r);
	r->set->rules[r->set->n_rules++] = rule;
	return 0;
}

static void json_freep(cJSON **j)
{
	cJSON_Delete(*j);
}

int bw_ruleset_add(struct bw_ruleset *s, const char *text, size_t len, const char *name, struct bw_diag *diag)
{
	static const char *const keys[] = { "$schema", "version", "description", "rules" };
	struct reader reader = { .set = s, .arena = &s->arena, .diag = diag, .rule = "" }, *r = &reader;
	BW_CLEANUP(json_freep) cJSON *root = NULL;
	const char *reason;
	const cJSON *m;
	int64_t version;
	size_t off;
	int err;

	r->file = bw_arena_str(&s->arena, name);
	if (!r->file)
		return bw_diag_set(diag, -ENOMEM, name, "", BW_DIAG_NO_OFFSET, "out of memory");
	if (bw_json_check(text, len, BW_MAX_RULE_VALUES, &off, &reason) < 0)
		return bw_diag_set(diag, -EINVAL, name, "", off, "%s", reason);
	root = cJSON_ParseWithLength(text, len);
	if (!root)
		return bw_diag_set(diag, -EINVAL, name, "", BW_DIAG_NO_OFFSET, "not JSON, or out of memory");
	if (!cJSON_IsObject(root))
		return fail(r, "a rule file must be an object");
	err = check_keys(r, root, keys, ARRAY_SIZE(keys));
	if (err)
		return err;
	m = cJSON_GetObjectItemCaseSensitive(root, "version");
	if (!m || !whole_number(m, &version) || version != 1)
		return fail(r, "\"version\" must be 1");
	m = cJSON_GetObjectItemCaseSensitive(root, "rules");
	if (!cJSON_IsArray(m))
		return fail(r, "\"rules\" must be a list");
	for (const cJSON *e = m->child; e && !err; e = e->next)
		err = read_rule(r, e);
	return err;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct bw_rule *)a)->id, ((const struct bw_rule *)b)->id);
}

void bw_ruleset_finish(struct bw_ruleset *s)
{
	if (s->n_rules > 1)
		qsort(s->rules, s->n_rules, sizeof(*s->rules), by_id);
}

void bw_ruleset_free(struct bw_ruleset *s)
{
	bw_arena_free(&s->arena);
	*s = (struct bw_ruleset){ 0 };
}

const struct bw_rule *bw_ruleset_find(const struct bw_ruleset *s, const char *id)
{
	for (uint32_t i = 0; i < s->n_rules; i++)
		if (!strcmp(s->rules[i].id, id))
			return &s->rules[i];
	return NULL;
}

int bw_ruleset_default(struct bw_ruleset *s, struct bw_diag *diag)
{
	for (size_t i = 0; i < ARRAY_SIZE(bw_rules_embedded); i++) {
		int err = bw_ruleset_add(s, bw_rules_embedded[i].text, strlen(bw_rules_embedded[i].text),
					 bw_rules_embedded[i].name, diag);

		if (err)
			return err;
	}
	bw_ruleset_finish(s);
	return 0;
}
