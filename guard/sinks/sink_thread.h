/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SINK_THREAD_H
#define BW_SINK_THREAD_H
/* The loop that all sinks share: read, filter, format, send, try again, advance. Private to the delivery process. */
#include "guard/sinks/sink.h"

struct deliver {
	const struct sinks_config *config;
	struct sink sinks[SINKS_MAX];
	size_t n;
	int events_fd, api_fd, own_fd, dead_fd, stop_fd;
	int notes; /* to the guard */
	atomic_bool stopping;
	pthread_mutex_t dead_lock, note_lock;
	atomic_uint_fast64_t dead_bytes, dead_lost;
};

void sink_thread_start(struct sink *s);
void sink_thread_join(struct sink *s);

#endif
