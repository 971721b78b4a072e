/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_BLOCK_H
#define BW_BLOCK_H
/*
 * Blocks: what an operator has cut off, why, and until when. The model and its checks, pure: time and everything about the host are
 * parameters. docs/remediation.md.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define BLOCK_MAX 1000u		   /* blocks at a time; settings may lower it */
#define BLOCK_MAX_ALLOW 64u	   /* addresses that an isolated service keeps */
#define BLOCK_MAX_NEVER 256u	   /* addresses that are never blocked */
#define BLOCK_MAX_SERVERS 16u
#define BLOCK_MAX_TEXT 200u	   /* owner, reason */
#define BLOCK_MAX_VALUE 256u	   /* header values, logins */
#define BLOCK_MAX_SECONDS (90u * 86400u)
/* The shortest prefixes that can be blocked. */
#define BLOCK_MIN_PREFIX4 16u
#define BLOCK_MIN_PREFIX6 32u

enum block_kind { BLOCK_ADDRESS, BLOCK_HEADER, BLOCK_LOGIN, BLOCK_SERVICE, BLOCK_KINDS };

/* IPv4 is kept as ::ffff:a.b.c.d with 96 added to the length, as in bpf/block.h. Bits beyond the length are zero. */
struct block_prefix {
	uint8_t address[16];
	uint8_t len; /* 0 to 128 */
};

struct block {
	uint32_t id;
	enum block_kind kind;
	char owner[BLOCK_MAX_TEXT + 1], reason[BLOCK_MAX_TEXT + 1];
	int64_t created_s, expires_s; /* CLOCK_REALTIME */
	struct block_prefix address;
	char name[64];			 /* of a header */
	char value[BLOCK_MAX_VALUE + 1]; /* of a header; a login */
	char cgroup[1024];		 /* SERVICE: below the mount point */
	uint32_t pid;			 /* SERVICE: one process, moved into that cgroup, which was made for it */
	struct block_prefix allow[BLOCK_MAX_ALLOW];
	uint32_t n_allow;
};

struct block_list {
	struct block *v; /* in the order of their ids */
	uint32_t n, next_id;
};

enum block_server_kind { BLOCK_NGINX, BLOCK_HAPROXY, BLOCK_ENVOY, BLOCK_MODSECURITY, BLOCK_SERVER_KINDS };

const char *block_kind_name(enum block_kind k);		      /* "address", "header", "login", "service" */
const char *block_server_name(enum block_server_kind k);      /* "nginx", ... */
int block_kind_id(const char *name);			      /* -1 */
int block_server_id(const char *name);			      /* -1 */

/* "203.0.113.7", "203.0.113.0/24", "2001:db8::/32". -EINVAL: not an address, or bits beyond the length. */
int block_prefix_read(const char *text, struct block_prefix *ret);
#define BLOCK_PREFIX_TEXT 64
void block_prefix_text(const struct block_prefix *p, char text[BLOCK_PREFIX_TEXT]);
bool block_prefix_is_v4(const struct block_prefix *p);
bool block_prefix_overlaps(const struct block_prefix *a, const struct block_prefix *b);
/* "90s", "10m", "2h", "7d". -EINVAL; -ERANGE for 0 and for more than BLOCK_MAX_SECONDS. */
int block_duration_read(const char *text, uint32_t *ret_s);

/* NULL, or why it cannot be (static text). What the rule files of servers would have to carry is checked here. */
const char *block_check_header(const char *name, const char *value);
const char *block_check_login(const char *login);
const char *block_check_text(const char *text); /* owner, reason */
/*
 * Whether @b may be added to @l. @never: addresses that are never cut off. *ret_why is a text for people, in @buf where it has to be
 * made. -EPERM: never; -EEXIST: there already, or it overlaps; -ENOSPC: the limit; -EINVAL.
 */
int block_admit(const struct block_list *l, const struct block *b, const struct block_prefix *never, uint32_t n_never, uint32_t limit,
		char *buf, size_t size);

/* Takes out what is over; calls @fn for each before. */
void block_expire(struct block_list *l, int64_t now_s, void (*fn)(void *arg, const struct block *b), void *arg);
int block_append(struct block_list *l, const struct block *b); /* -ENOMEM */
bool block_drop(struct block_list *l, uint32_t id);
struct block *block_find(const struct block_list *l, uint32_t id);

/* The state as JSON, and back: values are checked as if they had just been given. -EBADMSG. */
void block_state_write(const struct block_list *l, struct bw_buf *out);
int block_state_read(const char *text, size_t len, struct block_list *ret, char *why, size_t size);

/* ---- generated text: never contains a byte of a value that is not a letter or a digit, other than escaped ------------------ */

/* nft: the whole table "inet NAME", replaced in one transaction; also when nothing is blocked. */
void block_text_nft(const struct block_list *l, const char *table, int64_t now_s, struct bw_buf *out);
/*
 * Rules of a server. @login_header: where logins come from, NULL: HTTP Basic. @expires: servers that can look at the clock end a block
 * by themselves (HAProxy, ModSecurity). nginx: the file of the http context.
 */
void block_text_server(enum block_server_kind kind, const struct block_list *l, const char *login_header, struct bw_buf *out);
/* nginx: what each server {} has to include. */
void block_text_nginx_server(struct bw_buf *out);

#endif
