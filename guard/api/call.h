/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_CALL_H
#define BW_GUARD_API_CALL_H
/*
 * One finished API call: a request and its response, as the catalogue, the metrics, the traces and the logs see it. What is in here
 * has lost its values: names, shapes, classes, counts and keyed hashes only. The one place where text of a message
 * survives is the path, and of it only the segments that are neither identifiers nor personal data (template.h).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard/api/chunk.h"

/* What one call may hold; reaching a maximum sets API_CALL_LIMIT. */
#define API_CALL_MAX_MEMORY (128u << 10) /* bytes of strings and lists */
#define API_CALL_MAX_FIELDS 512u
#define API_CALL_MAX_PII 256u
#define API_CALL_MAX_EXTRACTED 32u
#define API_MAX_NAME 128u /* bytes of a header, parameter or field name */
#define API_MAX_PATH 512u /* bytes of a templated path */
#define API_MAX_HOST 255u
#define API_MAX_METHOD 24u
#define API_MAX_OPERATION 128u
#define API_MAX_MEDIA_TYPE 96u

enum api_protocol {
	API_PROTO_HTTP10,
	API_PROTO_HTTP11,
	API_PROTO_HTTP2,
	API_PROTOS
};

/* What is spoken on top of it. */
enum api_style {
	API_STYLE_HTTP, /* nothing that is recognised */
	API_STYLE_GRPC,
	API_STYLE_GRPC_WEB,
	API_STYLE_GRAPHQL,
	API_STYLE_JSON_RPC,
	API_STYLE_WEBSOCKET,
	API_STYLE_SSE,
	API_STYLES
};

enum api_direction {
	API_DIRECTION_UNKNOWN,
	API_DIRECTION_LOOPBACK,	   /* both ends on this host, or a Unix socket */
	API_DIRECTION_EAST_WEST,   /* the other end has a private address */
	API_DIRECTION_NORTH_SOUTH, /* the other end has a public address */
	API_DIRECTIONS
};

/* Where in a call something stands. */
enum api_place {
	API_AT_PATH,
	API_AT_QUERY,
	API_AT_REQUEST_HEADER,
	API_AT_REQUEST_COOKIE,
	API_AT_REQUEST_BODY,
	API_AT_RESPONSE_HEADER,
	API_AT_RESPONSE_COOKIE,
	API_AT_RESPONSE_BODY,
	API_PLACES
};

/* The types a field was seen with, a set. */
enum api_type {
	API_TYPE_NULL = 1u << 0,
	API_TYPE_BOOL = 1u << 1,
	API_TYPE_INTEGER = 1u << 2,
	API_TYPE_NUMBER = 1u << 3,
	API_TYPE_STRING = 1u << 4,
	API_TYPE_OBJECT = 1u << 5,
	API_TYPE_ARRAY = 1u << 6,
	API_TYPE_FILE = 1u << 7, /* a part of a multipart body with a file name */
};

/* How the caller said who it is; a set. Empty: it did not. */
enum api_auth {
	API_AUTH_BASIC = 1u << 0,
	API_AUTH_BEARER = 1u << 1,
	API_AUTH_DIGEST = 1u << 2,
	API_AUTH_NEGOTIATE = 1u << 3,
	API_AUTH_SIGNATURE = 1u << 4, /* AWS4-HMAC-SHA256 and its kind */
	API_AUTH_API_KEY = 1u << 5,   /* a header or parameter of that name */
	API_AUTH_COOKIE = 1u << 6,    /* a cookie with the name of a session */
	API_AUTH_OTHER = 1u << 7,     /* an Authorization header with another scheme */
};
#define API_AUTHS 8

