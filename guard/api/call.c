// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/call.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

#define NAME_OF(table, i) ((size_t)(i) < ARRAY_SIZE(table) && (table)[i] ? (table)[i] : "unknown")

static const char *const protocols[API_PROTOS] = { "http/1.0", "http/1.1", "http/2" };
static const char *const styles[API_STYLES] = { "http", "grpc", "grpc-web", "graphql", "json-rpc", "websocket", "sse" };
static const char *const directions[API_DIRECTIONS] = { "unknown", "loopback", "east-west", "north-south" };
static const char *const places[API_PLACES] = { "path",		   "query",	      "request.header", "request.cookie",
						"request.body", "response.header", "response.cookie", "response.body" };
static const char *const roles[] = { "unknown", "server", "client" };
static const char *const sources[API_SOURCES] = { "socket", "openssl", "gnutls", "go-tls", "boringssl" };
static const char *const auths[API_AUTHS] = { "basic", "bearer", "digest", "negotiate", "signature", "api-key", "cookie", "other" };
static const char *const types[] = { "null", "boolean", "integer", "number", "string", "object", "array", "file" };
static const char *const flags[] = { "gap",   "sampled", "body-cut",   "limit",	    "no-request",      "no-response", "reset",	 "timeout",
				     "incomplete", "uncertain", "headers-unknown", "body-opaque", "duplicate", "upgraded", "evicted" };

static const struct {
	const char *name;
	bool smuggling;
} findings[API_FINDINGS] = {
	[API_FIND_TE_AND_CL] = { "te-and-cl", true },
	[API_FIND_DUPLICATE_CL] = { "duplicate-cl", true },
	[API_FIND_REPEATED_CL] = { "repeated-cl", true },
	[API_FIND_BAD_CL] = { "bad-cl", true },
	[API_FIND_BAD_TE] = { "bad-te", true },
	[API_FIND_TE_IN_HTTP10] = { "te-in-http10", true },
	[API_FIND_OBS_FOLD] = { "obs-fold", true },
	[API_FIND_BARE_LF] = { "bare-lf", true },
	[API_FIND_BARE_CR] = { "bare-cr", true },
	[API_FIND_NUL] = { "nul", true },
	[API_FIND_SPACE_BEFORE_COLON] = { "space-before-colon", true },
	[API_FIND_BAD_HEADER_NAME] = { "bad-header-name", true },
	[API_FIND_HEADER_WITHOUT_COLON] = { "header-without-colon", true },
	[API_FIND_BAD_CHUNK_SIZE] = { "bad-chunk-size", true },
	[API_FIND_BAD_CHUNK_END] = { "bad-chunk-end", true },
	[API_FIND_LONG_CHUNK_EXTENSION] = { "long-chunk-extension", false },
	[API_FIND_FORBIDDEN_TRAILER] = { "forbidden-trailer", true },
	[API_FIND_DUPLICATE_HOST] = { "duplicate-host", true },
	[API_FIND_NO_HOST] = { "no-host", false },
	[API_FIND_HOST_MISMATCH] = { "host-mismatch", true },
	[API_FIND_BAD_REQUEST_LINE] = { "bad-request-line", true },
	[API_FIND_BAD_VERSION] = { "bad-version", false },
	[API_FIND_GET_WITH_BODY] = { "get-with-body", false },
	[API_FIND_UNASKED_RESPONSE] = { "unasked-response", true },
	[API_FIND_BODY_ON_NO_BODY] = { "body-on-no-body", true },
	[API_FIND_H2_CONNECTION_HEADER] = { "h2-connection-header", true },
	[API_FIND_H2_BAD_FIELD] = { "h2-bad-field", true },
	[API_FIND_H2_BAD_PSEUDO] = { "h2-bad-pseudo", true },
	[API_FIND_H2_CL_MISMATCH] = { "h2-cl-mismatch", true },
	[API_FIND_BODY_BOMB] = { "body-bomb", false },
	[API_FIND_BAD_CODING] = { "bad-coding", false },
	[API_FIND_BAD_JSON] = { "bad-json", false },
};

const char *api_protocol_name(enum api_protocol p)
{
	return NAME_OF(protocols, p);
}

const char *api_style_name(enum api_style s)
{
	return NAME_OF(styles, s);
}

const char *api_direction_name(enum api_direction d)
{
	return NAME_OF(directions, d);
}

const char *api_place_name(enum api_place p)
{
	return NAME_OF(places, p);
}

const char *api_role_name(enum api_role r)
{
	return NAME_OF(roles, r);
}

const char *api_source_name(enum api_source s)
{
	return NAME_OF(sources, s);
}

