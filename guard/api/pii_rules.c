// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reads classes and detectors from JSON. Strict: what is not understood is an error with its place, never ignored. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/json_check.h"
#include "guard/api/pii_internal.h"
#include "guard/api/pii_embedded.h"

#define PII_MAX_VALUES 100000u
#define PII_MAX_FILES  256u
#define PII_MAX_REGEX  2048u

struct reader {
	struct pii_rules *rules;
	struct pii_error *error;
	const char *text, *file;
	size_t len;
	const cJSON *words; /* lists that "@name" stands for; NULL: none */
	unsigned int first_class, first_detector; /* of this file */
	char path[64];	      /* "detectors[3]" */
};

static void printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

__attribute__((format(printf, 3, 4))) static int fail(struct reader *r, const char *key, const char *fmt, ...)
{
	struct pii_error *e = r->error;
	va_list ap;

	*e = (struct pii_error){ 0 };
	va_start(ap, fmt);
	vsnprintf(e->reason, sizeof(e->reason), fmt, ap);
	va_end(ap);
	snprintf(e->file, sizeof(e->file), "%s", r->file);
	snprintf(e->where, sizeof(e->where), "%s%s%s", r->path, *r->path && *key ? "." : "", key);
	if (!*e->where || !bw_json_locate(r->text, r->len, e->where, &e->line, &e->column))
		if (!*r->path || !bw_json_locate(r->text, r->len, r->path, &e->line, &e->column))
			e->line = e->column = 1;
	printable(e->reason);
	printable(e->where);
	printable(e->file);
	return -EINVAL;
}

static int nomem(struct reader *r)
{
	fail(r, "", "out of memory");
	return -ENOMEM;
}

static int check_keys(struct reader *r, const cJSON *o, const char *const *known, size_t n)
{
	for (const cJSON *m = o->child; m; m = m->next) {
		bool ok = false;

		for (size_t i = 0; i < n && !ok; i++)
			ok = !strcmp(known[i], m->string);
		if (!ok)
			return fail(r, "", "unknown key \"%s\"", m->string);
		for (const cJSON *k = m->next; k; k = k->next)
			if (!strcmp(k->string, m->string))
				return fail(r, m->string, "the key is there twice");
	}
	return 0;
}

static bool name_ok(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n && !s[n] && n < PII_MAX_NAME;
}

/* A member that is a text; "" when it is missing and not needed. */
static int get_text(struct reader *r, const cJSON *o, const char *key, bool need, size_t max, const char **ret)
{
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, key);

	*ret = "";
	if (!m)
		return need ? fail(r, "", "\"%s\" is missing", key) : 0;
	if (!cJSON_IsString(m) || !*m->valuestring)
		return fail(r, key, "must be a text");
	if (strlen(m->valuestring) >= max)
		return fail(r, key, "is longer than %zu bytes", max - 1);
	*ret = m->valuestring;
	return 0;
}

static int get_percent(struct reader *r, const cJSON *o, const char *key, unsigned int missing, uint8_t *ret)
{
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, key);

	*ret = (uint8_t)missing;
	if (!m)
		return 0;
	if (!cJSON_IsNumber(m) || m->valuedouble < 1 || m->valuedouble > 100 || m->valuedouble != (int)m->valuedouble)
		return fail(r, key, "must be a whole number from 1 to 100");
	*ret = (uint8_t)m->valuedouble;
	return 0;
}

