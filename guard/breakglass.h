/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_BREAKGLASS_H
#define BW_GUARD_BREAKGLASS_H
/*
 * The way out of a policy that costs a host: "bpfwarden=off" on the kernel's command line, or a file that only root can make.
 */
#include <stdbool.h>
#include <stddef.h>

#define BREAKGLASS_FILE "/etc/bpfwarden/disabled"
#define BREAKGLASS_CMDLINE "/proc/cmdline"
#define BREAKGLASS_WORD "bpfwarden=off"

/* Is BREAKGLASS_WORD one of the words of @cmdline (which are separated by white space; quotes are not looked at)? Pure. */
bool breakglass_in_cmdline(const char *cmdline);

/*
 * True when the guard must not arm, with what says so in @why. A @file that does not belong to root or that others may
 * write is not heeded: @why then says that, and false is returned. @why is "" when there is nothing to say.
 */
bool breakglass_pulled(const char *cmdline_path, const char *file, char *why, size_t why_len);

/* Says it in the kernel's log, where the administrator of a host that did not come up looks. */
int breakglass_log(const char *message);

#endif
