/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_ENFORCE_H
#define BW_GUARD_ENFORCE_H
/*
 * Brings policies into the kernel. A policy is one generation: its tables are built whole in the slot that is not in
 * force, and one 32-bit store then makes it the one that is. The old one judges until that moment.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/feature.h"
#include "common/policy_compile.h"
#include "guard/loader.h"

struct btf;
struct enforce;

/* @l must outlive the result. -ENOMEM, or why the kernel's BTF cannot be read. */
int enforce_open(const struct loader *l, struct enforce **ret);
void enforce_free(struct enforce *e);

/* Puts @image, whose mode and generation are set here, in force. On failure a negative errno, and nothing has changed. */
int enforce_swap(struct enforce *e, const struct bw_policy_image *image, enum bw_mode mode);
/* The running policy; NULL before the first swap. */
const struct bw_policy_conf *enforce_running(const struct enforce *e);

const struct btf *enforce_btf(const struct enforce *e);
/* Name of a BTF id of the kernel; NULL for an unknown one. Lives as long as @e. */
const char *enforce_btf_name(const struct enforce *e, uint32_t btf_id);

/*
 * Says what data flows into a map: bits of the classes of data (bw_policy_class_of_data()). Who reads it is then watched. This is
 * where whatever finds out about programs hands it in. Labels are added to those the map has.
 */
int enforce_label(struct enforce *e, uint32_t map_id, uint32_t labels);

struct enforce_baseline {
	uint32_t id, type;
	char name[BW_OBJ_NAME_LEN + 1];
	uint8_t tag[BW_TAG_LEN];
};
/*
 * Lists every loaded program, those of the guard excepted, and lets each keep handing out descriptors (kernels before 6.9). The caller
 * frees *ret.
 */
int enforce_baseline(struct enforce *e, struct enforce_baseline **ret, size_t *ret_n);

/* Fills the table of helper addresses (kernels before 6.9). Returns how many, or a negative errno. */
int enforce_helper_table(struct enforce *e);

#endif