/* [fewest, most] */
static int get_digits(struct reader *r, const cJSON *o, struct pii_detector *d)
{
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, "digits"), *from = cJSON_GetArrayItem(m, 0), *to = cJSON_GetArrayItem(m, 1);
	hs_compile_error_t *error = NULL;
	hs_expr_info_t *info = NULL;
	const char *first;
	int err;

	if ((d->trigger == PII_TRIGGER_NUMBER) != !!m)
		return fail(r, m ? "digits" : "", "\"digits\" is for number detectors, and they need it");
	if (!m)
		return cJSON_GetObjectItemCaseSensitive(o, "first") ? fail(r, "first", "is for number detectors") : 0;
	if (!cJSON_IsArray(m) || cJSON_GetArraySize(m) != 2 || !cJSON_IsNumber(from) || !cJSON_IsNumber(to) || from->valuedouble < 3 ||
	    to->valuedouble > 64 || from->valuedouble > to->valuedouble)
		return fail(r, "digits", "must be [fewest, most], from 3 to 64");
	if (hs_expression_info(d->regex, HS_FLAG_DOTALL, &info, &error) == HS_SUCCESS) {
		d->min_width = info->min_width;
		d->max_width = info->max_width;
		free(info);
	} else {
		hs_free_compile_error(error);
		d->max_width = UINT32_MAX;
	}
	err = get_text(r, o, "first", false, 16, &first);
	if (err)
		return err;
	if (*first && !(d->first = strdup(first)))
		return nomem(r);
	d->letters = strpbrk(d->regex, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	d->min_digits = (uint8_t)from->valuedouble;
	d->max_digits = (uint8_t)to->valuedouble;
	return 0;
}

static int get_flag(struct reader *r, const cJSON *o, const char *key, bool *ret)
{
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, key);

	*ret = m && cJSON_IsTrue(m);
	return m && !cJSON_IsBool(m) ? fail(r, key, "is true or false") : 0;
}

static int add_word(struct reader *r, const char *key, const cJSON *e, struct pii_wordset *ret)
{
	unsigned int id;
	int err;

	if (!cJSON_IsString(e))
		return fail(r, key, "must be a list of words");
	err = pii_word_add(r->rules, e->valuestring, &id);
	if (err == -E2BIG)
		return fail(r, key, "more than %u different words", PII_MAX_WORDS);
	if (err < 0)
		return fail(r, key, "\"%s\" is no word: up to %u parts of small letters, separated by spaces", e->valuestring, PII_MAX_GRAM);
	ret->bits[id / 64] |= 1ull << (id % 64);
	ret->any = true;
	return 0;
}

static int get_words(struct reader *r, const cJSON *o, const char *key, struct pii_wordset *ret)
{
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, key);
	int err = 0;

	if (!m)
		return 0;
	if (!cJSON_IsArray(m) || !m->child)
		return fail(r, key, "must be a list of words");
	for (const cJSON *e = m->child; e && !err; e = e->next) {
		const cJSON *list;

		if (!cJSON_IsString(e) || e->valuestring[0] != '@') {
			err = add_word(r, key, e, ret);
			continue;
		}
		list = r->words ? cJSON_GetObjectItemCaseSensitive(r->words, e->valuestring + 1) : NULL;
		if (!cJSON_IsArray(list))
			return fail(r, key, "there is no list \"%s\" in \"words\"", e->valuestring + 1);
		for (const cJSON *w = list->child; w && !err; w = w->next)
			err = add_word(r, key, w, ret);
	}
	return err;
}

const char *pii_category_name(enum pii_category c)
{
	switch (c) {
	case PII_GDPR:
		return "gdpr";
	case PII_GDPR_SPECIAL:
		return "gdpr-special";
	case PII_PCI_DSS:
		return "pci-dss";
	case PII_HIPAA:
		return "hipaa";
	case PII_SECRET:
		return "secret";
	}
	return NULL;
}

static int get_categories(struct reader *r, const cJSON *o, uint32_t *ret)
{
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, "categories");

	if (!cJSON_IsArray(m) || !m->child)
		return fail(r, "categories", "must be a list of gdpr, gdpr-special, pci-dss, hipaa, secret");
	for (const cJSON *e = m->child; e; e = e->next) {
		uint32_t bit = 0;

		for (unsigned int i = 0; cJSON_IsString(e) && i < 32 && pii_category_name(1u << i); i++)
			if (!strcmp(e->valuestring, pii_category_name(1u << i)))
				bit = 1u << i;
		if (!bit)
			return fail(r, "categories", "must be a list of gdpr, gdpr-special, pci-dss, hipaa, secret");
		*ret |= bit;
	}
	return 0;
}

