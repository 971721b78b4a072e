// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/template.h"

#include <stdio.h>
#include <string.h>

static const char *const names[API_SEGMENTS] = {
	[API_SEGMENT_WORD] = "word", [API_SEGMENT_SLUG] = "slug", [API_SEGMENT_NUMBER] = "number",
	[API_SEGMENT_UUID] = "uuid", [API_SEGMENT_HASH] = "hash", [API_SEGMENT_DATE] = "date",
	[API_SEGMENT_TOKEN] = "token", [API_SEGMENT_EMAIL] = "email", [API_SEGMENT_VALUE] = "value",
};

const char *api_segment_name(enum api_segment s)
{
	return s < API_SEGMENTS ? names[s] : "value";
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_hex(uint8_t c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static int hex(uint8_t c)
{
	return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

bool api_percent_decode(struct bw_slice in, bool plus, uint8_t *out, size_t size, size_t *ret_len)
{
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.data[i];

		if (c == '%' && in.len - i > 2 && is_hex(in.data[i + 1]) && is_hex(in.data[i + 2])) {
			c = (uint8_t)(hex(in.data[i + 1]) << 4 | hex(in.data[i + 2]));
			i += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		if (n == size)
			return false;
		out[n++] = c;
	}
	*ret_len = n;
	return true;
}

/* What a segment is made of. */
struct shape {
	size_t digits, upper, lower, hex, hyphens, seps, other;
	unsigned int switches; /* from letter to digit or back */
	bool at, space;
};

static struct shape shape_of(struct bw_slice s)
{
	struct shape r = { 0 };
	int last = 0;

	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];
		int kind = 0;

		if (is_digit(c)) {
			r.digits++;
			kind = 1;
		} else if (c >= 'a' && c <= 'z') {
			r.lower++;
			kind = 2;
		} else if (c >= 'A' && c <= 'Z') {
			r.upper++;
			kind = 2;
		} else if (c == '-' || c == '_' || c == '.' || c == '~') {
			r.seps++;
			r.hyphens += c == '-';
		} else if (c == '@') {
			r.at = true;
			r.other++;
		} else {
			r.other++;
		}
		r.hex += is_hex(c);
		r.switches += kind && last && kind != last;
		if (kind)
			last = kind;
	}
	return r;
}

static bool is_uuid(struct bw_slice s)
{
	if (s.len == 38 && s.data[0] == '{' && s.data[37] == '}')
		s = bw_slice(s.data + 1, 36);
	if (s.len != 36)
		return false;
	for (size_t i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? s.data[i] != '-' : !is_hex(s.data[i]))
			return false;
	return true;
}

/* 2024-05-01, 2024-05, 2024-05-01T12:00:00Z */
static bool is_date(struct bw_slice s)
{
	static const char form[] = "dddd-dd-dd";
	size_t n = s.len < 10 ? s.len : 10;

	if (s.len < 7 || (s.len > 7 && s.len < 10) || (s.len > 10 && s.data[10] != 'T' && s.data[10] != ' '))
		return false;
	for (size_t i = 0; i < n; i++)
		if (form[i] == 'd' ? !is_digit(s.data[i]) : s.data[i] != form[i])
			return false;
	return s.data[0] == '1' || s.data[0] == '2';
}

/* v1, v2.1, 2.0: a part of the interface, not of the data */
static bool is_version(struct bw_slice s)
{
	size_t i = 1;

	if (s.len < 2 || s.len > 8 || (s.data[0] | 0x20) != 'v')
		return false;
	for (; i < s.len; i++)
		if (!is_digit(s.data[i]) && s.data[i] != '.' && memcmp(s.data + i, "beta", s.len - i < 4 ? s.len - i : 4) &&
		    memcmp(s.data + i, "alpha", s.len - i < 5 ? s.len - i : 5))
			return false;
		else if (!is_digit(s.data[i]) && s.data[i] != '.')
			return true;
	return true;
}

enum api_segment api_segment_of(struct bw_slice s)
{
	struct shape h = shape_of(s);
	size_t letters = h.upper + h.lower;

	if (!s.len)
		return API_SEGMENT_WORD;
	if (h.at)
		return memchr(s.data, '.', s.len) && s.data[0] != '@' ? API_SEGMENT_EMAIL : API_SEGMENT_VALUE;
	if (is_uuid(s))
		return API_SEGMENT_UUID;
	if (is_date(s))
		return API_SEGMENT_DATE;
	if (h.digits && !letters && !h.other)
		return API_SEGMENT_NUMBER; /* also 1.5, -3, 10-20, +49... is h.other */
	if (h.digits && !letters && s.data[0] == '+' && h.other == 1)
		return API_SEGMENT_NUMBER;
	if (h.other)
		return API_SEGMENT_VALUE;
	if (is_version(s))
		return API_SEGMENT_WORD;
	if (h.hex == s.len && s.len >= 12 && h.digits && letters)
		return API_SEGMENT_HASH;
	/* "sha256-..." and the like are tokens by their tail. No word mixes so much. */
	if (s.len >= 16 && h.digits >= 2 && letters >= 4 && (h.switches >= 4 || (h.upper && h.lower && h.switches >= 3)))
		return API_SEGMENT_TOKEN;
	if (s.len >= 20 && h.upper >= 3 && h.lower >= 3 && h.digits && !h.hyphens)
		return API_SEGMENT_TOKEN;
	if (s.len > API_TEMPLATE_MAX_SEGMENT)
		return API_SEGMENT_VALUE;
	if (h.digits)
		return API_SEGMENT_SLUG;
	return h.hyphens >= 3 ? API_SEGMENT_SLUG : API_SEGMENT_WORD;
}

struct text {
	char *out;
	size_t len, size;
};

static bool put(struct text *t, const void *data, size_t len)
{
	if (len >= t->size - t->len)
		return false;
	memcpy(t->out + t->len, data, len);
	t->len += len;
	t->out[t->len] = '\0';
	return true;
}

/* A name for a replaced segment keeps the ending of a file: what it is matters, which one does not. */
static bool put_replaced(struct text *t, const char *name, struct bw_slice segment)
{
	const uint8_t *dot = memrchr(segment.data, '.', segment.len);
	size_t ext = dot ? segment.len - (size_t)(dot - segment.data) : 0;
	char buf[API_MAX_NAME];

	for (size_t i = 1; i < ext; i++)
		if (!is_alpha(dot[i]))
			ext = 0;
	if (ext > 6 || ext < 2)
		ext = 0;
	snprintf(buf, sizeof(buf), "{%.64s}%.*s", name, (int)ext, ext ? (const char *)dot : "");
	return put(t, buf, strlen(buf));
}

static bool put_segment(struct text *t, struct bw_slice raw, const char *class_name, bool strict)
{
	uint8_t buf[256];
	struct bw_slice s = raw;
	enum api_segment kind;
	size_t n = 0;

	if (class_name) {
		char name[API_MAX_NAME];

		snprintf(name, sizeof(name), "{%.64s}", class_name);
		return put(t, name, strlen(name));
	}
	/* Parameters of a segment (;jsessionid=...) are not a part of its name. */
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] == ';')
			s.len = i;
	if (!api_percent_decode(s, false, buf, sizeof(buf), &n))
		return put_replaced(t, names[API_SEGMENT_VALUE], bw_slice("", 0));
	s = bw_slice(buf, n);
	kind = api_segment_of(s);
	if (kind == API_SEGMENT_SLUG && strict)
		kind = API_SEGMENT_VALUE;
	/* A file whose stem is an identifier: 3f2a1b9c8d7e6f5a.js */
	if (kind != API_SEGMENT_WORD && kind != API_SEGMENT_NUMBER && kind != API_SEGMENT_EMAIL && s.len) {
		const uint8_t *dot = memrchr(s.data, '.', s.len);
		enum api_segment stem = dot && dot > s.data ? api_segment_of(bw_slice(s.data, (size_t)(dot - s.data))) : API_SEGMENT_WORD;

		if (stem >= API_SEGMENT_NUMBER)
			return put_replaced(t, names[stem], s);
	}
	if (kind >= API_SEGMENT_NUMBER)
		return put_replaced(t, names[kind], kind == API_SEGMENT_NUMBER || kind == API_SEGMENT_EMAIL ? bw_slice("", 0) : s);
	return put(t, s.data, s.len);
}

