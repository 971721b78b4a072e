// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/caps.h"

#include <sys/capability.h>
#include <sys/prctl.h>

#include "common/cleanup.h"

#define MAX_CAPS 64

static void cap_freep(cap_t *c)
{
	if (*c)
		cap_free(*c);
}

#define _cleanup_cap_ BW_CLEANUP(cap_freep)

static int set_flags_to(cap_t caps, cap_flag_t flag, uint64_t mask, cap_flag_value_t to)
{
	for (cap_value_t c = 0; c < MAX_CAPS; c++)
		if (mask & BW_CAP(c) && cap_set_flag(caps, flag, 1, &c, to) < 0)
			return -errno;
	return 0;
}

static int set_flags(cap_t caps, cap_flag_t flag, uint64_t mask)
{
	return set_flags_to(caps, flag, mask, CAP_SET);
}

static uint64_t flags_of(cap_t caps, cap_flag_t flag)
{
	cap_flag_value_t on;
	uint64_t mask = 0;

	for (cap_value_t c = 0; c < MAX_CAPS && cap_get_flag(caps, c, flag, &on) == 0; c++)
		if (on == CAP_SET)
			mask |= BW_CAP(c);
	return mask;
}

int bw_caps_limit(uint64_t permitted, uint64_t effective)
{
	_cleanup_cap_ cap_t now = cap_get_proc(), want = cap_init();
	int bound, r;

	if (!now || !want)
		return -ENOMEM;
	permitted &= flags_of(now, CAP_PERMITTED);
	/* Without CAP_SETPCAP the bounding set stays; with no_new_privs and no capability to pass on it gives nothing. */
	for (int c = 0; c < MAX_CAPS && (bound = prctl(PR_CAPBSET_READ, c)) >= 0; c++)
		if (bound && prctl(PR_CAPBSET_DROP, c) < 0 && errno != EPERM)
			return -errno;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
	r = set_flags(want, CAP_PERMITTED, permitted);
	if (!r)
		r = set_flags(want, CAP_EFFECTIVE, permitted & effective);
	if (!r && cap_set_proc(want) < 0)
		r = -errno;
	return r;
}

int bw_caps_raise(uint64_t caps)
{
	_cleanup_cap_ cap_t now = cap_get_proc();
	int r;

	if (!now)
		return -ENOMEM;
	r = set_flags(now, CAP_EFFECTIVE, caps);
	return !r && cap_set_proc(now) < 0 ? -errno : r;
}

int bw_caps_lower(uint64_t caps)
{
	_cleanup_cap_ cap_t now = cap_get_proc();
	int r;

	if (!now)
		return -ENOMEM;
	r = set_flags_to(now, CAP_EFFECTIVE, caps, CAP_CLEAR);
	return !r && cap_set_proc(now) < 0 ? -errno : r;
}

uint64_t bw_caps_effective(void)
{
	_cleanup_cap_ cap_t now = cap_get_proc();

	return now ? flags_of(now, CAP_EFFECTIVE) : 0;
}
