// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

static const char *log_program = "bpfwarden";
static enum bw_log_level log_max = BW_LOG_INFO;

void bw_log_init(const char *program, enum bw_log_level level)
{
	log_program = program;
	log_max = level;
}

enum bw_log_level bw_log_level(void)
{
	return log_max;
}

void bw_log(enum bw_log_level level, const char *fmt, ...)
{
	_cleanup_buf_ struct bw_buf b = { .max = 64 << 10 };
	int saved = errno;
	size_t start;
	va_list ap;

	if (level > log_max)
		return;
	if (getenv("JOURNAL_STREAM"))
		bw_buf_printf(&b, "<%d>", (int)level);
	bw_buf_printf(&b, "%s: %s", log_program, level == BW_LOG_WARNING ? "warning: " : "");
	start = b.len;
	va_start(ap, fmt);
	bw_buf_vprintf(&b, fmt, ap);
	va_end(ap);
	for (size_t i = start; i < b.len; i++) {
		unsigned char c = (unsigned char)b.data[i];

		if (c < 0x20 || c == 0x7f)
			b.data[i] = '?';
	}
	bw_buf_char(&b, '\n');
	fwrite(bw_buf_cstr(&b), 1, b.len, stderr);
	errno = saved;
}
