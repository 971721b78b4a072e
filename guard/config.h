/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_CONFIG_H
#define BW_GUARD_CONFIG_H
/*
 * The daemon's settings: defaults, then a JSON file (docs/config.md), then the command line.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "guard/api/api.h"
#include "guard/sinks/config.h"

#define CONFIG_MAX_SIZE (1u << 20) /* of the file */
#define CONFIG_STATE_DIR "/var/lib/bpfwarden"
#define CONFIG_SOCKET "/run/bpfwarden/guard.sock"
#define CONFIG_FILE "/etc/bpfwarden/guard.json"
#define CONFIG_POLICY "/etc/bpfwarden/policy.json"
#define CONFIG_FETCH_INTERVAL_S 300u
#define CONFIG_FETCH_TIMEOUT_MS 30000u
#define CONFIG_FETCH_MAX_INTERVAL_S (7u * 86400)
#define CONFIG_FETCH_MAX_TIMEOUT_MS 600000u
#define CONFIG_POLICY_SHIPPED "/usr/share/bpfwarden/rules/observe.json"

struct config {
	const char *file; /* that it was read from, borrowed */
	enum bw_mode mode;
	char *policy, *state_dir, *socket, *output, *pin_dir, *features; /* owned; NULL: not set */
	char *policy_trust;	/* certificates of those who may sign policies; NULL: policies need no signature */
	char *policy_signature; /* NULL: the policy's path and .p7s */
	uint64_t policy_signers; /* so many of them are needed; 0: one */
	bool policy_watch;	/* read it when it changes */
	struct policy_fetch_config {
		char *url, *ca, *cert, *key; /* url NULL: policies come from a file */
		uint64_t interval_s, timeout_ms, max_bytes; /* 0: the default */
	} policy_fetch;
	uint64_t retention_rows;
	uint64_t retention_days;
	bool protect_self;
	struct api_config api;
	struct sinks_config sinks;
	char *noise, *others; /* the member "noise" (NULL: none) and the rest of the file, as JSON: to see what has changed */
};

/*
 * Reads @path into @c, over what is there. On failure a negative errno, @c untouched, and one line in @why: "FILE:LINE:COL: FIELD: reason".
 */
int config_read(const char *path, struct config *c, char *why, size_t why_len);
/* "observe", "protect", "enforce". -EINVAL for another word. */
int config_mode(const char *name, enum bw_mode *ret);
const char *config_mode_name(enum bw_mode mode);
/* Replaces a string setting. -ENOMEM. */
int config_set(char **setting, const char *value);
void config_free(struct config *c);
/* NULL, or what is wrong with settings that are right each for itself: "KEY: reason". */
const char *config_check(const struct config *c);

#endif
