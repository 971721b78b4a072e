/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SCAN_RUN_H
#define BW_SCAN_RUN_H
/*
 * Scans files: finds them, reads them, has them analysed in sandboxed processes (one for many small files; when one dies,
 * the file it died on gets a process of its own), and collects the results in the order of the files.
 */
#include <stdbool.h>
#include <stdint.h>

#include "auditor/finding.h"
#include "auditor/scan.h"

#define BW_MAX_SCAN_FILES 1000000u
#define BW_MAX_SCAN_DEPTH 64u /* of folders */
#define BW_MAX_SCAN_JOBS 64u

struct bw_scan_file {
	const char *path;
	bool named; /* given by the user, not found in a folder: then it must be a BPF object */
};

struct bw_scan_files {
	struct bw_scan_file *items;
	uint32_t n;
	size_t cap;
	struct bw_arena arena;
};

/*
 * Adds what @path names: a file, all files below a folder (in byte order of their names; symbolic links to folders are
 * not followed), or a pattern. Returns 0, -ENOENT when there is nothing, or another -errno with *ret_reason (static).
 */
int bw_scan_files_add(struct bw_scan_files *l, const char *path, const char **ret_reason);
void bw_scan_files_free(struct bw_scan_files *l);

typedef void (*bw_scan_progress_fn)(void *ctx, uint32_t done, uint32_t total, const char *path);

struct bw_scan_run {
	struct bw_scan_options opt;
	unsigned int jobs;	/* processes at a time; 0: one per CPU */
	unsigned int file_ms;	/* time for one file; 0: BW_SCAN_FILE_MS */
	bw_scan_progress_fn progress;
	void *progress_ctx;
};
/* Of wall-clock time: large objects take seconds of their own, and several times that on a busy machine. */
#define BW_SCAN_FILE_MS 60000u

/*
 * Appends to @s one or several objects per file (executables hold several); files found in folders that are no BPF objects
 * and hold none are counted in *ret_skipped. Returns 0 or -errno when no scan was possible.
 */
int bw_scan_run(const struct bw_scan_run *run, const struct bw_scan_files *files, struct bw_scan *s,
		uint32_t *ret_skipped);

#endif
