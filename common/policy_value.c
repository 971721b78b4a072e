// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/policy_value.h"

#include <math.h>
#include <string.h>

#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/json.h"

/* ---- memory: handed out from large chunks, released all at once ---- */

#define CHUNK_SIZE 65536u

struct bw_policy_chunk {
	struct bw_policy_chunk *next;
	size_t used, size;
	max_align_t data[];
};

void *policy_alloc(struct bw_policy *p, size_t n, size_t size)
{
	struct bw_policy_chunk *c = p->memory;
	void *ret;

	if (__builtin_mul_overflow(n, size, &size) || size > SIZE_MAX / 2)
		return NULL;
	size = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!c || size > c->size - c->used) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		c = calloc(1, sizeof(*c) + room);
		if (!c)
			return NULL;
		c->size = room;
		c->next = p->memory;
		p->memory = c;
	}
	ret = (char *)c->data + c->used;
	c->used += size;
	return ret;
}

static const char *policy_strdup(struct bw_policy *p, const char *s)
{
	size_t len = strlen(s) + 1;
	char *copy = policy_alloc(p, 1, len);

	return copy ? memcpy(copy, s, len) : NULL;
}

void bw_policy_free(struct bw_policy *p)
{
	if (!p)
		return;
	while (p->memory) {
		struct bw_policy_chunk *next = p->memory->next;

		free(p->memory);
		p->memory = next;
	}
	free(p);
}

/* ---- where we are, and what is wrong there ---- */

static void node_path(const struct policy_node *n, struct bw_buf *b)
{
	const struct policy_node *way[16];
	unsigned int depth = 0;

	for (; n->up && depth < ARRAY_SIZE(way); n = n->up)
		way[depth++] = n;
	while (depth--) {
		if (way[depth]->key)
			bw_buf_printf(b, "%s%s", b->len ? "." : "", way[depth]->key);
		else
			bw_buf_printf(b, "[%u]", way[depth]->index);
	}
}

/* Copies @len bytes of any text as one printable line, shortened to fit. */
static void printable(char *dst, size_t size, const char *text, size_t len)
{
	_cleanup_buf_ struct bw_buf b = {};
	size_t n = 0;

	bw_json_escape(&b, text, len < size ? len : size);
	while (n < b.len) {
		size_t step = bw_utf8_len((const uint8_t *)b.data + n, b.len - n);

		if (!step || n + step > size - 1)
			break;
		n += step;
	}
	/* An escape of its own must not be cut in two: it would read as another text. */
	if (n < b.len)
		for (size_t i = n; i && n - i < 6; i--)
			if (b.data[i - 1] == '\\' && (i < 2 || b.data[i - 2] != '\\')) {
				n = i - 1;
				break;
			}
	if (n)
		memcpy(dst, b.data, n);
	dst[n] = 0;
}

/* Where @n stands in the file; @key: its member of that name (the last, if there are several). */
static void node_locate(struct policy_parser *ps, const struct policy_node *n, const char *key)
{
	struct bw_policy_error *e = ps->error;

	if (key) {
		_cleanup_buf_ struct bw_buf path = {};

		node_path(n, &path);
		bw_buf_printf(&path, "!%s", key);
		if (!bw_buf_error(&path) && bw_json_locate(ps->text, ps->len, bw_buf_cstr(&path), &e->line, &e->column))
			return;
	}
	/* A key spelt with escapes is not found by its text: its parent will do. */
	for (; n; n = n->up) {
		_cleanup_buf_ struct bw_buf path = {};

		node_path(n, &path);
		if (!bw_buf_error(&path) && bw_json_locate(ps->text, ps->len, bw_buf_cstr(&path), &e->line, &e->column))
			return;
	}
	e->line = e->column = 1;
}

__attribute__((format(printf, 5, 6))) int policy_fail_at(struct policy_parser *ps, const struct policy_node *n,
							 const char *key, int r, const char *fmt, ...)
{
	_cleanup_buf_ struct bw_buf field = {}, reason = {};
	va_list ap;

	node_locate(ps, n, key);
	node_path(n, &field);
	if (key)
		bw_buf_printf(&field, "%s%s", field.len ? "." : "", key);
	va_start(ap, fmt);
	bw_buf_vprintf(&reason, fmt, ap);
	va_end(ap);
	printable(ps->error->field, sizeof(ps->error->field), bw_buf_cstr(&field), field.len);
	/* The reason's own quotes are meant; what it quotes went through printable() or was checked before. */
	snprintf(ps->error->reason, sizeof(ps->error->reason), "%s", bw_buf_cstr(&reason));
	return r;
}

int policy_no_memory(struct policy_parser *ps)
{
	*ps->error = (struct bw_policy_error){ .reason = "out of memory" };
	return -ENOMEM;
}

/* ---- values ---- */

