/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_AUDITOR_EXPOSURE_H
#define BW_AUDITOR_EXPOSURE_H
/*
 * The join of what is loaded (common/inventory/) with the APIs that carry personal data (common/exposure.h): for each program where
 * it is, what it takes, who reads its maps, and for each API which programs observe it.
 */
#include "common/exposure.h"
#include "common/inventory/inventory.h"

#define EXPOSURE_MAX_OBSERVERS (1u << 20) /* of all APIs; more: the report is incomplete */
#define EXPOSURE_MAX_READERS 4096u
#define EXPOSURE_MAX_CONNECTIONS 16u /* shown of one process */

/* Who can read what a program collects. */
struct exposure_reader {
	uint32_t pid;
	const char *comm, *exe; /* "" when not known */
	bool now;	  /* it holds a descriptor; else it was seen reading */
	uint32_t *maps;	  /* ids, owned */
	uint32_t n_maps;
	char **connections; /* "203.0.113.7:443"; owned */
	uint32_t n_connections;
};

struct exposure_program {
	const struct inv_object *prog;
	struct exposure_point *points;
	uint32_t n_points;
	uint32_t reads;
	bool own;	/* the guard's */
	const char *approval; /* NULL: no policy to ask */
	enum exposure_level level; /* the highest of any API */
	struct exposure_reader *readers;
	uint32_t n_readers;
};

struct exposure_observer {
	uint32_t api, program; /* indexes */
	const struct exposure_point *point; /* from where it sees most */
	enum exposure_level level;
};

struct exposure_report {
	struct exposure_world world;
	struct exposure_program *programs; /* those that observe something */
	uint32_t n_programs;
	struct exposure_observer *observers; /* by API, then program */
	uint32_t n_observers, cap_observers;
	bool incomplete;
};

/* Somebody was seen using a map: an access event. Strings borrowed. */
struct exposure_access {
	uint32_t map, pid;
	const char *comm, *exe;
};

struct exposure_input {
	const struct api_data *data;
	const struct inventory *inv;
	const struct exposure_service *services; /* see exposure_world() */
	uint32_t n_services;
	const uint32_t *own_pids; /* the guard's processes */
	uint32_t n_own_pids;
	const struct exposure_access *accesses;
	uint32_t n_accesses;
	bool everything; /* keep also what takes nothing (EXPOSURE_PLACED) */
	/* Fills in what only the host knows of a place (dev, ino, cgroup). */
	void (*locate)(void *arg, struct exposure_point *p);
	/* What a program takes: EXPOSURE_READS_*. Asked only about programs past which an API's data goes. */
	uint32_t (*reads)(void *arg, const struct inv_object *prog, const struct exposure_point *p);
	const char *(*approval)(void *arg, const struct inv_object *prog);
	void *arg;
};

/* No I/O of its own. -ENOMEM. The input must outlive the report. */
int exposure_join(const struct exposure_input *in, struct exposure_report *ret);
void exposure_report_free(struct exposure_report *r);

/* It counts: takes (or may take) personal data, is not the guard's own, and nobody approved it. */
bool exposure_alarming(const struct exposure_program *p);

/* rules/schema/exposure-v1.schema.json, and tables for people. @notes: @n texts. Errors stick to @out. */
void exposure_report_json(const struct exposure_report *r, char *const *notes, uint32_t n_notes, struct bw_buf *out);
void exposure_report_table(const struct exposure_report *r, char *const *notes, uint32_t n_notes, struct bw_buf *out);

#endif
