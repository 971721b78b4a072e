// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/probes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "api.skel.h"
#include "common/cleanup.h"
#include "guard/fail.h"

struct api_probes {
	struct api_bpf *skel;
	struct bw_api_conf *conf; /* shared with the kernel */
	struct bpf_link *sys_exit, *tcp_state, *exec;
	struct bpf_program *tls[API_PROBES];
	struct ring_buffer *execs;
	void (*on_exec)(void *arg, uint32_t tgid);
	void *on_exec_arg;
};

static const char *const tls_programs[API_PROBES] = {
	[API_PROBE_SSL_READ] = "bw_api_ssl_read",	    [API_PROBE_SSL_WRITE] = "bw_api_ssl_write",
	[API_PROBE_SSL_READ_EX] = "bw_api_ssl_read_ex",	    [API_PROBE_SSL_WRITE_EX] = "bw_api_ssl_write_ex",
	[API_PROBE_SSL_WRITE_EX2] = "bw_api_ssl_write_ex2", [API_PROBE_SSL_FREE] = "bw_api_ssl_free",
	[API_PROBE_BSSL_READ] = "bw_api_bssl_read",	    [API_PROBE_BSSL_WRITE] = "bw_api_bssl_write",
	[API_PROBE_BSSL_FREE] = "bw_api_bssl_free",	    [API_PROBE_GTLS_RECV] = "bw_api_gtls_recv",
	[API_PROBE_GTLS_SEND] = "bw_api_gtls_send",	    [API_PROBE_GTLS_FREE] = "bw_api_gtls_free",
	[API_PROBE_GO_READ] = "bw_api_go_read",		    [API_PROBE_GO_WRITE] = "bw_api_go_write",
	[API_PROBE_GO_RET] = "bw_api_go_ret",		    [API_PROBE_GO_CLOSE] = "bw_api_go_close",
};

static int on_exec(void *arg, void *data, size_t size)
{
	struct api_probes *p = arg;
	uint32_t tgid;

	if (size < sizeof(tgid) || !p->on_exec)
		return 0;
	memcpy(&tgid, data, sizeof(tgid));
	p->on_exec(p->on_exec_arg, tgid);
	return 0;
}

static int probes_load(struct api_probes *p, const struct api_limits *limits, char *why, size_t why_len)
{
	int cpus = libbpf_num_possible_cpus(), r;

	if (cpus < 0)
		return fail(cpus, why, why_len, "counting the CPUs: %s", strerror(-cpus));
	p->skel = api_bpf__open();
	if (!p->skel)
		return fail(-errno, why, why_len, "opening the API probes: %s", strerror(errno));
	r = bpf_map__set_max_entries(p->skel->maps.bw_api_ring, limits->ring_bytes);
	if (!r)
		r = bpf_map__set_max_entries(p->skel->maps.bw_api_scratch, BW_API_SLOTS * (uint32_t)cpus);
	if (!r)
		r = api_bpf__load(p->skel);
	if (r < 0)
		return fail(r, why, why_len, "loading the API probes: %s", strerror(-r));
	for (int i = 0; i < API_PROBES; i++) {
		p->tls[i] = bpf_object__find_program_by_name(p->skel->obj, tls_programs[i]);
		if (!p->tls[i])
			return fail(-ENOENT, why, why_len, "loading the API probes: no program %s", tls_programs[i]);
	}
	p->execs = ring_buffer__new(bpf_map__fd(p->skel->maps.bw_api_execs), on_exec, p, NULL);
	if (!p->execs)
		return fail(-errno, why, why_len, "opening bw_api_execs: %s", strerror(errno));
	p->conf = (struct bw_api_conf *)&p->skel->data_api->bw_api_conf;
	p->conf->call_bytes = limits->call_bytes;
	p->conf->conn_bytes = limits->conn_bytes;
	p->conf->cpu_bytes = limits->total_bytes / (uint32_t)cpus;
	p->conf->ring_bytes = limits->ring_bytes;
	p->conf->conn_calls = limits->conn_calls;
	/* A budget is a limit, never none. */
	p->conf->cpu_calls = limits->total_calls && limits->total_calls < (uint32_t)cpus ? 1 : limits->total_calls / (uint32_t)cpus;
	return 0;
}

