/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_EXPOSURE_H
#define BW_EXPOSURE_H
/*
 * Which APIs with personal data can a BPF program observe from where it is attached? The join of the catalogue (api_store.h)
 * with places of programs: pure, shared by the guard (which knows a place, and nothing of the processes) and by
 * bpfwarden exposure (which knows both). docs/exposure.md.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/api_store.h"

/* ---- where a program is -------------------------------------------------------------------------------------------- */

enum exposure_place {
	EXPOSURE_AT_NOTHING,   /* not attached, or to what no API's data passes */
	EXPOSURE_AT_FILE,      /* a uprobe on a library or an executable */
	EXPOSURE_AT_KERNEL,    /* runs for every process: tracepoints, kprobes, fentry, LSM, perf events */
	EXPOSURE_AT_INTERFACE, /* XDP, tc, tcx, netkit */
	EXPOSURE_AT_CGROUP,
	EXPOSURE_AT_NETNS,     /* all of a network namespace: flow dissector, socket lookup, netfilter */
	EXPOSURE_AT_SOCKETS,   /* sockets that somebody chose: socket maps, socket filters */
	EXPOSURE_AT_MAP,       /* in a map of programs: called by others (tail calls, devmap) */
	EXPOSURE_PLACES
};

struct exposure_point {
	enum exposure_place place;
	const char *text;  /* for people: "uprobe /usr/lib/libssl.so.3+0x1234"; borrowed */
	const char *name;  /* of the file, function, interface, cgroup's path: inside the text, not terminated */
	size_t name_len;
	uint64_t offset;   /* FILE: of the probed instruction, in the file; 0: not known */
	uint64_t dev, ino; /* FILE: 0 not known. To be filled in by who can ask */
	uint64_t netns;	   /* INTERFACE, NETNS: inode number; 0: the host's, or not known */
	uint64_t cgroup;   /* CGROUP: its id; 0: not known. MAP, SOCKETS: the map's */
	bool any_netns;	   /* nothing says in which namespace */
};

/*
 * Reads what the inventory says of an attachment (common/inventory/: "xdp eth0", "uprobe /lib/x.so+0x10", "cgroup_inet_ingress
 * /a.slice"). What is not known is EXPOSURE_AT_KERNEL: it may see everything.
 */
void exposure_point_read(const char *text, struct exposure_point *ret);

/* ---- whose data passes there ------------------------------------------------------------------------------------------ */

struct exposure_file {
	uint64_t dev, ino;
	const char *path;
};

/* A running process that serves or calls an API. */
struct exposure_service {
	uint32_t pid;
	const char *exe, *comm;
	const struct exposure_file *files; /* what it has mapped as code; the first one is its executable */
	uint32_t n_files;
	const uint64_t *cgroups; /* its own and all above it, by id */
	uint32_t n_cgroups;
	uint64_t netns; /* 0: not known */
};

/* How the guard got at an API's bytes: that is where others get at them as well. */
enum {
	EXPOSURE_CLEAR = 1u << 0,    /* in clear text through system calls and the network */
	EXPOSURE_OPENSSL = 1u << 1,
	EXPOSURE_GNUTLS = 1u << 2,
	EXPOSURE_STATIC_TLS = 1u << 3, /* TLS inside the executable: Go, BoringSSL */
	EXPOSURE_LOOPBACK = 1u << 4,   /* seen inside the host */
	EXPOSURE_REMOTE = 1u << 5,     /* seen with another host */
};

/* An endpoint with personal data. */
struct exposure_api {
	const struct api_endpoint *endpoint; /* borrowed */
	uint32_t ways;		/* the above */
	uint32_t *services;	/* indexes in the world's; owned */
	uint32_t n_services;
	bool absent;		/* none of its processes runs, or they are not looked for */
};

struct exposure_world {
	struct exposure_api *apis; /* in the order of the catalogue */
	uint32_t n_apis;
	const struct exposure_service *services; /* borrowed */
	uint32_t n_services;
	bool no_services; /* nobody looked: match by name what can be matched by name, and take the rest for possible */
};

/*
 * The endpoints of @data that carried personal data, joined with the processes that served or called them. @services NULL: nobody
 * looked. @data and @services must outlive the result. -ENOMEM.
 */
int exposure_world(const struct api_data *data, const struct exposure_service *services, uint32_t n_services, struct exposure_world *ret);
void exposure_world_free(struct exposure_world *w);

/* Whether @exe is one that an endpoint with personal data names: its processes are worth looking at. */
bool exposure_concerns(const struct api_data *data, const char *exe);

/* ---- what is seen from there -------------------------------------------------------------------------------------------- */

/* What a program takes in and hands on, by its analysis. */
enum {
	EXPOSURE_READS_MEMORY = 1u << 0, /* of processes */
	EXPOSURE_READS_CALLS = 1u << 1,	 /* what goes through system calls */
	EXPOSURE_READS_PACKETS = 1u << 2, /* their payload */
	EXPOSURE_READS_KERNEL = 1u << 3, /* kernel memory, nothing better known */
	EXPOSURE_READS_UNKNOWN = 1u << 4, /* it could not be analysed in full, or was not */
};

/* In rising order. */
enum exposure_level {
	EXPOSURE_NONE,	     /* the data does not pass there */
	EXPOSURE_PLACED,     /* it does, and nothing of it was found to be taken */
	EXPOSURE_CIPHERTEXT, /* taken, but encrypted there */
	EXPOSURE_MAY,	     /* what is taken there is not known */
	EXPOSURE_TAKES,	     /* taken in clear text, and handed on */
	EXPOSURE_LEVELS
};

enum exposure_level exposure_judge(const struct exposure_world *w, const struct exposure_api *a, const struct exposure_point *p, uint32_t reads);

const char *exposure_place_name(enum exposure_place p); /* "file", "kernel", "interface", ... */
const char *exposure_level_name(enum exposure_level l); /* "takes", ... */

#endif
