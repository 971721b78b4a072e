// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/policy_keep.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/limits.h"

#define MAGIC "BWKEPT1\n"

struct kept_head {
	char magic[8];
	uint64_t len, signature_len, etag_len;
	int64_t accepted;
};

static int fail(int r, const char *path, const char *reason, char *why, size_t why_len)
{
	snprintf(why, why_len, "%s: %s", path, reason ? reason : strerror(-r));
	return r;
}

int policy_keep_open(const char *state_dir, char **ret, char *why, size_t why_len)
{
	_cleanup_free_ char *name = NULL, *real = NULL;
	_cleanup_close_ int fd = -1;
	size_t len = strlen(state_dir);
	struct stat st;

	while (len > 1 && state_dir[len - 1] == '/')
		len--;
	if (asprintf(&name, "%.*s.policy", (int)len, state_dir) < 0) {
		name = NULL;
		return fail(-ENOMEM, state_dir, NULL, why, why_len);
	}
	if (mkdir(name, 0700) < 0 && errno != EEXIST)
		return fail(-errno, name, NULL, why, why_len);
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(-errno, name, NULL, why, why_len);
	if (st.st_uid != geteuid() || st.st_mode & 022)
		return fail(-EACCES, name, "others may write there: what is kept of policies must be the guard's alone", why, why_len);
	real = realpath(name, NULL);
	if (!real)
		return fail(-errno, name, NULL, why, why_len);
	*ret = TAKE_PTR(real);
	return 0;
}

/* Also the name: after a loss of power it is the old file or the new one, and what was said to be kept is. */
static int write_file(const char *dir, const char *name, const void *data, size_t len)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	r = bw_file_write_atomic(path, data, len, 0600);
	if (!r && (fd < 0 || fsync(fd) < 0))
		r = -errno;
	return r;
}

int policy_keep_read(const char *dir, struct policy_kept *ret)
{
	const size_t max = sizeof(struct kept_head) + BW_MAX_POLICY_SIZE + BW_MAX_SIGNATURE_SIZE + POLICY_KEEP_ETAG_MAX;
	_cleanup_free_ char *data = NULL;
	struct policy_kept k = { 0 };
	struct kept_head h;
	char path[PATH_MAX];
	size_t len, at = sizeof(h);
	int r;

	snprintf(path, sizeof(path), "%s/last-good", dir);
	r = bw_file_read(path, max, &data, &len);
	if (r < 0)
		return r == -EFBIG ? -EBADMSG : r;
	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, data, sizeof(h));
	if (memcmp(h.magic, MAGIC, sizeof(h.magic)) || h.len > BW_MAX_POLICY_SIZE || h.signature_len > BW_MAX_SIGNATURE_SIZE ||
	    h.etag_len > POLICY_KEEP_ETAG_MAX || h.accepted < 0 || len - at != h.len + h.signature_len + h.etag_len)
		return -EBADMSG;
	k.accepted = h.accepted;
	k.len = h.len;
	k.signature_len = h.signature_len;
	k.text = malloc(k.len + 1);
	k.signature = malloc(k.signature_len + 1);
	k.etag = calloc(1, h.etag_len + 1);
	if (!k.text || !k.signature || !k.etag) {
		policy_kept_free(&k);
		return -ENOMEM;
	}
	memcpy(k.text, data + at, k.len);
	memcpy(k.signature, data + at + k.len, k.signature_len);
	memcpy(k.etag, data + at + k.len + k.signature_len, h.etag_len);
	k.text[k.len] = k.signature[k.signature_len] = 0;
	*ret = k;
	return 0;
}

int policy_keep_write(const char *dir, const struct policy_kept *k)
{
	struct kept_head h = { .magic = MAGIC, .len = k->len, .signature_len = k->signature_len, .accepted = k->accepted };
	_cleanup_buf_ struct bw_buf b = { 0 };

	h.etag_len = strlen(k->etag);
	if (h.len > BW_MAX_POLICY_SIZE || h.signature_len > BW_MAX_SIGNATURE_SIZE || h.etag_len > POLICY_KEEP_ETAG_MAX)
		return -EFBIG;
	bw_buf_append(&b, &h, sizeof(h));
	bw_buf_append(&b, k->text, k->len);
	bw_buf_append(&b, k->signature, k->signature_len);
	bw_buf_append(&b, k->etag, h.etag_len);
	return bw_buf_error(&b) ? bw_buf_error(&b) : write_file(dir, "last-good", b.data, b.len);
}

void policy_kept_free(struct policy_kept *k)
{
	free(k->text);
	free(k->signature);
	free(k->etag);
	*k = (struct policy_kept){ 0 };
}

int policy_keep_serial(const char *dir, char *line, size_t *ret_len)
{
	_cleanup_free_ char *data = NULL;
	char path[PATH_MAX];
	size_t len;
	int r;

	*ret_len = 0;
	snprintf(path, sizeof(path), "%s/serial", dir);
	r = bw_file_read(path, BW_SIGNATURE_STATE_MAX - 1, &data, &len);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	/* An empty file is no absent one. */
	if (!len)
		return -EBADMSG;
	memcpy(line, data, len + 1);
	*ret_len = len;
	return 0;
}

int policy_keep_set_serial(const char *dir, const char *line)
{
	return write_file(dir, "serial", line, strlen(line));
}
