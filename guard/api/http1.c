// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/http1.h"

#include "guard/api/http1_head.h"

#define FIND(x) (1ull << API_FIND_##x)

void http1_init(struct http1 *p, bool response)
{
	*p = (struct http1){ .response = response };
}

/* ---- recognising a beginning ----------------------------------------------------------------------------------------- */

static enum http1_result sniff_response(struct bw_slice in)
{
	static const char prefix[] = "HTTP/1.";
	size_t n = in.len < 7 ? in.len : 7;

	if (memcmp(in.data, prefix, n))
		return HTTP1_ERROR;
	if (in.len < 13)
		return HTTP1_NEED_MORE;
	return in.data[7] >= '0' && in.data[7] <= '9' && in.data[8] == ' ' && in.data[9] >= '1' && in.data[9] <= '9' ? HTTP1_OK :
														      HTTP1_ERROR;
}

static enum http1_result sniff_request(struct bw_slice in)
{
	size_t n = 0;

	while (n < in.len && n <= HTTP1_MAX_METHOD && ((in.data[n] >= 'A' && in.data[n] <= 'Z') || in.data[n] == '-' || in.data[n] == '_'))
		n++;
	if (n == in.len)
		return HTTP1_NEED_MORE;
	if (!n || n > HTTP1_MAX_METHOD || in.data[n] != ' ')
		return HTTP1_ERROR;
	while (n < in.len && in.data[n] == ' ')
		n++;
	if (n == in.len)
		return HTTP1_NEED_MORE;
	/* origin-form, asterisk-form, absolute-form; authority-form only of CONNECT */
	if (in.data[n] == '/' || in.data[n] == '*' || (in.len >= 8 && !memcmp(in.data, "CONNECT ", 8)))
		return HTTP1_OK;
	if (in.len - n < 4)
		return memcmp(in.data + n, "http", in.len - n) ? HTTP1_ERROR : HTTP1_NEED_MORE;
	return memcmp(in.data + n, "http", 4) ? HTTP1_ERROR : HTTP1_OK;
}

enum http1_result http1_sniff(struct bw_slice in, bool response)
{
	size_t skip = 0;

	while (skip < in.len && (in.data[skip] == '\r' || in.data[skip] == '\n'))
		skip++;
	in.data += skip;
	in.len -= skip;
	if (!in.len)
		return HTTP1_NEED_MORE;
	return response ? sniff_response(in) : sniff_request(in);
}

/* Stricter than the sniff, because what is looked through here may be anything: the whole first line must be there and right. */
static enum http1_result begins_message(struct bw_slice in, bool response)
{
	enum http1_result r = in.data[0] == '\r' || in.data[0] == '\n' ? HTTP1_ERROR : http1_sniff(in, response);
	size_t max = in.len < HTTP1_MAX_HEAD ? in.len : HTTP1_MAX_HEAD;
	const uint8_t *nl;
	size_t n;

	if (r != HTTP1_OK)
		return r;
	nl = memchr(in.data, '\n', max);
	if (!nl)
		return in.len >= HTTP1_MAX_HEAD ? HTTP1_ERROR : HTTP1_NEED_MORE;
	n = (size_t)(nl - in.data);
	if (response)
		return HTTP1_OK;
	if (n && in.data[n - 1] == '\r')
		n--;
	return n > 9 && !memcmp(in.data + n - 9, " HTTP/1.", 8) ? HTTP1_OK : HTTP1_ERROR;
}

/* Skips to the next line that can begin a message. OK: it is at *ret_consumed. */
static enum http1_result sync(struct http1 *p, struct bw_slice in, size_t *ret_consumed)
{
	size_t i = 0;

	while (i < in.len) {
		enum http1_result r = begins_message(bw_slice(in.data + i, in.len - i), p->response);
		const uint8_t *nl;

		if (r != HTTP1_ERROR) {
			p->skipped += i;
			*ret_consumed = i;
			if (r == HTTP1_OK)
				p->state = HTTP1_S_HEAD;
			return r;
		}
		nl = memchr(in.data + i, '\n', in.len - i);
		i = nl ? (size_t)(nl - in.data) + 1 : in.len;
	}
	p->skipped += i;
	*ret_consumed = i;
	return HTTP1_NEED_MORE;
}

static enum http1_result lost(struct http1 *p)
{
	p->state = HTTP1_S_SYNC;
	p->left = 0;
	p->scanned = 0;
	p->findings = 0;
	return HTTP1_ERROR;
}

/* ---- body --------------------------------------------------------------------------------------------------------------- */

