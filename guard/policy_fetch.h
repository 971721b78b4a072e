/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_POLICY_FETCH_H
#define BW_GUARD_POLICY_FETCH_H
/*
 * A policy from a URL: a process without privileges (guard/privsep.h) talks to the server and hands back bytes. Parent:
 * policy_fetch.c; process: policy_fetch_child.c.
 */
#include <stddef.h>
#include <stdint.h>

#include "guard/privsep.h"

#define FETCH_MAX_ETAG 256u
#define FETCH_MAX_WHY 512u

/* All strings belong to the caller and outlive what is made with them. */
struct fetch_conf {
	const char *url;		/* of the policy: https; the signature is there with .p7s behind it */
	const char *ca, *cert, *key;	/* PEM files; NULL: the system's authorities, no certificate of our own */
	uint64_t timeout_ms, max_bytes; /* of one transfer */
	int want_signature;
};

/* ---- between the two: one request, one answer ---- */

enum fetch_note { FETCH_NOTE_GO = 1, FETCH_NOTES }; /* payload: the ETag that is known, without NUL */
enum fetch_request {
	FETCH_GOT = 1, /* struct fetch_got, ETag; descriptor: policy, then signature */
	FETCH_SAME,    /* nothing has changed */
	FETCH_FAILED,  /* why, without NUL */
	FETCH_REQUESTS
};

struct fetch_got {
	uint64_t len, signature_len;
};

extern const struct privsep_form fetch_notes[FETCH_NOTES];
extern const struct privsep_form fetch_requests[FETCH_REQUESTS];

/* What runs in the process. @arg: struct fetch_conf. */
int fetch_prepare(void *arg);
int fetch_run(void *arg, const struct privsep_channels *ch);

/* ---- for the parent ---- */

struct policy_fetch;

struct fetch_ops {
	/* Both texts are malloc()ed and become the callee's. */
	void (*got)(void *arg, char *text, size_t len, char *signature, size_t signature_len, const char *etag);
	void (*same)(void *arg);
	void (*failed)(void *arg, const char *why); /* printable */
	void *arg;
};

int policy_fetch_open(const struct fetch_conf *conf, const struct fetch_ops *ops, struct policy_fetch **ret);
void policy_fetch_close(struct policy_fetch *f); /* NULL is fine */
/* Fetches, unless that goes on already. @etag: what is known, "" for nothing. The answer comes from policy_fetch_tick(). */
void policy_fetch_go(struct policy_fetch *f, const char *etag);
/* Starts the process anew before the next fetch: certificates are read again. */
void policy_fetch_renew(struct policy_fetch *f);
void policy_fetch_tick(struct policy_fetch *f);

#endif