int api_probes_open(const struct api_limits *limits, struct api_probes **ret, char *why, size_t why_len)
{
	struct api_probes *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return fail(-ENOMEM, why, why_len, "no memory");
	r = probes_load(p, limits, why, why_len);
	if (!r) {
		p->tcp_state = bpf_program__attach(p->skel->progs.bw_api_tcp_state);
		if (!p->tcp_state)
			r = fail(-errno, why, why_len, "attaching bw_api_tcp_state: %s", strerror(errno));
	}
	if (!r) {
		p->exec = bpf_program__attach(p->skel->progs.bw_api_exec);
		if (!p->exec)
			r = fail(-errno, why, why_len, "attaching bw_api_exec: %s", strerror(errno));
	}
	if (!r) {
		p->sys_exit = bpf_program__attach(p->skel->progs.bw_api_sys_exit);
		if (!p->sys_exit)
			r = fail(-errno, why, why_len, "attaching bw_api_sys_exit: %s", strerror(errno));
	}
	if (r < 0) {
		api_probes_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void api_probes_free(struct api_probes *p)
{
	if (!p)
		return;
	bpf_link__destroy(p->sys_exit);
	bpf_link__destroy(p->tcp_state);
	bpf_link__destroy(p->exec);
	ring_buffer__free(p->execs);
	api_bpf__destroy(p->skel);
	free(p);
}

int api_probes_ring_fd(const struct api_probes *p)
{
	return bpf_map__fd(p->skel->maps.bw_api_ring);
}

void api_probes_ignore(struct api_probes *p, unsigned int slot, pid_t tgid)
{
	if (slot < BW_API_MAX_IGNORED)
		p->conf->ignored[slot] = (uint32_t)tgid;
}

int api_probes_attach(struct api_probes *p, enum api_probe probe, int fd, uint64_t offset, bool ret, struct bpf_link *ret_links[2])
{
	LIBBPF_OPTS(bpf_uprobe_opts, entry);
	LIBBPF_OPTS(bpf_uprobe_opts, at_return, .retprobe = true);
	struct bpf_link *first = NULL;
	char path[40];
	int n = 0, r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* The return first: an entry without it would leave the thread in a call that never ends. */
	if (ret) {
		first = bpf_program__attach_uprobe_opts(p->skel->progs.bw_api_tls_ret, -1, path, offset, &at_return);
		if (!first)
			return -errno;
		ret_links[n++] = first;
	}
	ret_links[n] = bpf_program__attach_uprobe_opts(p->tls[probe], -1, path, offset, &entry);
	if (ret_links[n])
		return n + 1;
	r = -errno;
	bpf_link__destroy(first);
	return r;
}

void api_probes_detach(struct bpf_link *link)
{
	bpf_link__destroy(link);
}

void api_probes_execs(struct api_probes *p, void (*fn)(void *arg, uint32_t tgid), void *arg)
{
	p->on_exec = fn;
	p->on_exec_arg = arg;
	ring_buffer__consume(p->execs);
	p->on_exec = NULL;
}

int api_probes_stats(const struct api_probes *p, struct bw_api_stats *ret)
{
	_cleanup_free_ struct bw_api_stats *cpus = NULL;
	int n = libbpf_num_possible_cpus();
	uint32_t zero = 0;

	if (n < 0)
		return n;
	cpus = calloc((size_t)n, sizeof(*cpus));
	if (!cpus)
		return -ENOMEM;
	if (bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.bw_api_stats), &zero, cpus) < 0)
		return -errno;
	memset(ret, 0, sizeof(*ret));
	for (int i = 0; i < n; i++)
		for (int k = 0; k < BW_API_STAT_COUNT; k++)
			ret->v[k] += cpus[i].v[k];
	return 0;
}