/* Why a record is not the whole truth; a set. */
enum api_call_flag {
	API_CALL_GAP = 1u << 0,		/* bytes of it were lost */
	API_CALL_SAMPLED = 1u << 1,	/* bytes of it were left out because of a budget */
	API_CALL_BODY_CUT = 1u << 2,	/* a body was longer than what is looked at */
	API_CALL_LIMIT = 1u << 3,	/* more names or fields than a record holds */
	API_CALL_NO_REQUEST = 1u << 4,	/* only the response was seen */
	API_CALL_NO_RESPONSE = 1u << 5, /* the connection ended, or the wait did, without one */
	API_CALL_RESET = 1u << 6,	/* the connection or stream was reset */
	API_CALL_TIMEOUT = 1u << 7,	/* no response within the time that calls are waited for */
	API_CALL_INCOMPLETE = 1u << 8,	/* the response began and did not end */
	API_CALL_UNCERTAIN = 1u << 9,	/* request and response were joined right after a gap: they may be strangers */
	API_CALL_HEADERS_UNKNOWN = 1u << 10, /* joined midway: some headers refer to what was sent before (HPACK) */
	API_CALL_BODY_OPAQUE = 1u << 11, /* a coding that is not decoded, or that does not decode */
	API_CALL_DUPLICATE = 1u << 12,	/* the other end of this call is seen as well and counts it */
	API_CALL_UPGRADED = 1u << 13,	/* the connection went on in another protocol */
	API_CALL_EVICTED = 1u << 14,	/* given up because the engine's memory was needed */
};

/* Oddities of messages. Those with the mark S make two readers of the same bytes see different messages: request smuggling. */
enum api_finding {
	API_FIND_TE_AND_CL,	       /* S  RFC 9112 6.1: both Transfer-Encoding and Content-Length */
	API_FIND_DUPLICATE_CL,	       /* S  several Content-Length with different values */
	API_FIND_REPEATED_CL,	       /* S  several Content-Length with the same value */
	API_FIND_BAD_CL,	       /* S  a Content-Length that is not a plain number */
	API_FIND_BAD_TE,	       /* S  a Transfer-Encoding whose last coding is not exactly "chunked", or given twice */
	API_FIND_TE_IN_HTTP10,	       /* S  Transfer-Encoding in an HTTP/1.0 message */
	API_FIND_OBS_FOLD,	       /* S  a header that goes on in the next line */
	API_FIND_BARE_LF,	       /* S  a line that ends without CR */
	API_FIND_BARE_CR,	       /* S  a CR inside a line */
	API_FIND_NUL,		       /* S  a NUL byte in a header */
	API_FIND_SPACE_BEFORE_COLON,   /* S */
	API_FIND_BAD_HEADER_NAME,      /* S  not a token */
	API_FIND_HEADER_WITHOUT_COLON, /* S */
	API_FIND_BAD_CHUNK_SIZE,       /* S  sign, 0x, white space, overflow, or nothing */
	API_FIND_BAD_CHUNK_END,	       /* S  no CRLF after the data of a chunk */
	API_FIND_LONG_CHUNK_EXTENSION,
	API_FIND_FORBIDDEN_TRAILER,    /* S  framing or routing in a trailer */
	API_FIND_DUPLICATE_HOST,       /* S */
	API_FIND_NO_HOST,	       /*    HTTP/1.1 without Host */
	API_FIND_HOST_MISMATCH,	       /* S  absolute target and Host, or :authority and host, disagree */
	API_FIND_BAD_REQUEST_LINE,     /* S  more or other white space than one space between three parts */
	API_FIND_BAD_VERSION,
	API_FIND_GET_WITH_BODY,	       /*    GET, HEAD, DELETE or OPTIONS with a body */
	API_FIND_UNASKED_RESPONSE,     /* S  a response without a request: desynchronised or split */
	API_FIND_BODY_ON_NO_BODY,      /* S  1xx or 204 with a Content-Length or Transfer-Encoding */
	API_FIND_H2_CONNECTION_HEADER, /* S  RFC 9113 8.2.2: connection, transfer-encoding, upgrade in HTTP/2 */
	API_FIND_H2_BAD_FIELD,	       /* S  CR, LF, NUL, colon or upper case in an HTTP/2 field */
	API_FIND_H2_BAD_PSEUDO,	       /* S  a pseudo header that is missing, twice, unknown, or after others */
	API_FIND_H2_CL_MISMATCH,       /* S  RFC 9113 8.1.1: Content-Length is not the length of the DATA frames */
	API_FIND_BODY_BOMB,	       /*    a body that decodes to far more than it is */
	API_FIND_BAD_CODING,	       /*    a body that does not decode as its Content-Encoding says */
	API_FIND_BAD_JSON,	       /*    a complete body that says it is JSON and is not */
	API_FINDINGS
};

/* A name that was seen somewhere, with the types of what it named. */
struct api_field {
	enum api_place place;
	uint32_t types;	  /* enum api_type */
	const char *name; /* header in lower case; JSON path like "user.emails[]"; form or query parameter */
};