/* A name that an earlier file has as well is replaced; in one file it must not come twice. */
static int read_class(struct reader *r, const cJSON *o)
{
	static const char *const keys[] = { "name", "title", "categories", "threshold", "fold" };
	struct pii_rules *rules = r->rules;
	struct pii_class_rule c = { 0 };
	const char *name, *title;
	unsigned int at;
	int err;

	if (!cJSON_IsObject(o))
		return fail(r, "", "must be an object");
	err = check_keys(r, o, keys, ARRAY_SIZE(keys));
	if (!err)
		err = get_text(r, o, "name", true, PII_MAX_NAME, &name);
	if (!err)
		err = get_text(r, o, "title", true, sizeof(c.title), &title);
	if (!err)
		err = get_categories(r, o, &c.pub.categories);
	if (!err)
		err = get_percent(r, o, "threshold", 60, &c.threshold);
	if (!err)
		err = get_flag(r, o, "fold", &c.fold);
	if (err)
		return err;
	if (!name_ok(name))
		return fail(r, "name", "takes small letters, digits and dashes");
	snprintf(c.name, sizeof(c.name), "%s", name);
	snprintf(c.title, sizeof(c.title), "%s", title);
	for (at = 0; at < rules->n_classes && strcmp(rules->classes[at].name, name); at++)
		;
	if (at < rules->n_classes && at >= r->first_class)
		return fail(r, "name", "there is another class with this name");
	if (at == PII_MAX_CLASSES)
		return fail(r, "name", "more than %u classes", PII_MAX_CLASSES);
	rules->classes[at] = c;
	rules->classes[at].pub.name = rules->classes[at].name;
	rules->classes[at].pub.title = rules->classes[at].title;
	if (at == rules->n_classes)
		rules->n_classes++;
	return 0;
}

static void detector_release(struct pii_detector *d)
{
	free(d->anchor);
	free(d->regex);
	free(d->first);
	hs_free_database(d->db);
}

static int detector_slot(struct reader *r, const char *name, unsigned int *ret)
{
	struct pii_rules *rules = r->rules;
	unsigned int at;

	for (at = 0; at < rules->n_detectors && strcmp(rules->detectors[at].name, name); at++)
		;
	if (at < rules->n_detectors && at >= r->first_detector)
		return fail(r, "id", "there is another detector with this id");
	if (at == PII_MAX_DETECTORS)
		return fail(r, "id", "more than %u detectors", PII_MAX_DETECTORS);
	if (at == rules->cap_detectors) {
		unsigned int cap = rules->cap_detectors ? 2 * rules->cap_detectors : 64;
		struct pii_detector *grown = realloc(rules->detectors, cap * sizeof(*grown));

		if (!grown)
			return nomem(r);
		rules->detectors = grown;
		rules->cap_detectors = cap;
	}
	*ret = at;
	return 0;
}

static int read_trigger(struct reader *r, const cJSON *o, struct pii_detector *d)
{
	const char *trigger, *anchor, *regex;
	char reason[160];
	int err;

	err = get_text(r, o, "trigger", false, 16, &trigger);
	if (!err)
		err = get_text(r, o, "anchor", false, PII_MAX_REGEX, &anchor);
	if (!err)
		err = get_text(r, o, "regex", false, PII_MAX_REGEX, &regex);
	if (err)
		return err;
	if (!*trigger || !strcmp(trigger, "pattern"))
		d->trigger = PII_TRIGGER_PATTERN;
	else if (!strcmp(trigger, "number"))
		d->trigger = PII_TRIGGER_NUMBER;
	else if (!strcmp(trigger, "field"))
		d->trigger = PII_TRIGGER_FIELD;
	else
		return fail(r, "trigger", "is pattern, number or field");
	if (!*regex && d->trigger != PII_TRIGGER_FIELD)
		return fail(r, "", "\"regex\" is missing");
	if (*anchor && d->trigger != PII_TRIGGER_PATTERN)
		return fail(r, "anchor", "only patterns have one");
	if (d->trigger == PII_TRIGGER_FIELD && !d->context.any)
		return fail(r, "", "a field detector needs \"context\": the names of its fields");
	if (*regex && !(d->regex = strdup(regex)))
		return nomem(r);
	if (*regex && !(d->db = pii_compile_regex(regex, reason, sizeof(reason))))
		return fail(r, "regex", "%s", reason);
	if (*anchor && !(d->anchor = strdup(anchor)))
		return nomem(r);
	return 0;
}

