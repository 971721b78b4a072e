/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_AUDITOR_EXPOSURE_HOST_H
#define BW_AUDITOR_EXPOSURE_HOST_H
/* What the exposure join needs to know of this host: reads /proc and /sys/fs/cgroup. */
#include <limits.h>

#include "auditor/exposure.h"

#define EXPOSURE_MAX_SERVICES 4096u /* processes that are looked at */
#define EXPOSURE_MAX_FILES 1024u    /* mapped as code, of one process */

struct exposure_host {
	struct exposure_service *services;
	uint32_t n_services;
	uint64_t own_netns; /* this process' */
	char cgroup_root[PATH_MAX]; /* "": there are no cgroups of version 2 */
	bool truncated;	    /* there are more processes, or files, than the limits */
};

/* The processes that serve or call an endpoint with personal data. -ENOMEM; processes that end meanwhile are left out. */
int exposure_host_read(const struct api_data *data, struct exposure_host *ret);
void exposure_host_free(struct exposure_host *h);

/* Fills in the numbers behind a place's names. */
void exposure_host_locate(const struct exposure_host *h, struct exposure_point *p);

/* To whom each reader is connected right now (TCP, beyond loopback). -ENOMEM. */
int exposure_host_connections(struct exposure_report *r);

/* The function of @path that @offset (in the file) lies in; parsed in the sandbox. "" when that is not known. */
void exposure_symbol(const char *path, uint64_t offset, char *name, size_t size);

#endif