bool api_template_path(struct bw_slice path, const struct api_template_mark *marks, size_t nmarks, bool strict, char out[API_MAX_PATH])
{
	/* Room for the end is kept. */
	struct text t = { .out = out, .size = API_MAX_PATH - 8 };
	unsigned int segments = 0;
	size_t at = 0, m = 0;

	out[0] = '\0';
	if (!path.len)
		return put(&t, "/", 1);
	while (at < path.len) {
		const uint8_t *slash = memchr(path.data + at, '/', path.len - at);
		size_t end = slash ? (size_t)(slash - path.data) : path.len;
		const char *class_name = NULL;
		bool fits;

		while (m < nmarks && marks[m].offset + marks[m].length <= at)
			m++;
		if (m < nmarks && marks[m].offset < end)
			class_name = marks[m].class_name;
		fits = (end == at || ++segments <= API_TEMPLATE_MAX_SEGMENTS) &&
		       put_segment(&t, bw_slice(path.data + at, end - at), class_name, strict) && (!slash || put(&t, "/", 1));
		if (!fits) {
			t.size = API_MAX_PATH;
			put(&t, "{...}", 5);
			return false;
		}
		at = end + (slash != NULL);
	}
	return true;
}

static bool name_char(uint8_t c)
{
	return is_alpha(c) || is_digit(c) || (c && strchr("_-.[]:$", c));
}

void api_template_name(struct bw_slice name, char out[API_MAX_NAME])
{
	uint8_t buf[API_MAX_NAME - 1];
	enum api_segment kind;
	struct bw_slice s;
	size_t n = 0;

	if (!api_percent_decode(name, true, buf, sizeof(buf), &n)) {
		snprintf(out, API_MAX_NAME, "{%s}", names[API_SEGMENT_VALUE]);
		return;
	}
	s = bw_slice(buf, n);
	kind = api_segment_of(s);
	if (kind == API_SEGMENT_VALUE || kind <= API_SEGMENT_SLUG) {
		bool plain = s.len <= 80;

		for (size_t i = 0; i < s.len && plain; i++)
			plain = name_char(s.data[i]) || (i == 0 && s.data[i] == '@');
		if (plain) {
			memcpy(out, s.data, s.len);
			out[s.len] = '\0';
			return;
		}
		kind = API_SEGMENT_VALUE;
	}
	snprintf(out, API_MAX_NAME, "{%s}", names[kind]);
}