static const char *kind_name(const cJSON *v)
{
	switch (v->type & 0xff) {
	case cJSON_False:
	case cJSON_True:
		return "true or false";
	case cJSON_NULL:
		return "null";
	case cJSON_Number:
		return "a number";
	case cJSON_String:
		return "a string";
	case cJSON_Array:
		return "a list";
	default:
		return "an object";
	}
}

static int wrong_kind(struct policy_parser *ps, const struct policy_node *n, const char *wanted)
{
	return policy_fail(ps, n, "must be %s, not %s", wanted, kind_name(n->value));
}

int policy_get_members(struct policy_parser *ps, const struct policy_node *n, const char *const *keys,
		       unsigned int n_keys, const cJSON **members)
{
	const cJSON *child;

	if (!cJSON_IsObject(n->value))
		return wrong_kind(ps, n, "an object");
	memset(members, 0, n_keys * sizeof(*members));
	cJSON_ArrayForEach(child, n->value) {
		unsigned int i;

		for (i = 0; i < n_keys && strcmp(keys[i], child->string); i++)
			;
		if (i == n_keys)
			return policy_fail_at(ps, n, child->string, -EINVAL, "unknown key");
		if (members[i])
			return policy_fail_at(ps, n, child->string, -EINVAL, "duplicate key");
		members[i] = child;
	}
	return 0;
}

int policy_get_bool(struct policy_parser *ps, const struct policy_node *n, bool *ret)
{
	if (!cJSON_IsBool(n->value))
		return wrong_kind(ps, n, "true or false");
	*ret = cJSON_IsTrue(n->value);
	return 0;
}

int policy_get_uint(struct policy_parser *ps, const struct policy_node *n, uint64_t min, uint64_t max, uint64_t *ret)
{
	double d = n->value->valuedouble;

	if (!cJSON_IsNumber(n->value))
		return wrong_kind(ps, n, "a number");
	/* The negated form also refuses NaN. */
	if (!(d >= (double)min && d <= (double)max) || d != floor(d))
		return policy_fail(ps, n, "must be a whole number from %llu to %llu", (unsigned long long)min,
				   (unsigned long long)max);
	*ret = (uint64_t)d;
	return 0;
}

int policy_get_list(struct policy_parser *ps, const struct policy_node *n, unsigned int min, unsigned int max,
		    uint32_t *ret_n)
{
	const cJSON *child;
	unsigned int count = 0;

	if (!cJSON_IsArray(n->value))
		return wrong_kind(ps, n, "a list");
	cJSON_ArrayForEach(child, n->value) if (++count > max) {
		struct policy_node at = { .up = n, .index = max, .value = child };

		return policy_fail_at(ps, &at, NULL, -E2BIG, "too many entries: at most %u", max);
	}
	if (count < min)
		return policy_fail(ps, n, "must not be empty");
	*ret_n = count;
	return 0;
}

int policy_get_text(struct policy_parser *ps, const struct policy_node *n, unsigned int max, const char **ret)
{
	const char *s = n->value->valuestring;
	unsigned int chars = 0;

	if (!cJSON_IsString(n->value))
		return wrong_kind(ps, n, "a string");
	if (!*s)
		return policy_fail(ps, n, "must not be empty");
	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			return policy_fail(ps, n, "must not contain control characters");
		if ((*p & 0xc0) != 0x80)
			chars++;
	}
	if (chars > max)
		return policy_fail(ps, n, "must not be longer than %u characters", max);
	*ret = policy_strdup(ps->policy, s);
	return *ret ? 0 : policy_no_memory(ps);
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"

int policy_get_id(struct policy_parser *ps, const struct policy_node *n, const char **ret)
{
	const char *s = n->value->valuestring;
	size_t len;

	if (!cJSON_IsString(n->value))
		return wrong_kind(ps, n, "a string");
	len = strlen(s);
	if (!len || len > 128 || !strchr(LETTERS DIGITS, *s) || strspn(s, LETTERS DIGITS "._:/@+-") != len)
		return policy_fail(ps, n,
				   "must be 1 to 128 letters, digits or ._:/@+- and start with a letter or digit");
	*ret = policy_strdup(ps->policy, s);
	return *ret ? 0 : policy_no_memory(ps);
}

int policy_get_path(struct policy_parser *ps, const struct policy_node *n, const char **ret)
{
	if (!cJSON_IsString(n->value))
		return wrong_kind(ps, n, "a string");
	if (n->value->valuestring[0] != '/')
		return policy_fail(ps, n, "must be an absolute path");
	return policy_get_text(ps, n, 4095, ret);
}

