// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"

void settings_init(struct settings *p, const struct config *config)
{
	*p = (struct settings){ .config = config, .sinks = config->sinks };
}

static void forget_noise(struct settings *p)
{
	if (p->own_noise)
		noise_config_free(&p->sinks.noise);
	free(p->noise);
	p->noise = NULL;
	p->own_noise = false;
}

void settings_free(struct settings *p)
{
	forget_noise(p);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Takes noise control out of @fresh. The memory file, or a negative errno with everything as it was. */
static int take_noise(struct settings *p, struct config *fresh)
{
	const char *text = fresh->noise ? fresh->noise : "";
	_cleanup_close_ int fd = memfd_create("bw-noise", MFD_CLOEXEC);
	char *kept = strdup(text);

	if (fd < 0 || !kept || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
		int r = fd < 0 ? -errno : kept ? -EIO : -ENOMEM;

		free(kept);
		return r;
	}
	forget_noise(p);
	p->noise = kept;
	p->own_noise = true;
	p->sinks.noise = fresh->sinks.noise;
	fresh->sinks.noise = (struct noise_config){ 0 };
	return TAKE_FD(fd);
}

int settings_reload(struct settings *p, settings_say_fn say, void *arg)
{
	const char *path = p->config->file, *noise = p->own_noise ? p->noise : p->config->noise ? p->config->noise : "";
	struct config fresh = { 0 };
	char why[1024], text[1200];
	int fd = -1, r = config_read(path, &fresh, why, sizeof(why));

	if (r == -ENOENT && !p->config->others)
		return -1; /* there was none at the start either */
	if (r < 0) {
		snprintf(text, sizeof(text), "%s; the settings stay as they are", why);
		say(arg, "settings_refused", ALERT_HIGH, path, text);
		return -1;
	}
	if (!same_text(p->config->others, fresh.others)) {
		snprintf(text, sizeof(text), "%s has changed: but for \"noise\" that takes effect when the guard is started again", path);
		say(arg, "settings_pending", ALERT_LOW, path, text);
	}
	if (p->sinks.n && strcmp(noise, fresh.noise ? fresh.noise : "")) {
		fd = take_noise(p, &fresh);
		if (fd < 0)
			snprintf(text, sizeof(text), "%s: noise control cannot be set: %s; the settings stay as they are", path, strerror(-fd));
		else
			snprintf(text, sizeof(text), "noise control has the settings that %s has now", path);
		say(arg, fd < 0 ? "settings_refused" : "noise_set", fd < 0 ? ALERT_HIGH : ALERT_INFO, path, text);
	}
	config_free(&fresh);
	return fd < 0 ? -1 : fd;
}
