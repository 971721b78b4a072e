// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* syslog (RFC 5424, RFC 3164), CEF, LEEF, and the journal's export format. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/format_parts.h"

#define PROGRAM "bpfwardend"
#define SD_NAME_MAX 32u /* RFC 5424 6.3.3: characters of a PARAM-NAME */

static void put_priority(const struct format_options *o, const struct event_view *e, struct bw_buf *b)
{
	unsigned int facility = o && o->facility ? o->facility : FORMAT_FACILITY;

	bw_buf_printf(b, "<%u>", facility * 8 + format_syslog_level(event_severity(e)));
}

/* PRINTUSASCII, at most @max; "-" (the NILVALUE) where nothing is left. Host names and rules hold nothing else. */
static void put_header_field(struct bw_buf *b, const struct event_member *m, size_t max)
{
	size_t n = 0;

	for (uint32_t i = 0; m && m->type == EVENT_STRING && i < m->value_len && n < max; i++) {
		char c = m->value[i];

		bw_buf_char(b, c > ' ' && c < 0x7f ? c : '?');
		n++;
	}
	if (!n)
		bw_buf_char(b, '-');
}

/* RFC 5424: <PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID [SD] MSG */
void format_rfc5424(const struct format_options *o, const struct event_view *e, struct bw_buf *b)
{
	/* 6.3.3: these three, and nothing else, are quoted by a backslash. */
	static const struct text_style param = { .hidden = "", .quoted = "\"\\]" };
	int64_t ns = event_time(e);
	time_t sec = (time_t)(ns / 1000000000);
	struct tm tm;

	put_priority(o, e, b);
	gmtime_r(&sec, &tm);
	/* TIME-SECFRAC has at most six digits. */
	bw_buf_printf(b, "1 %04d-%02d-%02dT%02d:%02d:%02d.%06dZ ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
		      tm.tm_sec, (int)(ns % 1000000000 / 1000));
	put_header_field(b, event_get(e, "host"), 255);
	bw_buf_str(b, " " PROGRAM " - ");
	put_header_field(b, event_get(e, "rule"), 32);
	bw_buf_str(b, " [" FORMAT_SD_ID);
	for (unsigned int i = 0; i < e->n; i++) {
		const struct event_member *m = &e->members[i];

		bw_buf_char(b, ' ');
		if (m->key_len > SD_NAME_MAX) {
			bw_buf_str(b, "member=\"");
			bw_buf_append(b, m->key, m->key_len);
			bw_buf_char(b, '=');
		} else {
			bw_buf_append(b, m->key, m->key_len);
			bw_buf_str(b, "=\"");
		}
		put_value(b, m, &param);
		bw_buf_char(b, '"');
	}
	bw_buf_str(b, "] ");
	put_summary(b, e);
}