/* Personal data that was found at a place: never the value. */
struct api_pii_hit {
	enum api_place place;
	uint16_t class_id; /* of the detector (pii.h) */
	uint32_t count;
	uint64_t hash;	   /* keyed, of the first value; 0 when there is none */
	const char *name;  /* of the field, as in api_field; "" for a body without fields */
	const char *class_name; /* static */
};

/* What a custom rule took out. */
struct api_extracted {
	const char *name;
	const char *value; /* as the rule allows it: recorded after redaction, or a keyed hash */
};

struct api_message {
	uint64_t first_ns, last_ns; /* CLOCK_BOOTTIME of its first and last chunk; 0: not seen */
	uint64_t head_bytes, body_bytes; /* as sent; what was skipped inside a body of known length counts */
	uint64_t decoded_bytes;	 /* of the body, without transfer and content coding, as far as it was looked at */
	uint64_t missing_bytes;	 /* lost or left out */
	uint32_t messages;	 /* gRPC or WebSocket messages, SSE events */
	bool has_body;
	const char *content_type; /* "application/json", without parameters, lower case; "" when not said */
	const char *coding;	  /* Content-Encoding, lower case; "" */
};

struct api_trace {
	bool seen;	  /* the request carried a valid traceparent */
	uint8_t flags;	  /* of it */
	uint8_t trace_id[16];
	uint8_t parent_id[8]; /* zero: a root */
	uint8_t span_id[8];   /* of this call; made up, except for a client whose traceparent names it */
	uint64_t linked_call; /* the call of the same process in whose service this one was made; 0: none */
};

struct api_call {
	uint64_t id;   /* rises within one engine; never 0 */
	uint64_t conn; /* as in the chunks */
	uint32_t stream; /* HTTP/2; 0 */
	uint32_t flags; /* enum api_call_flag */
	uint64_t findings; /* bit n: enum api_finding n */
	enum api_role role;
	enum api_source source;
	enum api_protocol protocol;
	enum api_style style;
	enum api_direction direction;
	uint32_t auth; /* enum api_auth */
	bool tls;

	const char *method; /* "GET"; "?" when not seen */
	const char *scheme; /* "http" or "https" */
	const char *host;   /* lower case, without a default port; the server's address when the request names none */
	const char *path;   /* templated: "/users/{number}/orders" */
	const char *operation; /* gRPC "pkg.Service/Method", GraphQL operation, JSON-RPC method; "" */
	int status;	    /* 0: not seen */
	int grpc_status;    /* -1: none */
	int rpc_error;	    /* JSON-RPC error code, GraphQL: number of errors; 0: none */

	struct api_message request, response;
	struct api_trace trace;

	/* The process whose call it is, and both ends as it sees them. */
	uint32_t tgid, tid, uid, net_ns;
	uint64_t start_ns, cgroup_id;
	const char *comm, *exe;
	struct api_address local, remote;

	struct api_field *fields;
	uint32_t nfields;
	struct api_pii_hit *pii;
	uint32_t npii;
	struct api_extracted *extracted;
	uint32_t nextracted;
};

/* Stable names, used in the database, JSON and metrics; "unknown" for a number out of range. */
const char *api_protocol_name(enum api_protocol p);
const char *api_style_name(enum api_style s);
const char *api_direction_name(enum api_direction d);
const char *api_place_name(enum api_place p);
const char *api_role_name(enum api_role r);
const char *api_source_name(enum api_source s);
const char *api_finding_name(unsigned int finding);
bool api_finding_is_smuggling(unsigned int finding);
/* The name of bit @bit of enum api_auth, enum api_type, enum api_call_flag. */
const char *api_auth_name(unsigned int bit);
const char *api_type_name(unsigned int bit);
const char *api_call_flag_name(unsigned int bit);

/* "192.0.2.1:443", "[2001:db8::1]:443", "unix", "" when unknown. */
#define API_ADDRESS_TEXT 64
void api_address_text(const struct api_address *a, char text[API_ADDRESS_TEXT]);
bool api_address_same(const struct api_address *a, const struct api_address *b);
enum api_direction api_direction_of(const struct api_address *local, const struct api_address *remote);

/* Time from the first byte of the request to the last of the response; 0 when one of them was not seen. */
uint64_t api_call_duration_ns(const struct api_call *c);

/* A call that failed on the server's side, or did not end: the fourth view. The answer is a static text, NULL when it did not. */
const char *api_call_exception(const struct api_call *c);

#endif
