/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SPOOLER_H
#define BW_SPOOLER_H
/* What the guard's worker does for delivery: holds back noise, writes events into the spool, and looks after it. */
#include "common/json.h"
#include "guard/alert.h"
#include "guard/sinks/config.h"

struct spooler;

/* An event of the guard's own; never called from within spooler_publish(). Strings and @kv are borrowed. */
typedef void (*spooler_say_fn)(void *arg, const char *event, enum alert_severity severity, const struct alert_kv *kv, const char *text);

/* @state: path of the state directory, as this process sees it. @config must outlive it. Negative errno. All of these take NULL. */
int spooler_open(const struct sinks_config *config, const char *state, spooler_say_fn say, void *arg, struct spooler **ret);
/* Before it, so that what it says can still be published: summaries of all that has been held back. */
void spooler_finish(struct spooler *d);
void spooler_close(struct spooler *d);
/* Other settings of noise control: what the old ones held back is told first. Takes @c over. Negative errno: the old ones stay. */
int spooler_set_noise(struct spooler *d, struct noise_config *c);
/* Noise control may hold it back: then it is counted, and a summary tells of it. */
void spooler_publish(struct spooler *d, const struct alert *a);
/* Hands to the kernel what was published: after each drain of the rings. */
void spooler_flush(struct spooler *d);
/* Call it a few times a second. */
void spooler_tick(struct spooler *d);
/* The lowest and the highest cursor of the sinks that read the one spool or the other; UINT64_MAX and 0: there are none. @own_fd: DELIVER_OWN. */
void spooler_cursors(const struct sinks_config *c, int own_fd, bool api, uint64_t *ret_low, uint64_t *ret_high);
/* Members of the object that is open in @j. */
void spooler_status(const struct spooler *d, struct bw_json *j);
/* Is there such a sink of events? */
bool spooler_has_sink(const struct spooler *d, const char *name);
/* The number that the latest published event has in the spool. */
uint64_t spooler_last(const struct spooler *d);

#endif