/* RFC 3164: <PRI>TIMESTAMP HOSTNAME TAG: CONTENT; the content is JSON with the cookie that tells. */
void format_rfc3164(const struct format_options *o, const struct event_view *e, struct bw_buf *b)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t sec = (time_t)(event_time(e) / 1000000000);
	struct tm tm;

	put_priority(o, e, b);
	gmtime_r(&sec, &tm);
	bw_buf_printf(b, "%s %2d %02d:%02d:%02d ", months[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	/* It has no NILVALUE: receivers take "-" for the tag. */
	if (event_get(e, "host"))
		put_header_field(b, event_get(e, "host"), 255);
	else
		bw_buf_str(b, "localhost");
	bw_buf_str(b, " " PROGRAM ": @cee: ");
	bw_buf_append(b, e->line, e->len);
}

/* ---- CEF ----------------------------------------------------------------------------------------------------------- */

/* Members that have a name in the CEF dictionary; a label makes a custom one. */
static const struct cef_key {
	const char *ours, *theirs, *label;
} cef_keys[] = {
	{ "uid", "externalId", NULL },
	{ "host", "dvchost", NULL },
	{ "action", "act", NULL },
	{ "reason", "reason", NULL },
	{ "kind", "cat", NULL },
	{ "message", "msg", NULL },
	{ "loader_exe", "sproc", NULL },
	{ "loader_tgid", "spid", NULL },
	{ "loader_uid", "suid", NULL },
	{ "prog_name", "fname", NULL },
	{ "prog_type", "fileType", NULL },
	{ "digest", "fileHash", NULL },
	{ "policy_rule", "cs1", "policyRule" },
	{ "policy_entry", "cs2", "policyEntry" },
	{ "attach_target", "cs3", "attachTarget" },
	{ "attack", "cs4", "attackTechniques" },
	{ "policy_generation", "cn1", "policyGeneration" },
};

/* bwLoaderComm for loader_comm: names of extensions are letters and digits. */
static void put_camel(struct bw_buf *b, const struct event_member *m)
{
	bool up = true;

	bw_buf_str(b, "bw");
	for (uint32_t i = 0; i < m->key_len; i++) {
		char c = m->key[i];

		if (c == '_') {
			up = true;
			continue;
		}
		bw_buf_char(b, up && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
		up = false;
	}
}

void format_cef(const struct event_view *e, struct bw_buf *b)
{
	static const struct text_style header = { .hidden = "", .quoted = "\\|" };
	static const struct text_style value = { .hidden = "", .quoted = "\\=" };
	static const unsigned int severities[] = { 0, 2, 4, 6, 8, 10 };
	const struct event_member *rule = event_get(e, "rule");
	_cleanup_buf_ struct bw_buf name = { 0 };

	bw_buf_str(b, "CEF:0|bpfwarden|" PROGRAM "|" BW_VERSION "|");
	if (rule)
		put_value(b, rule, &header);
	bw_buf_char(b, '|');
	/* The sentence has been made safe once; its backslashes are not doubled again. */
	put_summary(&name, e);
	for (size_t i = 0; i < name.len; i++) {
		if (strchr("\\|", name.data[i]))
			bw_buf_char(b, '\\');
		bw_buf_char(b, name.data[i]);
	}
	bw_buf_printf(b, "|%u|rt=%" PRId64, severities[event_severity(e)], event_time(e) / 1000000);
	for (unsigned int i = 0; i < e->n; i++) {
		const struct event_member *m = &e->members[i];
		const struct cef_key *k = NULL;

		for (size_t n = 0; n < ARRAY_SIZE(cef_keys) && !k; n++)
			if (strlen(cef_keys[n].ours) == m->key_len && !memcmp(cef_keys[n].ours, m->key, m->key_len))
				k = &cef_keys[n];
		bw_buf_char(b, ' ');
		if (k && k->label)
			bw_buf_printf(b, "%sLabel=%s ", k->theirs, k->label);
		if (k)
			bw_buf_str(b, k->theirs);
		else
			put_camel(b, m);
		bw_buf_char(b, '=');
		put_value(b, m, &value);
	}
}

/* ---- LEEF 2.0 ------------------------------------------------------------------------------------------------------- */

void format_leef(const struct event_view *e, struct bw_buf *b)
{
	/* There is no escape in LEEF: what would be the delimiter is never there. */
	static const struct text_style header = { .hidden = "|", .quoted = "" };
	static const struct text_style value = { .hidden = "", .quoted = "" };
	static const unsigned int severities[] = { 1, 2, 4, 6, 8, 10 };
	const struct event_member *rule = event_get(e, "rule"), *kind = event_get(e, "kind");

	bw_buf_str(b, "LEEF:2.0|bpfwarden|" PROGRAM "|" BW_VERSION "|");
	if (rule)
		put_value(b, rule, &header);
	bw_buf_printf(b, "|x09|devTime=%" PRId64 "\tsev=%u\tcat=", event_time(e) / 1000000, severities[event_severity(e)]);
	if (kind)
		put_value(b, kind, &value);
	for (unsigned int i = 0; i < e->n; i++) {
		bw_buf_char(b, '\t');
		bw_buf_append(b, e->members[i].key, e->members[i].key_len);
		bw_buf_char(b, '=');
		put_value(b, &e->members[i], &value);
	}
}

/* ---- the journal ------------------------------------------------------------------------------------------------------ */

/* Journal Export Formats: NAME=value, or the name, a newline, the length (64 bits, little-endian), and bytes of any kind. */
static void put_field(struct bw_buf *b, const char *prefix, const char *key, size_t key_len, const char *value, size_t len)
{
	bool binary = false;

	bw_buf_str(b, prefix);
	for (size_t i = 0; i < key_len; i++)
		bw_buf_char(b, key[i] >= 'a' && key[i] <= 'z' ? (char)(key[i] - 'a' + 'A') : key[i]);
	for (size_t i = 0; i < len && !binary; i++)
		binary = (unsigned char)value[i] < ' ' && value[i] != '\t';
	if (binary) {
		unsigned char size[8];

		for (int i = 0; i < 8; i++)
			size[i] = (unsigned char)((uint64_t)len >> 8 * i);
		bw_buf_char(b, '\n');
		bw_buf_append(b, size, sizeof(size));
	} else {
		bw_buf_char(b, '=');
	}
	bw_buf_append(b, value, len);
	bw_buf_char(b, '\n');
}

void format_journal(const struct event_view *e, struct bw_buf *b)
{
	_cleanup_buf_ struct bw_buf t = { 0 };
	char text[40];
	int n;

	n = snprintf(text, sizeof(text), "%" PRId64, event_time(e) / 1000);
	put_field(b, "__REALTIME_TIMESTAMP", "", 0, text, (size_t)n);
	put_summary(&t, e);
	put_field(b, "MESSAGE", "", 0, bw_buf_cstr(&t), t.len);
	n = snprintf(text, sizeof(text), "%u", format_syslog_level(event_severity(e)));
	put_field(b, "PRIORITY", "", 0, text, (size_t)n);
	put_field(b, "SYSLOG_IDENTIFIER", "", 0, PROGRAM, strlen(PROGRAM));
	for (unsigned int i = 0; i < e->n; i++) {
		bw_buf_reset(&t);
		event_text(&e->members[i], &t);
		put_field(b, "BPFWARDEN_", e->members[i].key, e->members[i].key_len, bw_buf_cstr(&t), t.len);
	}
	if (bw_buf_error(&t) && !b->error)
		b->error = bw_buf_error(&t);
	bw_buf_char(b, '\n');
}