const char *api_finding_name(unsigned int f)
{
	return f < API_FINDINGS && findings[f].name ? findings[f].name : "unknown";
}

bool api_finding_is_smuggling(unsigned int f)
{
	return f < API_FINDINGS && findings[f].smuggling;
}

const char *api_auth_name(unsigned int bit)
{
	return NAME_OF(auths, bit);
}

const char *api_type_name(unsigned int bit)
{
	return NAME_OF(types, bit);
}

const char *api_call_flag_name(unsigned int bit)
{
	return NAME_OF(flags, bit);
}

void api_address_text(const struct api_address *a, char text[API_ADDRESS_TEXT])
{
	char ip[INET6_ADDRSTRLEN] = "";

	text[0] = '\0';
	if (a->family == AF_UNIX)
		snprintf(text, API_ADDRESS_TEXT, "unix");
	else if (a->family == AF_INET && inet_ntop(AF_INET, a->bytes, ip, sizeof(ip)))
		snprintf(text, API_ADDRESS_TEXT, "%s:%u", ip, a->port);
	else if (a->family == AF_INET6 && inet_ntop(AF_INET6, a->bytes, ip, sizeof(ip)))
		snprintf(text, API_ADDRESS_TEXT, "[%s]:%u", ip, a->port);
}

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

/* The IPv4 address, also of one that is mapped into IPv6; NULL when it is none. */
static const uint8_t *ipv4_of(const struct api_address *a)
{
	if (a->family == AF_INET)
		return a->bytes;
	return a->family == AF_INET6 && !memcmp(a->bytes, mapped, 12) ? a->bytes + 12 : NULL;
}

bool api_address_same(const struct api_address *a, const struct api_address *b)
{
	const uint8_t *a4 = ipv4_of(a), *b4 = ipv4_of(b);

	if (a->port != b->port)
		return false;
	if (a4 || b4)
		return a4 && b4 && !memcmp(a4, b4, 4);
	return a->family == AF_INET6 && b->family == AF_INET6 && !memcmp(a->bytes, b->bytes, 16);
}

static bool is_loopback(const struct api_address *a)
{
	static const uint8_t one[16] = { [15] = 1 };
	const uint8_t *v4 = ipv4_of(a);

	return v4 ? v4[0] == 127 : a->family == AF_INET6 && !memcmp(a->bytes, one, 16);
}

/* RFC 1918, RFC 6598, RFC 3927; RFC 4193, RFC 4291 2.5.6 */
static bool is_private(const struct api_address *a)
{
	const uint8_t *v4 = ipv4_of(a);

	if (v4)
		return v4[0] == 10 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) || (v4[0] == 192 && v4[1] == 168) ||
		       (v4[0] == 100 && (v4[1] & 0xc0) == 64) || (v4[0] == 169 && v4[1] == 254);
	return (a->bytes[0] & 0xfe) == 0xfc || (a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80);
}

enum api_direction api_direction_of(const struct api_address *local, const struct api_address *remote)
{
	if (remote->family == AF_UNIX || local->family == AF_UNIX)
		return API_DIRECTION_LOOPBACK;
	if (remote->family != AF_INET && remote->family != AF_INET6)
		return API_DIRECTION_UNKNOWN;
	if (is_loopback(remote))
		return API_DIRECTION_LOOPBACK;
	/* A host that talks to an address of its own does not leave it either. */
	if (local->family) {
		struct api_address l = *local;

		l.port = remote->port;
		if (api_address_same(&l, remote))
			return API_DIRECTION_LOOPBACK;
	}
	return is_private(remote) ? API_DIRECTION_EAST_WEST : API_DIRECTION_NORTH_SOUTH;
}

uint64_t api_call_duration_ns(const struct api_call *c)
{
	if (!c->request.first_ns || !c->response.last_ns || c->response.last_ns < c->request.first_ns)
		return 0;
	return c->response.last_ns - c->request.first_ns;
}

const char *api_call_exception(const struct api_call *c)
{
	if (c->flags & API_CALL_TIMEOUT)
		return "timeout";
	if (c->flags & API_CALL_RESET)
		return "reset";
	if (c->flags & API_CALL_NO_RESPONSE)
		return "no-response";
	if (c->status >= 500)
		return "server-error";
	/* gRPC codes that are the server's: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS */
	if (c->grpc_status >= 0 && c->grpc_status < 32 && ((1u << c->grpc_status) & (1u << 2 | 1u << 4 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 15)))
		return "grpc-error";
	if (c->rpc_error)
		return "rpc-error";
	if (c->flags & API_CALL_INCOMPLETE)
		return "incomplete";
	return NULL;
}