/* RFC 9112 6.3 */
static void choose_body(struct http1 *p, const struct http1_head *h)
{
	p->left = 0;
	if (p->response && (h->status < 200 || h->status == 204 || h->status == 304)) {
		p->state = HTTP1_S_DONE;
	} else if (h->chunked) {
		p->state = HTTP1_S_CHUNK_SIZE;
	} else if (p->response && (h->findings & FIND(BAD_TE))) {
		p->state = HTTP1_S_CLOSE;
	} else if (h->has_length) {
		p->left = h->length;
		p->state = h->length ? HTTP1_S_LENGTH : HTTP1_S_DONE;
	} else {
		p->state = p->response ? HTTP1_S_CLOSE : HTTP1_S_DONE;
	}
}

static enum http1_result read_head(struct http1 *p, struct bw_slice in, struct http1_head *head, size_t *ret_consumed,
				   struct http1_event *ev)
{
	size_t n = http1_head_end(in, &p->scanned);

	bool possible = http1_sniff(in, p->response) != HTTP1_ERROR;

	/* What cannot become a message is not waited for. */
	if (!n && in.len <= HTTP1_MAX_HEAD && possible)
		return HTTP1_NEED_MORE;
	p->scanned = 0;
	if (!possible || !n || n > HTTP1_MAX_HEAD || !http1_head_parse(bw_slice(in.data, n), p->response, head)) {
		/* A line at least is passed, so that the search for the next message does not begin with this one. */
		const uint8_t *nl = memchr(in.data, '\n', in.len);

		*ret_consumed = nl ? (size_t)(nl - in.data) + 1 : in.len;
		p->skipped += *ret_consumed;
		return lost(p);
	}
	*ret_consumed = n;
	*ev = (struct http1_event){ .type = HTTP1_HEAD, .findings = head->findings };
	choose_body(p, head);
	return HTTP1_OK;
}

