// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Rules as text for nft, nginx, HAProxy, Envoy and ModSecurity. Values come from strangers: in what is written here a byte that is no
 * letter and no digit stands as \xHH in a regular expression, or all of them as hexadecimal digits; there is nothing else to escape,
 * and nothing that any of these programs could take for its own syntax.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "auditor/block/block.h"
#include "common/cleanup.h"
#include "common/json.h"

#define HEAD "# Written by bpfwarden block: changes are lost.\n"
#define RULE_IDS 7700000u /* ModSecurity: 7,700,000 + the number of the block */

static void regex_byte(struct bw_buf *out, unsigned char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		bw_buf_char(out, (char)c);
	else
		bw_buf_printf(out, "\\x%02x", c);
}

static void regex(struct bw_buf *out, const char *s)
{
	for (; *s; s++)
		regex_byte(out, (unsigned char)*s);
}

/*
 * The credentials of HTTP Basic that begin with "LOGIN:" (RFC 7617), in base64: whole groups of three bytes have one form; of a rest
 * the bits that are known leave 16 or 4 letters for the last place.
 */
static void regex_basic(struct bw_buf *out, const char *login)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char b[BLOCK_MAX_VALUE + 4] = { 0 };
	size_t n = strlen(login) + 1;

	memcpy(b, login, n - 1);
	b[n - 1] = ':';
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)b[i] << 16 | (uint32_t)(i + 1 < n ? b[i + 1] : 0) << 8 | (i + 2 < n ? b[i + 2] : 0);
		size_t left = n - i;
		unsigned int first = left == 1 ? v >> 12 & 63 : v >> 6 & 63, many = left == 1 ? 16 : 4;

		regex_byte(out, (unsigned char)digits[v >> 18 & 63]);
		if (left > 1)
			regex_byte(out, (unsigned char)digits[v >> 12 & 63]);
		if (left > 2) {
			regex_byte(out, (unsigned char)digits[v >> 6 & 63]);
			regex_byte(out, (unsigned char)digits[v & 63]);
			continue;
		}
		bw_buf_char(out, '[');
		for (unsigned int k = 0; k < many; k++)
			regex_byte(out, (unsigned char)digits[first + k]);
		bw_buf_char(out, ']');
	}
}

static bool is_rule(const struct block *b)
{
	return b->kind == BLOCK_HEADER || b->kind == BLOCK_LOGIN;
}

/* The header that decides; NULL: HTTP Basic. */
static const char *header_of(const struct block *b, const char *login_header)
{
	return b->kind == BLOCK_HEADER ? b->name : login_header;
}

/* ---- nft --------------------------------------------------------------------------------------------------------------------------- */

static void nft_set(const struct block_list *l, bool v4, int64_t now_s, struct bw_buf *out)
{
	unsigned int n = 0;

	bw_buf_printf(out, "\tset blocked%c {\n\t\ttype ipv%c_addr\n\t\tflags interval,timeout\n", v4 ? '4' : '6', v4 ? '4' : '6');
	for (uint32_t i = 0; i < l->n; i++) {
		const struct block *b = &l->v[i];
		char text[BLOCK_PREFIX_TEXT];

		if (b->kind != BLOCK_ADDRESS || block_prefix_is_v4(&b->address) != v4 || b->expires_s <= now_s)
			continue;
		block_prefix_text(&b->address, text);
		bw_buf_printf(out, "%s%s timeout %" PRId64 "s", n++ ? ", " : "\t\telements = { ", text, b->expires_s - now_s);
	}
	bw_buf_str(out, n ? " }\n\t}\n" : "\t}\n");
}

