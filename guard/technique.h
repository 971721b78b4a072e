/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_TECHNIQUE_H
#define BW_GUARD_TECHNIQUE_H
/*
 * Which known technique of attack an attachment looks like, from what the kernel side knows: the helpers of the program, where
 * it goes, by which way, who. A remark that raises the severity; many a tool does the same for good reasons, so nothing is
 * refused because of it. Pure.
 */
#include <stdbool.h>
#include <stdint.h>

#include "guard/decode.h"

struct technique_context {
	const char *target;	    /* attach_view.target, without its kind */
	unsigned int filter;	    /* enum classic_finding */
	bool other_namespaces;	    /* the loader is in another PID, mount or user namespace than the guard */
	bool owner;		    /* who acts on a link or a map made it; or who did is not known */
};

struct technique {
	const char *id;	 /* "T07" */
	const char *what; /* for people, one sentence */
	uint8_t severity; /* enum alert_severity */
};

/* NULL: none. The first that fits. */
const struct technique *technique_find(const struct decode_attach *a, const struct technique_context *c);

#endif