static int read_detector_into(struct reader *r, const cJSON *o, struct pii_detector *d, bool *ret_disabled)
{
	static const char *const keys[] = { "id", "class", "trigger", "anchor", "regex", "validator", "confidence", "in_context",
					    "min_confidence", "context", "unless", "beside", "multiline", "disabled", "comment", "digits", "first" };
	const struct pii_rules *rules = r->rules;
	const char *name, *class, *validator, *comment;
	int err;

	if (!cJSON_IsObject(o))
		return fail(r, "", "must be an object");
	err = check_keys(r, o, keys, ARRAY_SIZE(keys));
	if (!err)
		err = get_text(r, o, "id", true, PII_MAX_NAME, &name);
	if (!err)
		err = get_flag(r, o, "disabled", ret_disabled);
	if (err)
		return err;
	if (!name_ok(name))
		return fail(r, "id", "takes small letters, digits and dashes");
	snprintf(d->name, sizeof(d->name), "%s", name);
	if (*ret_disabled)
		return 0;
	err = get_text(r, o, "class", true, PII_MAX_NAME, &class);
	if (!err)
		err = get_text(r, o, "comment", false, 1024, &comment);
	if (!err)
		err = get_text(r, o, "validator", false, PII_MAX_NAME, &validator);
	if (!err)
		err = get_percent(r, o, "confidence", 80, &d->confidence);
	if (!err)
		err = get_percent(r, o, "in_context", d->confidence < 90 ? 90 : d->confidence, &d->in_context);
	if (!err)
		err = get_percent(r, o, "min_confidence", 0, &d->threshold);
	if (!err)
		err = get_words(r, o, "context", &d->context);
	if (!err)
		err = get_words(r, o, "unless", &d->unless);
	if (!err)
		err = get_words(r, o, "beside", &d->beside);
	if (!err)
		err = get_flag(r, o, "multiline", &d->multiline);
	if (!err)
		err = read_trigger(r, o, d);
	if (!err)
		err = get_digits(r, o, d);
	if (err)
		return err;
	for (d->class_id = 0; d->class_id < rules->n_classes && strcmp(rules->classes[d->class_id].name, class); d->class_id++)
		;
	if (d->class_id == rules->n_classes)
		return fail(r, "class", "there is no class \"%s\"", class);
	if (*validator && !(d->validate = pii_validator(validator)))
		return fail(r, "validator", "there is no validator \"%s\"", validator);
	return 0;
}

static int read_detector(struct reader *r, const cJSON *o)
{
	struct pii_rules *rules = r->rules;
	struct pii_detector *d = calloc(1, sizeof(*d));
	bool disabled = false;
	unsigned int at = 0;
	int err;

	if (!d)
		return nomem(r);
	d->file = r->file;
	snprintf(d->where, sizeof(d->where), "%s", r->path);
	bw_json_locate(r->text, r->len, r->path, &d->line, &d->column);
	err = read_detector_into(r, o, d, &disabled);
	if (!err)
		err = detector_slot(r, d->name, &at);
	if (!err && disabled && at == rules->n_detectors)
		err = fail(r, "id", "there is no detector \"%s\" to disable", d->name);
	if (err) {
		detector_release(d);
		free(d);
		return err;
	}
	if (at < rules->n_detectors)
		detector_release(&rules->detectors[at]);
	if (disabled) { /* the last one takes its place; it is of an earlier file as well, or of this one */
		rules->detectors[at] = rules->detectors[--rules->n_detectors];
		if (r->first_detector > rules->n_detectors)
			r->first_detector = rules->n_detectors;
	} else {
		rules->detectors[at] = *d;
		if (at == rules->n_detectors)
			rules->n_detectors++;
	}
	free(d);
	return 0;
}

static int read_list(struct reader *r, const cJSON *root, const char *key, int (*item)(struct reader *, const cJSON *))
{
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(root, key);
	unsigned int i = 0;
	int err = 0;

	if (!m)
		return 0;
	if (!cJSON_IsArray(m))
		return fail(r, key, "must be a list");
	for (const cJSON *e = m->child; e && !err; e = e->next) {
		snprintf(r->path, sizeof(r->path), "%s[%u]", key, i++);
		err = item(r, e);
	}
	if (!err)
		r->path[0] = 0;
	return err;
}

static void json_freep(cJSON **j)
{
	cJSON_Delete(*j);
}

