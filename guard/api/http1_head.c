// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/http1_head.h"

#define FIND(x) (1ull << API_FIND_##x)

static bool is_tchar(uint8_t c)
{
	/* RFC 9110 5.6.2 */
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

bool http1_is_token(struct bw_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_tchar(s.data[i]))
			return false;
	return s.len > 0;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool http1_equal(struct bw_slice a, const char *name)
{
	size_t i;

	for (i = 0; i < a.len && name[i]; i++)
		if (lower(a.data[i]) != (uint8_t)name[i])
			return false;
	return i == a.len && !name[i];
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

static struct bw_slice trim(struct bw_slice s)
{
	while (s.len && is_space(s.data[0])) {
		s.data++;
		s.len--;
	}
	while (s.len && is_space(s.data[s.len - 1]))
		s.len--;
	return s;
}

/* Takes the next comma-separated element off *list. */
static bool next_element(struct bw_slice *list, struct bw_slice *ret)
{
	const uint8_t *comma;
	size_t n;

	if (!list->len)
		return false;
	comma = memchr(list->data, ',', list->len);
	n = comma ? (size_t)(comma - list->data) : list->len;
	*ret = trim(bw_slice(list->data, n));
	n += comma != NULL;
	list->data += n;
	list->len -= n;
	return true;
}

bool http1_has_token(struct bw_slice list, const char *token)
{
	struct bw_slice e;

	while (next_element(&list, &e))
		if (http1_equal(e, token))
			return true;
	return false;
}

/* Empty lines before the start line are not part of the message (RFC 9112 2.2). */
static size_t empty_lines(struct bw_slice in)
{
	size_t n = 0;

	while (n < in.len && (in.data[n] == '\n' || (in.data[n] == '\r' && n + 1 < in.len && in.data[n + 1] == '\n')))
		n += in.data[n] == '\r' ? 2 : 1;
	return n;
}

size_t http1_head_end(struct bw_slice in, size_t *scanned)
{
	size_t start = empty_lines(in), i = *scanned > start ? *scanned : start;

	while (i < in.len) {
		const uint8_t *nl = memchr(in.data + i, '\n', in.len - i);
		size_t next;

		if (!nl)
			break;
		next = (size_t)(nl - in.data) + 1;
		if (next < in.len && in.data[next] == '\n')
			return next + 1;
		if (next + 1 < in.len && in.data[next] == '\r' && in.data[next + 1] == '\n')
			return next + 2;
		if (next + 1 >= in.len)
			break;
		i = next;
	}
	/* The line end that was found last may be the first half of the end. */
	*scanned = i;
	return 0;
}

/* Takes a line without its end off *in. */
static struct bw_slice next_line(struct bw_slice *in, uint64_t *findings)
{
	const uint8_t *nl = memchr(in->data, '\n', in->len);
	size_t n = nl ? (size_t)(nl - in->data) : in->len;
	struct bw_slice line = bw_slice(in->data, n);

	n += nl != NULL;
	in->data += n;
	in->len -= n;
	if (line.len && line.data[line.len - 1] == '\r')
		line.len--;
	else if (nl)
		*findings |= FIND(BARE_LF);
	if (line.len && memchr(line.data, '\r', line.len))
		*findings |= FIND(BARE_CR);
	if (line.len && memchr(line.data, 0, line.len))
		*findings |= FIND(NUL);
	return line;
}

/* "HTTP/1.1" and nothing else; -1: no version of HTTP/1. */
static int parse_version(struct bw_slice s, uint64_t *findings)
{
	if (s.len < 8 || memcmp(s.data, "HTTP/1.", 7) || s.data[7] < '0' || s.data[7] > '9')
		return -1;
	if (s.len != 8 || s.data[7] > '1')
		*findings |= FIND(BAD_VERSION);
	return s.data[7] == '0' ? 0 : 1;
}

/* The part before the next white space; what separates it is noted when it is not one space. */
static struct bw_slice next_word(struct bw_slice *line, uint64_t *findings)
{
	struct bw_slice word = *line;
	size_t n = 0, gap = 0;

	while (n < line->len && line->data[n] != ' ' && line->data[n] != '\t')
		n++;
	while (n + gap < line->len && (line->data[n + gap] == ' ' || line->data[n + gap] == '\t'))
		gap++;
	if (gap > 1 || (gap && line->data[n] == '\t'))
		*findings |= FIND(BAD_REQUEST_LINE);
	word.len = n;
	line->data += n + gap;
	line->len -= n + gap;
	return word;
}

static bool parse_request_line(struct bw_slice line, struct http1_head *h)
{
	struct bw_slice rest;
	int minor;

	h->method = next_word(&line, &h->findings);
	h->target = next_word(&line, &h->findings);
	/* A target with spaces: everything up to the last word, as lenient servers read it. */
	rest = line;
	for (size_t i = rest.len; i > 0; i--) {
		if (rest.data[i - 1] == ' ') {
			h->target.len = (size_t)(rest.data + i - 1 - h->target.data);
			line = bw_slice(rest.data + i, rest.len - i);
			h->findings |= FIND(BAD_REQUEST_LINE);
			break;
		}
	}
	minor = parse_version(trim(line), &h->findings);
	if (minor < 0 || !h->target.len || !http1_is_token(h->method) || h->method.len > HTTP1_MAX_METHOD)
		return false;
	if (trim(line).len != line.len)
		h->findings |= FIND(BAD_REQUEST_LINE);
	h->minor = (unsigned int)minor;
	return true;
}

static bool parse_status_line(struct bw_slice line, struct http1_head *h)
{
	struct bw_slice version = next_word(&line, &h->findings), code = next_word(&line, &h->findings);
	int minor = parse_version(version, &h->findings);

	/* Spaces in the reason phrase are nobody's problem. */
	h->findings &= ~FIND(BAD_REQUEST_LINE);
	if (minor < 0 || code.len != 3)
		return false;
	for (size_t i = 0; i < 3; i++) {
		if (code.data[i] < '0' || code.data[i] > '9')
			return false;
		h->status = h->status * 10 + (code.data[i] - '0');
	}
	h->minor = (unsigned int)minor;
	return h->status >= 100;
}

static void read_length(struct http1_head *h, struct bw_slice value)
{
	struct bw_slice e;
	bool any = false;

	/* RFC 9110 8.6: a list of identical values may be one; who reads it otherwise reads another message. */
	while (next_element(&value, &e)) {
		uint64_t n = 0;
		bool bad = !e.len;

		for (size_t i = 0; i < e.len && !bad; i++) {
			bad = e.data[i] < '0' || e.data[i] > '9' || n > (UINT64_MAX - 9) / 10;
			if (!bad)
				n = n * 10 + (e.data[i] - '0');
		}
		if (bad) {
			h->findings |= FIND(BAD_CL);
			continue;
		}
		if (h->has_length)
			h->findings |= n == h->length ? FIND(REPEATED_CL) : FIND(DUPLICATE_CL);
		else
			h->length = n;
		h->has_length = any = true;
	}
	if (!any)
		h->findings |= FIND(BAD_CL);
}

static void read_transfer_encoding(struct http1_head *h, struct bw_slice value, bool *seen)
{
	struct bw_slice e = { 0 }, rest = value;

	if (*seen || !value.len)
		h->findings |= FIND(BAD_TE);
	*seen = true;
	while (next_element(&rest, &e))
		if (http1_equal(e, "chunked") && rest.len)
			h->findings |= FIND(BAD_TE); /* chunked and then something else */
	if (http1_equal(e, "chunked"))
		h->chunked = true;
	else
		h->findings |= FIND(BAD_TE);
	/* White space that is neither space nor tab, or within: some peers see "chunked" there and others do not. */
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] < ' ' && value.data[i] != '\t')
			h->findings |= FIND(BAD_TE);
}

