// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>

#include "auditor/diag.h"

int bw_diag_set(struct bw_diag *d, int err, const char *file, const char *place, uint64_t offset, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return err;
	snprintf(d->file, sizeof(d->file), "%s", file ? file : "");
	snprintf(d->place, sizeof(d->place), "%s", place ? place : "");
	d->offset = offset;
	va_start(ap, fmt);
	vsnprintf(d->reason, sizeof(d->reason), fmt, ap);
	va_end(ap);
	return err;
}

const char *bw_diag_text(const struct bw_diag *d, char *buf, size_t size)
{
	char at[32] = "";

	if (d->offset != BW_DIAG_NO_OFFSET)
		snprintf(at, sizeof(at), "+0x%llx", (unsigned long long)d->offset);
	snprintf(buf, size, "%s%s%s%s: %s", d->file, d->place[0] || at[0] ? ": " : "", d->place, at, d->reason);
	for (char *p = buf; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return buf;
}