int pii_rules_add(struct pii_rules *rules, const char *text, size_t len, const char *name, struct pii_error *ret_error)
{
	static const char *const keys[] = { "$schema", "version", "description", "words", "classes", "detectors" };
	struct reader reader = { .rules = rules, .error = ret_error, .text = text, .len = len, .file = name }, *r = &reader;
	BW_CLEANUP(json_freep) cJSON *root = NULL;
	const char *reason;
	const cJSON *m;
	char **files;
	size_t off;
	int err;

	if (rules->compiled)
		return fail(r, "", "the rules are compiled already");
	if (bw_json_check(text, len, PII_MAX_VALUES, &off, &reason) < 0) {
		err = fail(r, "", "%s", reason);
		bw_json_position(text, off, &ret_error->line, &ret_error->column);
		return err;
	}
	if (rules->n_files == PII_MAX_FILES)
		return fail(r, "", "more than %u files", PII_MAX_FILES);
	files = realloc(rules->files, (rules->n_files + 1) * sizeof(*files));
	if (!files)
		return nomem(r);
	rules->files = files;
	files[rules->n_files] = strdup(name);
	if (!files[rules->n_files])
		return nomem(r);
	r->file = files[rules->n_files++];
	root = cJSON_ParseWithLength(text, len);
	if (!root)
		return nomem(r);
	if (!cJSON_IsObject(root))
		return fail(r, "", "must be an object");
	err = check_keys(r, root, keys, ARRAY_SIZE(keys));
	if (err)
		return err;
	m = cJSON_GetObjectItemCaseSensitive(root, "version");
	if (!m || !cJSON_IsNumber(m) || m->valuedouble != 1)
		return fail(r, "version", "must be 1");
	r->words = cJSON_GetObjectItemCaseSensitive(root, "words");
	if (r->words && !cJSON_IsObject(r->words))
		return fail(r, "words", "must be an object: lists by their names");
	r->first_class = rules->n_classes;
	r->first_detector = rules->n_detectors;
	err = read_list(r, root, "classes", read_class);
	return err ? err : read_list(r, root, "detectors", read_detector);
}

int pii_rules_new(struct pii_rules **ret)
{
	struct pii_rules *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->classes = calloc(PII_MAX_CLASSES, sizeof(*r->classes));
	r->words = calloc(PII_MAX_WORDS, sizeof(*r->words));
	if (!r->classes || !r->words) {
		pii_rules_free(r);
		return -ENOMEM;
	}
	*ret = r;
	return 0;
}

void pii_rules_free(struct pii_rules *r)
{
	if (!r)
		return;
	for (unsigned int i = 0; i < r->n_detectors; i++)
		detector_release(&r->detectors[i]);
	for (unsigned int i = 0; i < r->n_files; i++)
		free(r->files[i]);
	hs_free_database(r->anchors);
	free(r->detectors);
	free(r->classes);
	free(r->words);
	free(r->by_field);
	free(r->numbers);
	free(r->files);
	free(r);
}

int pii_rules_add_builtin(struct pii_rules *r, struct pii_error *ret_error)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bw_pii_embedded) && !err; i++)
		err = pii_rules_add(r, bw_pii_embedded[i].text, strlen(bw_pii_embedded[i].text), bw_pii_embedded[i].name, ret_error);
	return err;
}

int pii_rules_builtin(struct pii_rules **ret, struct pii_error *ret_error)
{
	BW_CLEANUP(pii_rules_freep) struct pii_rules *r = NULL;
	int err = pii_rules_new(&r);

	*ret_error = (struct pii_error){ .reason = "out of memory" };
	if (err)
		return err;
	err = pii_rules_add_builtin(r, ret_error);
	if (!err)
		err = pii_rules_compile(r, ret_error);
	if (!err)
		*ret = TAKE_PTR(r);
	return err;
}

const char *pii_error_text(const struct pii_error *e, char *buf, size_t size)
{
	char place[32] = "";

	if (e->line)
		snprintf(place, sizeof(place), ":%u:%u", e->line, e->column);
	snprintf(buf, size, "%s%s%s%s%s%s", e->file, place, *e->file ? ": " : "", e->where, *e->where ? ": " : "", e->reason);
	return buf;
}