/* Absolute target and Host must agree (RFC 9112 3.2.2: the target wins; others read Host). */
static void check_host(struct http1_head *h)
{
	const uint8_t *p = h->target.data, *end = p + h->target.len;
	struct bw_slice authority;

	if (h->target.len < 8 || (memcmp(p, "http://", 7) && memcmp(p, "https://", 8)))
		return;
	p = (const uint8_t *)memchr(p, '/', h->target.len) + 2;
	authority.data = p;
	while (p < end && *p != '/' && *p != '?' && *p != '#')
		p++;
	authority.len = (size_t)(p - authority.data);
	if (!h->host.data)
		return;
	if (authority.len != h->host.len)
		h->findings |= FIND(HOST_MISMATCH);
	else
		for (size_t i = 0; i < authority.len; i++)
			if (lower(authority.data[i]) != lower(h->host.data[i]))
				h->findings |= FIND(HOST_MISMATCH);
}

static void read_field(struct http1_head *h, const struct http1_field *f, bool *te_seen)
{
	if (http1_equal(f->name, "content-length")) {
		read_length(h, f->value);
	} else if (http1_equal(f->name, "transfer-encoding")) {
		read_transfer_encoding(h, f->value, te_seen);
	} else if (http1_equal(f->name, "host")) {
		if (h->host.data)
			h->findings |= FIND(DUPLICATE_HOST);
		else
			h->host = f->value;
	} else if (http1_equal(f->name, "connection")) {
		if (http1_has_token(f->value, "close"))
			h->connection |= HTTP1_CONN_CLOSE;
		if (http1_has_token(f->value, "keep-alive"))
			h->connection |= HTTP1_CONN_KEEP_ALIVE;
		if (http1_has_token(f->value, "upgrade"))
			h->connection |= HTTP1_CONN_UPGRADE;
	} else if (http1_equal(f->name, "upgrade")) {
		h->upgrade = f->value;
	}
}