void block_text_nft(const struct block_list *l, const char *table, int64_t now_s, struct bw_buf *out)
{
	static const struct {
		const char *hook;
		bool from, to;
	} chains[] = { { "input", true, false }, { "output", false, true }, { "forward", true, true } };
	bool some = false;

	for (uint32_t i = 0; i < l->n; i++)
		some |= l->v[i].kind == BLOCK_ADDRESS && l->v[i].expires_s > now_s;
	/* Added first, so that deleting it cannot fail. */
	bw_buf_printf(out, "add table inet %s\ndelete table inet %s\n", table, table);
	if (!some)
		return;
	bw_buf_printf(out, "table inet %s {\n", table);
	nft_set(l, true, now_s, out);
	nft_set(l, false, now_s, out);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		bw_buf_printf(out, "\tchain %s {\n\t\ttype filter hook %s priority -300; policy accept;\n", chains[i].hook, chains[i].hook);
		if (chains[i].from)
			bw_buf_str(out, "\t\tip saddr @blocked4 counter drop\n\t\tip6 saddr @blocked6 counter drop\n");
		if (chains[i].to)
			bw_buf_str(out, "\t\tip daddr @blocked4 counter drop\n\t\tip6 daddr @blocked6 counter drop\n");
		bw_buf_str(out, "\t}\n");
	}
	bw_buf_str(out, "}\n");
}

/* ---- nginx --------------------------------------------------------------------------------------------------------------------------- */

/* $http_x_name */
static void nginx_variable(struct bw_buf *out, const char *header)
{
	bw_buf_str(out, header ? "$http_" : "$remote_user");
	for (; header && *header; header++)
		bw_buf_char(out, *header == '-' ? '_' : (char)tolower((unsigned char)*header));
}

static bool same_header(const char *a, const char *b)
{
	return a && b ? !strcasecmp(a, b) : a == b;
}

static void text_nginx(const struct block_list *l, const char *login_header, struct bw_buf *out)
{
	unsigned int maps = 0;

	bw_buf_str(out, HEAD);
	for (uint32_t i = 0; i < l->n; i++) {
		const char *header = header_of(&l->v[i], login_header);
		bool seen = !is_rule(&l->v[i]);

		for (uint32_t k = 0; k < i && !seen; k++)
			seen = is_rule(&l->v[k]) && same_header(header_of(&l->v[k], login_header), header);
		if (seen)
			continue;
		bw_buf_str(out, "map ");
		nginx_variable(out, header);
		bw_buf_printf(out, " $bpfwarden_block_%u {\n\tdefault 0;\n", ++maps);
		for (uint32_t k = i; k < l->n; k++) {
			if (!is_rule(&l->v[k]) || !same_header(header_of(&l->v[k], login_header), header))
				continue;
			bw_buf_str(out, "\t\"~^");
			regex(out, l->v[k].value);
			bw_buf_str(out, "\\z\" 1;\n");
		}
		bw_buf_str(out, "}\n");
	}
	bw_buf_str(out, "map \"");
	for (unsigned int k = 1; k <= maps; k++)
		bw_buf_printf(out, "$bpfwarden_block_%u", k);
	bw_buf_str(out, "\" $bpfwarden_blocked {\n\tdefault 0;\n\t\"~1\" 1;\n}\n");
}

void block_text_nginx_server(struct bw_buf *out)
{
	bw_buf_str(out, HEAD "if ($bpfwarden_blocked) {\n\treturn 403;\n}\n");
}

/* ---- the others ------------------------------------------------------------------------------------------------------------------------ */

static void text_haproxy(const struct block_list *l, const char *login_header, struct bw_buf *out)
{
	bw_buf_str(out, HEAD "defaults bpfwarden-block\n\tmode http\n");
	for (uint32_t i = 0; i < l->n; i++) {
		const char *header = header_of(&l->v[i], login_header);

		if (!is_rule(&l->v[i]))
			continue;
		bw_buf_str(out, "\thttp-request deny deny_status 403 if { ");
		if (header)
			bw_buf_printf(out, "req.fhdr(%s)", header);
		else
			bw_buf_str(out, "http_auth_user");
		bw_buf_str(out, " -m bin ");
		bw_buf_hex(out, l->v[i].value, strlen(l->v[i].value));
		bw_buf_printf(out, " } { date lt %" PRId64 " }\n", l->v[i].expires_s);
	}
}

