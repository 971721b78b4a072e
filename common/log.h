/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_LOG_H
#define BW_LOG_H
/*
 * Messages for people, on standard error, with a syslog priority prefix ("<3>") when it is the journal
 * (sd-daemon(3)). Control characters in the text are replaced, so that a name chosen by an attacker cannot forge lines.
 */
#include <stdbool.h>

enum bw_log_level {
	BW_LOG_ERR = 3,
	BW_LOG_WARNING = 4,
	BW_LOG_NOTICE = 5,
	BW_LOG_INFO = 6,
	BW_LOG_DEBUG = 7,
};

/* Sets the program name printed before each message, and the least severe level printed (default BW_LOG_INFO). */
void bw_log_init(const char *program, enum bw_log_level level);
enum bw_log_level bw_log_level(void);
void bw_log(enum bw_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define bw_err(...) bw_log(BW_LOG_ERR, __VA_ARGS__)
#define bw_warn(...) bw_log(BW_LOG_WARNING, __VA_ARGS__)
#define bw_notice(...) bw_log(BW_LOG_NOTICE, __VA_ARGS__)
#define bw_info(...) bw_log(BW_LOG_INFO, __VA_ARGS__)
#define bw_debug(...) bw_log(BW_LOG_DEBUG, __VA_ARGS__)

#endif