/* A line as a field. False: it is none. */
static bool parse_field(struct bw_slice line, struct http1_field *ret, uint64_t *findings)
{
	const uint8_t *colon = memchr(line.data, ':', line.len);
	size_t n;

	if (!colon) {
		*findings |= FIND(HEADER_WITHOUT_COLON);
		return false;
	}
	n = (size_t)(colon - line.data);
	ret->name = bw_slice(line.data, n);
	while (ret->name.len && is_space(ret->name.data[ret->name.len - 1])) {
		ret->name.len--;
		*findings |= FIND(SPACE_BEFORE_COLON);
	}
	if (!http1_is_token(ret->name))
		*findings |= FIND(BAD_HEADER_NAME);
	ret->value = bw_slice(colon + 1, line.len - n - 1);
	return ret->name.len > 0;
}

/* Fields one by one, folded lines joined (as they stand, with their line break); h NULL: findings only. */
static void parse_fields(struct bw_slice in, struct http1_head *h, uint64_t *findings)
{
	bool te_seen = false;

	while (in.len) {
		struct bw_slice line = next_line(&in, findings);
		struct http1_field f;

		if (!line.len)
			break;
		if (line.data[0] == ' ' || line.data[0] == '\t') {
			/* White space before the first field: some peers drop the line, others take it. */
			*findings |= FIND(OBS_FOLD);
			line = trim(line);
			if (!line.len)
				continue;
		}
		while (in.len && (in.data[0] == ' ' || in.data[0] == '\t')) {
			struct bw_slice more = next_line(&in, findings);

			*findings |= FIND(OBS_FOLD);
			line.len = (size_t)(more.data + more.len - line.data);
		}
		if (!parse_field(line, &f, findings))
			continue;
		if (h) {
			/* The framing fields see the white space: a vertical tab before "chunked" divides peers. */
			while (f.value.len && (f.value.data[0] == ' ' || f.value.data[0] == '\t')) {
				f.value.data++;
				f.value.len--;
			}
			while (f.value.len && (f.value.data[f.value.len - 1] == ' ' || f.value.data[f.value.len - 1] == '\t'))
				f.value.len--;
			read_field(h, &f, &te_seen);
			f.value = trim(f.value);
			if (h->nfields < HTTP1_MAX_FIELDS)
				h->fields[h->nfields++] = f;
			else
				h->fields_cut = true;
		} else if (http1_equal(f.name, "content-length") || http1_equal(f.name, "transfer-encoding") ||
			   http1_equal(f.name, "host") || http1_equal(f.name, "trailer") || http1_equal(f.name, "content-encoding") ||
			   http1_equal(f.name, "authorization")) {
			*findings |= FIND(FORBIDDEN_TRAILER); /* RFC 9110 6.5.1 */
		}
	}
	if (h) {
		if (te_seen && h->has_length)
			*findings |= FIND(TE_AND_CL);
		if (te_seen && !h->minor)
			*findings |= FIND(TE_IN_HTTP10);
	}
}

bool http1_head_parse(struct bw_slice in, bool response, struct http1_head *h)
{
	size_t skip = empty_lines(in);
	struct bw_slice line;

	memset(h, 0, offsetof(struct http1_head, fields));
	h->size = in.len;
	in.data += skip;
	in.len -= skip;
	line = next_line(&in, &h->findings);
	if (!(response ? parse_status_line(line, h) : parse_request_line(line, h)))
		return false;
	parse_fields(in, h, &h->findings);
	if (response) {
		if ((h->status < 200 || h->status == 204) && (h->has_length || h->chunked))
			h->findings |= FIND(BODY_ON_NO_BODY);
		return true;
	}
	check_host(h);
	if (!h->host.data && h->minor)
		h->findings |= FIND(NO_HOST);
	if ((h->chunked || h->length) && (http1_equal(h->method, "get") || http1_equal(h->method, "head") ||
					  http1_equal(h->method, "delete") || http1_equal(h->method, "options")))
		h->findings |= FIND(GET_WITH_BODY);
	return true;
}

uint64_t http1_trailer_findings(struct bw_slice in)
{
	uint64_t findings = 0;

	parse_fields(in, NULL, &findings);
	return findings;
}
