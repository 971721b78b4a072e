/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_WORKER_H
#define BW_GUARD_WORKER_H
/*
 * The core worker (guard/privsep.h): decodes what the kernel reports, explains it, keeps the store, feeds the output and serves the
 * control socket, without a privilege.
 */
#include "guard/alert.h"
#include "guard/enforce.h"
#include "guard/ledger.h"
#include "guard/privsep.h"

/* What it takes from the guard's memory when it starts. Borrowed. */
struct worker_setup {
	int alerts, events;   /* ring buffers */
	int listening;	      /* of the control socket */
	int output;	      /* lines_target(); -1: none */
	const struct enforce *enforce; /* for names in the kernel's BTF */
	struct alert_context context;
	enum bw_tier tier;
	const char *mechanism, *tier_reason, *identity;
	const char *store_name; /* path of the event store, for messages */
	uint64_t retention_rows, retention_days;
	const struct sinks_config *sinks; /* NULL: none */
	bool adopted;
	pid_t guard; /* the parent */
	struct ledger_namespaces namespaces; /* the guard's */
};

extern const struct privsep_profile worker_profile;

/* For struct privsep_job; @arg is a struct worker_setup. */
int worker_prepare(void *arg);
int worker_run(void *arg, const struct privsep_channels *ch);

#endif
