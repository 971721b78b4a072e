/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_DELIVER_H
#define BW_DELIVER_H
/*
 * The delivery process: reads the spool, talks to the receivers. A worker without privileges (guard/privsep.h): no BPF, no
 * capability; network, the spool to read, a directory of its own to write. A thread a sink, so that none waits for another.
 *
 * STATE/spool/		0700: nobody else gets below it
 *	events/		segments, written by the guard, read by this process
 *	api/		segments, written by the worker that reads API traffic (guard/api/export.h), read by this process
 *	deliver/	this process's: NAME.cursor, dead-letter.jsonl, status.json, metrics.prom
 */
#include "guard/privsep.h"
#include "guard/sinks/config.h"

#define DELIVER_EVENTS "spool/events"
#define DELIVER_API "spool/api"
#define DELIVER_OWN "spool/deliver"
#define DELIVER_MAX_DEAD (64u << 20) /* bytes of dead letters; then they are counted only */

/* From the process to the guard, on "requests"; no answer. A line of JSON: {"sink":..., "event":..., "message":..., ...} */
enum deliver_note { DELIVER_NOTE = 1, DELIVER_NOTES };
extern const struct privsep_form deliver_forms[DELIVER_NOTES];

struct deliver_job {
	const struct sinks_config *config;
	int state_fd;  /* the state directory */
	int stdout_fd; /* for sinks of that type, -1: none */
	/* private */
	struct privsep_profile profile;
	struct bw_lock_path paths[32];
	struct privsep_job job;
	char names[32][32];
	int keep[2];
};

/* Fills the job for privsep_spawn(). @j must stay. */
int deliver_prepare_job(struct deliver_job *j);

#endif