static int hex(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "1a;ext=..." RFC 9112 7.1: hexadecimal digits, then the end or an extension. */
static bool parse_chunk_size(struct http1 *p, struct bw_slice line, uint64_t *ret)
{
	size_t i = 0;
	uint64_t n = 0;

	while (i < line.len && (line.data[i] == ' ' || line.data[i] == '\t' || line.data[i] == '+')) {
		p->findings |= FIND(BAD_CHUNK_SIZE);
		i++;
	}
	if (line.len - i > 2 && line.data[i] == '0' && (line.data[i + 1] | 0x20) == 'x') {
		p->findings |= FIND(BAD_CHUNK_SIZE);
		i += 2;
	}
	if (i >= line.len || hex(line.data[i]) < 0)
		return false;
	for (; i < line.len && hex(line.data[i]) >= 0; i++) {
		if (n >> 59)
			return false; /* more than any body; peers that wrap around see another size */
		n = n << 4 | (uint64_t)hex(line.data[i]);
	}
	if (i < line.len && line.data[i] != ';') {
		p->findings |= FIND(BAD_CHUNK_SIZE);
		while (i < line.len && (line.data[i] == ' ' || line.data[i] == '\t'))
			i++;
		if (i < line.len && line.data[i] != ';')
			return false;
	}
	if (line.len - i > 256)
		p->findings |= FIND(LONG_CHUNK_EXTENSION);
	*ret = n;
	return true;
}

static enum http1_result read_chunk_size(struct http1 *p, struct bw_slice in, size_t *ret_consumed)
{
	const uint8_t *nl = in.len > p->scanned ? memchr(in.data + p->scanned, '\n', in.len - p->scanned) : NULL;
	struct bw_slice line;

	if (!nl) {
		p->scanned = in.len;
		return in.len > HTTP1_MAX_CHUNK_LINE ? lost(p) : HTTP1_NEED_MORE;
	}
	p->scanned = 0;
	line = bw_slice(in.data, (size_t)(nl - in.data));
	if (line.len && line.data[line.len - 1] == '\r')
		line.len--;
	else
		p->findings |= FIND(BARE_LF);
	if (line.len && memchr(line.data, '\r', line.len))
		p->findings |= FIND(BARE_CR);
	if (!parse_chunk_size(p, line, &p->left)) {
		/* The finding must not be lost with the message: it is why. */
		uint64_t findings = p->findings | FIND(BAD_CHUNK_SIZE);

		lost(p);
		p->findings = findings;
		return HTTP1_ERROR;
	}
	*ret_consumed = (size_t)(nl - in.data) + 1;
	p->state = p->left ? HTTP1_S_CHUNK : HTTP1_S_TRAILER;
	return HTTP1_OK;
}

/* CRLF behind the data of a chunk. What is there instead is left to be read as a chunk size, as lenient peers do. */
static enum http1_result read_chunk_end(struct http1 *p, struct bw_slice in, size_t *ret_consumed)
{
	if (!in.len || (in.len == 1 && in.data[0] == '\r'))
		return HTTP1_NEED_MORE;
	if (in.data[0] == '\r' && in.data[1] == '\n') {
		*ret_consumed = 2;
	} else if (in.data[0] == '\n') {
		p->findings |= FIND(BAD_CHUNK_END) | FIND(BARE_LF);
		*ret_consumed = 1;
	} else {
		p->findings |= FIND(BAD_CHUNK_END);
	}
	p->state = HTTP1_S_CHUNK_SIZE;
	return HTTP1_OK;
}

static enum http1_result read_trailer(struct http1 *p, struct bw_slice in, size_t *ret_consumed)
{
	size_t n;

	if (!in.len || (in.len == 1 && in.data[0] == '\r'))
		return HTTP1_NEED_MORE;
	if (in.data[0] == '\n' || (in.data[0] == '\r' && in.data[1] == '\n')) {
		n = in.data[0] == '\n' ? 1 : 2;
		if (n == 1)
			p->findings |= FIND(BARE_LF);
	} else {
		n = http1_head_end(in, &p->scanned);
		if (!n)
			return in.len > HTTP1_MAX_HEAD ? lost(p) : HTTP1_NEED_MORE;
		p->findings |= http1_trailer_findings(bw_slice(in.data, n));
	}
	p->scanned = 0;
	*ret_consumed = n;
	p->state = HTTP1_S_DONE;
	return HTTP1_OK;
}

static enum http1_result read_data(struct http1 *p, struct bw_slice in, size_t *ret_consumed, struct http1_event *ev)
{
	size_t n = in.len;

	if (!n)
		return HTTP1_NEED_MORE;
	if (p->state == HTTP1_S_LENGTH || p->state == HTTP1_S_CHUNK) {
		n = p->left < n ? (size_t)p->left : n;
		p->left -= n;
		if (!p->left)
			p->state = p->state == HTTP1_S_LENGTH ? HTTP1_S_DONE : HTTP1_S_CHUNK_END;
	}
	*ret_consumed = n;
	*ev = (struct http1_event){ .type = p->state == HTTP1_S_RAW ? HTTP1_RAW : HTTP1_BODY, .data = bw_slice(in.data, n) };
	return HTTP1_OK;
}

enum http1_result http1_next(struct http1 *p, struct bw_slice in, struct http1_head *head, size_t *ret_consumed,
			     struct http1_event *ev)
{
	size_t total = 0;

	for (;;) {
		enum http1_result r;
		size_t n = 0;

		switch (p->state) {
		case HTTP1_S_SYNC:
			r = sync(p, in, &n);
			break;
		case HTTP1_S_CHUNK_SIZE:
			r = read_chunk_size(p, in, &n);
			break;
		case HTTP1_S_CHUNK_END:
			r = read_chunk_end(p, in, &n);
			break;
		case HTTP1_S_TRAILER:
			r = read_trailer(p, in, &n);
			break;
		case HTTP1_S_HEAD:
			r = read_head(p, in, head, &n, ev);
			*ret_consumed = total + n;
			return r;
		case HTTP1_S_DONE:
			*ret_consumed = total;
			*ev = (struct http1_event){ .type = HTTP1_END, .findings = p->findings };
			p->findings = 0;
			p->state = HTTP1_S_HEAD;
			return HTTP1_OK;
		default:
			r = read_data(p, in, &n, ev);
			*ret_consumed = total + n;
			return r;
		}
		total += n;
		in.data += n;
		in.len -= n;
		if (r != HTTP1_OK) {
			*ret_consumed = total;
			return r;
		}
	}
}

void http1_no_body(struct http1 *p)
{
	p->left = 0;
	p->state = HTTP1_S_DONE;
}

void http1_raw(struct http1 *p)
{
	p->left = 0;
	p->state = HTTP1_S_RAW;
}

bool http1_gap(struct http1 *p, uint64_t n)
{
	switch (p->state) {
	case HTTP1_S_CLOSE:
	case HTTP1_S_RAW:
		return true;
	case HTTP1_S_LENGTH:
	case HTTP1_S_CHUNK:
		if (n > p->left)
			break;
		p->left -= n;
		if (!p->left)
			p->state = p->state == HTTP1_S_LENGTH ? HTTP1_S_DONE : HTTP1_S_CHUNK_END;
		return true;
	default:
		break;
	}
	lost(p);
	return false;
}

bool http1_close(struct http1 *p)
{
	if (p->state != HTTP1_S_CLOSE)
		return false;
	p->state = HTTP1_S_DONE;
	return true;
}

bool http1_in_message(const struct http1 *p)
{
	return p->state != HTTP1_S_HEAD && p->state != HTTP1_S_SYNC && p->state != HTTP1_S_RAW;
}
