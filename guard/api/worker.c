// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/worker.h"

#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "common/cleanup.h"
#include "guard/api/capture.h"
#include "guard/loop.h"

#define SECOND 1000000000ULL
/* The ring buffer is looked at this often even when nobody was woken. */
#define LOOK_NS (SECOND / 50)
#define IDLE_NS (600 * SECOND) /* a connection without bytes for so long is forgotten */

struct api_worker {
	const struct api_worker_config *config;
	/* Of the process only: */
	struct ring_buffer *ring;
	struct api_capture *capture;
	struct loop *loop;
	uint64_t looks;
};

struct api_worker_report *api_worker_report_map(void)
{
	void *p = mmap(NULL, sizeof(struct api_worker_report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void api_worker_report_unmap(struct api_worker_report *r)
{
	if (r)
		munmap(r, sizeof(*r));
}

static uint64_t boot_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

static void on_chunk(void *arg, const struct api_chunk *chunk)
{
}

/* libbpf calls this for each record; anything but 0 would stop the draining. What is wrong with a record is counted. */
static int on_record(void *arg, void *data, size_t size)
{
	struct api_worker *w = arg;

	api_capture_record(w->capture, data, size);
	return 0;
}

static void report(struct api_worker *w)
{
	const struct api_capture_stats *s = api_capture_stats(w->capture);

	*w->config->report = (struct api_worker_report){
		.beat = w->looks,
		.records = s->records,
		.undecodable = s->undecodable,
		.chunks = s->chunks,
		.bytes = s->bytes,
		.late = s->late,
		.unknown_conn = s->unknown_conn,
		.evicted = s->evicted,
		.conns = s->conns,
	};
}

static int on_ring(void *arg, int fd, uint32_t events)
{
	struct api_worker *w = arg;

	ring_buffer__consume(w->ring);
	return 0;
}

static int on_look(void *arg, uint64_t expirations)
{
	struct api_worker *w = arg;
	uint64_t now;

	ring_buffer__consume(w->ring);
	if (++w->looks % (SECOND / LOOK_NS) == 0) {
		now = boot_ns();
		if (now > IDLE_NS)
			api_capture_expire(w->capture, now - IDLE_NS);
	}
	report(w);
	return 0;
}

/* The parent tells nothing: its end is what this waits for. */
static int on_notes(void *arg, int fd, uint32_t events)
{
	struct api_worker *w = arg;

	loop_quit(w->loop, 0);
	return 0;
}

/* Still with the parent's privileges: before 5.19 asking for a map's size takes CAP_BPF. */
static int prepare(void *arg)
{
	struct api_worker *w = arg;

	w->ring = ring_buffer__new(w->config->ring_fd, on_record, w, NULL);
	return w->ring ? 0 : -errno;
}

static int run(void *arg, const struct privsep_channels *ch)
{
	struct api_worker *w = arg;
	int r;

	r = api_capture_new(0, on_chunk, w, &w->capture);
	if (!r)
		r = loop_open(&w->loop);
	if (!r)
		r = loop_add_fd(w->loop, ring_buffer__epoll_fd(w->ring), EPOLLIN, on_ring, w, NULL);
	if (!r)
		r = loop_add_fd(w->loop, ch->notes, EPOLLIN, on_notes, w, NULL);
	if (!r)
		r = loop_add_timer(w->loop, LOOK_NS, LOOK_NS, on_look, w, NULL);
	if (!r)
		r = loop_run(w->loop);
	if (!r) {
		ring_buffer__consume(w->ring);
		report(w);
	}
	return r;
}

int api_worker_new(const struct api_worker_config *config, struct api_worker **ret)
{
	struct api_worker *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->config = config;
	*ret = w;
	return 0;
}

void api_worker_free(struct api_worker *w)
{
	free(w);
}

int api_worker_spawn(struct api_worker *w, struct privsep_worker *process)
{
	static const struct privsep_profile profile = { .name = "api", .calls = BW_CALLS_FILES | BW_CALLS_EVENTS };
	struct privsep_job job = {
		.profile = &profile,
		.root = w->config->state_dir,
		.keep = &w->config->ring_fd,
		.n_keep = 1,
		.prepare = prepare,
		.run = run,
		.arg = w,
	};

	privsep_user(&job.uid, &job.gid);
	return privsep_spawn(&job, process);
}