/* A name in the kernel's BTF: "bpf_lsm_file_open", "MODULE:FUNCTION"; may contain dots ("foo.isra.0"). */
static bool is_symbol(const char *s)
{
	const char *colon = strchr(s, ':');
	size_t len;

	if (colon) {
		len = (size_t)(colon - s);
		if (!len || len > 64 || strspn(s, LETTERS DIGITS "_-") != len)
			return false;
		s = colon + 1;
	}
	len = strlen(s);
	return len && len <= 255 && strchr(LETTERS "_", *s) && strspn(s, LETTERS DIGITS "_.") == len;
}

static int policy_get_symbol(struct policy_parser *ps, const struct policy_node *n, const char **ret)
{
	if (!cJSON_IsString(n->value))
		return wrong_kind(ps, n, "a string");
	if (!is_symbol(n->value->valuestring))
		return policy_fail(ps, n, "must be the name of a kernel function or type, or MODULE:NAME");
	*ret = policy_strdup(ps->policy, n->value->valuestring);
	return *ret ? 0 : policy_no_memory(ps);
}

int policy_get_hex(struct policy_parser *ps, const struct policy_node *n, uint8_t *dst, size_t len)
{
	const char *s = n->value->valuestring;

	if (!cJSON_IsString(n->value))
		return wrong_kind(ps, n, "a string");
	if (strlen(s) != 2 * len || strspn(s, DIGITS "abcdef") != 2 * len)
		return policy_fail(ps, n, "must be %zu hexadecimal digits in lower case", 2 * len);
	for (size_t i = 0; i < 2 * len; i++) {
		uint8_t v = (uint8_t)(s[i] <= '9' ? s[i] - '0' : s[i] - 'a' + 10);

		dst[i / 2] = (uint8_t)(i % 2 ? dst[i / 2] | v : v << 4);
	}
	return 0;
}

int policy_get_named(struct policy_parser *ps, const struct policy_node *n, const char *what, int (*find)(const char *),
		     uint64_t min, uint64_t max, uint32_t *ret)
{
	char quoted[96];
	uint64_t v;
	int r;

	if (cJSON_IsNumber(n->value)) {
		r = policy_get_uint(ps, n, min, max, &v);
		if (r < 0)
			return r;
		*ret = (uint32_t)v;
		return 0;
	}
	if (!cJSON_IsString(n->value))
		return wrong_kind(ps, n, "a name or a number");
	r = find(n->value->valuestring);
	if (r < 0 || (uint64_t)r < min || (uint64_t)r > max) {
		const char *s = n->value->valuestring;

		printable(quoted, sizeof(quoted), s, strlen(s));
		if (!strncmp(s, "bpf_", 4) && find(s + 4) >= 0)
			return policy_fail(ps, n, "unknown %s \"%s\" (without \"bpf_\" it is known)", what, quoted);
		return policy_fail(ps, n, "unknown %s \"%s\"", what, quoted);
	}
	*ret = (uint32_t)r;
	return 0;
}

int policy_get_prog_type(struct policy_parser *ps, const struct policy_node *n, uint32_t *ret)
{
	return policy_get_named(ps, n, "program type", bw_prog_type_id, 1, BW_MAX_PROG_TYPES - 1, ret);
}

int policy_get_helpers(struct policy_parser *ps, const struct policy_node *n, unsigned int min, uint64_t *ret)
{
	struct policy_node at = { .up = n };
	uint32_t count, id;
	int r;

	r = policy_get_list(ps, n, min, BW_MAX_POLICY_LIST, &count);
	if (r < 0)
		return r;
	cJSON_ArrayForEach(at.value, n->value) {
		r = policy_get_named(ps, &at, "helper", bw_helper_id, 1, BW_HELPER_WORDS * 64 - 1, &id);
		if (r < 0)
			return r;
		ret[id / 64] |= 1ULL << (id % 64);
		at.index++;
	}
	return 0;
}

int policy_get_symbols(struct policy_parser *ps, const struct policy_node *n, unsigned int min, bool *star,
		       const char *const **ret, uint32_t *ret_n)
{
	struct policy_node at = { .up = n };
	const char **list;
	uint32_t count, used = 0;
	int r;

	r = policy_get_list(ps, n, min, BW_MAX_POLICY_LIST, &count);
	if (r < 0)
		return r;
	list = policy_alloc(ps->policy, count + 1, sizeof(*list));
	if (!list)
		return policy_no_memory(ps);
	cJSON_ArrayForEach(at.value, n->value) {
		if (star && cJSON_IsString(at.value) && !strcmp(at.value->valuestring, "*")) {
			if (*star)
				return policy_fail(ps, &at, "is in the list already");
			*star = true;
		} else {
			r = policy_get_symbol(ps, &at, &list[used]);
			if (r < 0)
				return r;
			for (uint32_t i = 0; i < used; i++)
				if (!strcmp(list[i], list[used]))
					return policy_fail(ps, &at, "is in the list already");
			used++;
		}
		at.index++;
	}
	*ret = list;
	*ret_n = used;
	return 0;
}
