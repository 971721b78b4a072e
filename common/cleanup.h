/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_CLEANUP_H
#define BW_CLEANUP_H
/*
 * Scope cleanup and ownership stealing. A variable marked with one of the _cleanup_*_ attributes is released when it
 * goes out of scope; TAKE_PTR/TAKE_FD hand it on after the last step that can fail. "No descriptor" is -1.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BW_CLEANUP(fn) __attribute__((cleanup(fn)))

static inline void bw_freep(void *p)
{
	free(*(void **)p);
}

static inline void bw_closep(const int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		close(*fd);
		errno = saved;
	}
}

static inline void bw_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_free_ BW_CLEANUP(bw_freep)
#define _cleanup_close_ BW_CLEANUP(bw_closep)
#define _cleanup_fclose_ BW_CLEANUP(bw_fclosep)

#define TAKE_PTR(p)                                \
	({                                         \
		__typeof__(p) *_pp = &(p);         \
		__typeof__(p) _taken = *_pp;       \
		*_pp = NULL;                       \
		_taken;                            \
	})

#define TAKE_FD(fd)                  \
	({                           \
		int *_pfd = &(fd);   \
		int _taken = *_pfd;  \
		*_pfd = -1;          \
		_taken;              \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
