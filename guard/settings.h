/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SETTINGS_H
#define BW_SETTINGS_H
/*
 * What of the settings is read again while the guard runs: noise control, which changes from day to day. The rest holds from the start on.
 */
#include "guard/alert.h"
#include "guard/config.h"

struct settings {
	const struct config *config; /* of the start */
	struct sinks_config sinks;   /* as there, but for what noise control is now */
	char *noise;		     /* since then: its settings as JSON; "": none */
	bool own_noise;		     /* they are those, not those of @config */
};

typedef void (*settings_say_fn)(void *arg, const char *event, enum alert_severity severity, const char *file, const char *text);

void settings_init(struct settings *p, const struct config *config);
void settings_free(struct settings *p);
/*
 * Reads the file again, and says what has become of it. Returns a memory file with the settings of noise control (nothing: there are none), for
 * NOTE_NOISE, when these have changed; else -1.
 */
int settings_reload(struct settings *p, settings_say_fn say, void *arg);

#endif
