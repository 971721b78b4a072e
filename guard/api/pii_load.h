/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_PII_LOAD_H
#define BW_GUARD_API_PII_LOAD_H
/* The part of pii.h that reads files. */
#include "guard/api/pii.h"

/*
 * The rules built in, and after them (@dir not NULL) those of DIR/pii-*.json in the order of their names: a class or detector
 * whose name is known already is replaced. Compiled. Returns -EINVAL or
 * -errno with @ret_error set.
 */
int pii_load_rules(const char *dir, struct pii_rules **ret, struct pii_error *ret_error);

/*
 * The installation's key, from DIR/pii.key: made from the kernel's random numbers when it is not there, mode 0400, owned by
 * who runs this. Refused (-EPERM) when others can read or write it or it is no regular file, -EBADMSG when it has not the
 * size of a key.
 */
int pii_load_key(const char *dir, struct pii_key *ret);

#endif
