/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_PROBES_H
#define BW_GUARD_API_PROBES_H
/*
 * The API probes in the kernel: loads bpf/api/, attaches them, hands out their ring buffer and counters. Belongs to the privileged
 * parent. Programs and maps are named bw_api_*: docs/api-capture.md.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/api.h"
#include "guard/api/sites.h"

struct api_limits {
	uint32_t call_bytes;  /* of one call that are copied; at most BW_API_DATA_MAX */
	uint64_t conn_bytes;  /* per second of one connection */
	uint64_t total_bytes; /* per second, over all */
	uint32_t ring_bytes;  /* a power of two */
	uint32_t conn_calls;  /* requests per second of one connection; 0: any number */
	uint32_t total_calls; /* over all; 0: any number */
};

#define API_DEFAULT_CALL_BYTES BW_API_DATA_MAX
#define API_DEFAULT_CONN_BYTES (32ull << 20)
#define API_DEFAULT_TOTAL_BYTES (256ull << 20)
#define API_DEFAULT_RING_BYTES (16u << 20)

struct api_probes;
struct bpf_link;

/* Loads and attaches the probes on sockets. On failure a negative errno and one line in @why. */
int api_probes_open(const struct api_limits *limits, struct api_probes **ret, char *why, size_t why_len);
void api_probes_free(struct api_probes *p);

int api_probes_ring_fd(const struct api_probes *p);
/* Process @tgid is not looked at: slot @slot, below BW_API_MAX_IGNORED. */
void api_probes_ignore(struct api_probes *p, unsigned int slot, pid_t tgid);
/*
 * Attaches a probe to @offset of the file behind descriptor @fd, in all processes; with @ret to the return as well. The links
 * (one or two) go to @ret_links; release them with api_probes_detach(). Returns their number or a negative errno.
 */
int api_probes_attach(struct api_probes *p, enum api_probe probe, int fd, uint64_t offset, bool ret, struct bpf_link *ret_links[2]);
void api_probes_detach(struct bpf_link *link);
/* Calls @fn for each process that has begun to run another program since the last call. */
void api_probes_execs(struct api_probes *p, void (*fn)(void *arg, uint32_t tgid), void *arg);

/* Sums the per-CPU counters. */
int api_probes_stats(const struct api_probes *p, struct bw_api_stats *ret);

#endif