static void text_modsecurity(const struct block_list *l, const char *login_header, struct bw_buf *out)
{
	bw_buf_str(out, HEAD);
	for (uint32_t i = 0; i < l->n; i++) {
		const char *header = header_of(&l->v[i], login_header);

		if (!is_rule(&l->v[i]))
			continue;
		bw_buf_printf(out, "SecRule REQUEST_HEADERS:%s \"@rx ^", header ? header : "Authorization");
		if (header) {
			regex(out, l->v[i].value);
			bw_buf_str(out, "\\z");
		} else {
			bw_buf_str(out, "(?i:basic)\\x20+");
			regex_basic(out, l->v[i].value);
		}
		bw_buf_printf(out, "\" \"id:%u,phase:1,deny,status:403,log,t:none,msg:'bpfwarden block %u',chain\"\n", RULE_IDS + l->v[i].id, l->v[i].id);
		bw_buf_printf(out, "\tSecRule TIME_EPOCH \"@lt %" PRId64 "\" \"t:none\"\n", l->v[i].expires_s);
	}
}

/* An answer of Envoy's extension config discovery: a file that Envoy watches, and takes over when it is renamed into place. */
static void text_envoy(const struct block_list *l, const char *login_header, struct bw_buf *out)
{
	struct bw_json j = { .buf = out, .indent = 1 };
	char id[32];

	bw_json_open(&j, NULL, '{');
	bw_json_open(&j, "resources", '[');
	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "@type", "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig");
	bw_json_str(&j, "name", "bpfwarden-block");
	bw_json_open(&j, "typed_config", '{');
	bw_json_str(&j, "@type", "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC");
	bw_json_open(&j, "rules", '{');
	bw_json_str(&j, "action", "DENY");
	bw_json_open(&j, "policies", '{');
	for (uint32_t i = 0; i < l->n; i++) {
		const char *header = header_of(&l->v[i], login_header);
		_cleanup_buf_ struct bw_buf pattern = { 0 };

		if (!is_rule(&l->v[i]))
			continue;
		if (header) {
			regex(&pattern, l->v[i].value);
		} else {
			bw_buf_str(&pattern, "(?i:basic)\\x20+");
			regex_basic(&pattern, l->v[i].value);
			bw_buf_str(&pattern, ".*");
		}
		if (bw_buf_error(&pattern)) {
			out->error = bw_buf_error(&pattern);
			return;
		}
		snprintf(id, sizeof(id), "block-%u", l->v[i].id);
		bw_json_open(&j, id, '{');
		bw_json_open(&j, "permissions", '[');
		bw_json_open(&j, NULL, '{');
		bw_json_bool(&j, "any", true);
		bw_json_close(&j, '}');
		bw_json_close(&j, ']');
		bw_json_open(&j, "principals", '[');
		bw_json_open(&j, NULL, '{');
		bw_json_open(&j, "header", '{');
		bw_json_str(&j, "name", header ? header : "authorization");
		bw_json_open(&j, "string_match", '{');
		bw_json_open(&j, "safe_regex", '{');
		bw_json_str(&j, "regex", bw_buf_cstr(&pattern));
		for (const char *close = "}}}}]}"; *close; close++)
			bw_json_close(&j, *close);
	}
	for (const char *close = "}}}}]}"; *close; close++)
		bw_json_close(&j, *close);
	bw_buf_char(out, '\n');
}

void block_text_server(enum block_server_kind kind, const struct block_list *l, const char *login_header, struct bw_buf *out)
{
	switch (kind) {
	case BLOCK_NGINX:
		text_nginx(l, login_header, out);
		break;
	case BLOCK_HAPROXY:
		text_haproxy(l, login_header, out);
		break;
	case BLOCK_ENVOY:
		text_envoy(l, login_header, out);
		break;
	default:
		text_modsecurity(l, login_header, out);
	}
}
