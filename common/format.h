/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_FORMAT_H
#define BW_FORMAT_H
/*
 * The formats of other people (docs/formats.md), each a pure function of the native event. Whatever an event holds, in
 * whichever member, none of it can end the record, begin a member or change another one; and all of it is there: what
 * a format has no name for stands under the native one.
 */
#include "common/event_view.h"

enum format_id {
	FORMAT_NATIVE,
	FORMAT_RFC5424,
	FORMAT_RFC3164,
	FORMAT_CEF,
	FORMAT_LEEF,
	FORMAT_ECS,
	FORMAT_OCSF,
	FORMAT_HEC,
	FORMAT_OTLP,
	FORMAT_FALCOSIDEKICK,
	FORMAT_WAZUH,
	FORMAT_GELF,
	FORMAT_JOURNAL,
	FORMAT_COUNT
};

/* "native", "rfc5424", ...; NULL beyond the last. */
const char *format_name(enum format_id id);
int format_parse(const char *name, enum format_id *ret); /* -EINVAL */
/* Are records lines (they hold no newline), to be separated by one? All but the journal's export format. */
bool format_is_line(enum format_id id);

/* Zeroed: the defaults. */
struct format_options {
	unsigned int facility;	/* of syslog, 1 to 23; 0: FORMAT_FACILITY */
	const char *hec_index;	/* borrowed; NULL: left out */
	const char *hec_sourcetype; /* NULL: FORMAT_SOURCETYPE */
};

#define FORMAT_FACILITY 10u /* security/authorization, LOG_AUTHPRIV */
#define FORMAT_SOURCETYPE "bpfwarden:event"
/* RFC 5612: the enterprise number for those that have none. */
#define FORMAT_SD_ID "bpfwarden@32473"

/* Appends the event. Errors are those of the buffer: -ENOMEM, -E2BIG. */
int format_event(enum format_id id, const struct format_options *o, const struct event_view *e, struct bw_buf *b);

/* What OTLP and the others wrap around several events of one request. */
void format_otlp_begin(const struct event_view *first, struct bw_buf *b);
void format_otlp_record(const struct event_view *e, struct bw_buf *b); /* commas are the caller's */
void format_otlp_end(struct bw_buf *b);
/* The items of an OTLP request {"@list":[...]}, without the brackets, so that several can be sent as one. False: it is another request. */
bool format_otlp_items(const char *line, size_t len, const char *list, const char **ret, size_t *ret_len);

/* 0 (emergency) to 7 (debug). */
unsigned int format_syslog_level(enum event_severity s);

#endif
