// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "auditor/carve.h"
#include "auditor/elf.h"
#include "common/buf.h"

#define AR_MAGIC "!<arch>\n"
#define AR_HEADER 60u

struct carver {
	const char *file;
	bw_carve_fn fn;
	void *arg;
	struct bw_diag *diag;
	unsigned int found;
};

static int carve_found(struct carver *cv, struct bw_carved *c)
{
	if (cv->found >= BW_MAX_CARVED)
		return bw_diag_set(cv->diag, -E2BIG, cv->file, "", BW_DIAG_NO_OFFSET, "more than %u objects inside",
				   BW_MAX_CARVED);
	cv->found++;
	return cv->fn(cv->arg, c);
}

static bool is_bpf_elf(struct bw_slice b)
{
	uint16_t machine;

	if (b.len < 64 || memcmp(b.data, "\177ELF", 4) || b.data[4] != 2 || (b.data[5] != 1 && b.data[5] != 2))
		return false;
	machine = bw_get_u16(b.data + 18, b.data[5] == 2);
	/* Early LLVM left the machine empty: only believable for a relocatable file. */
	return machine == BW_EM_BPF || (machine == BW_EM_NONE && bw_get_u16(b.data + 16, b.data[5] == 2) == 1);
}

/* Objects anywhere in a file that is something else. */
static int carve_scan(struct carver *cv, struct bw_slice bytes, const char *name)
{
	uint64_t off = 0, extent;
	const uint8_t *p;
	char label[512];
	int r;

	while (off < bytes.len && (p = memmem(bytes.data + off, bytes.len - off, "\177ELF", 4))) {
		struct bw_slice rest = bw_slice(p, bytes.len - (size_t)(p - bytes.data));

		off = (uint64_t)(p - bytes.data);
		extent = is_bpf_elf(rest) && bw_get_u16(rest.data + 18, rest.data[5] == 2) == BW_EM_BPF ?
				 bw_elf_extent(rest) :
				 0;
		if (extent) {
			struct bw_carved c = { .kind = BW_CARVED_EMBEDDED, .name = label, .offset = off,
					       .bytes = bw_slice(p, extent) };

			snprintf(label, sizeof(label), "%s@0x%llx", name, (unsigned long long)off);
			r = carve_found(cv, &c);
			if (r)
				return r;
		}
		off += extent ? extent : 4;
	}
	for (off = bw_lskel_next(bytes, 0); off < bytes.len; off = bw_lskel_next(bytes, off + 8)) {
		struct bw_carved c = { .kind = BW_CARVED_LIGHT, .name = label, .offset = off, .bytes = bytes };

		if (!bw_lskel_find(bytes, off, &c))
			continue;
		snprintf(label, sizeof(label), "%s@0x%llx", name, (unsigned long long)off);
		r = carve_found(cv, &c);
		if (r)
			return r;
		off += c.light_insns * BW_INSN_SIZE - 8;
	}
	return 0;
}

/* Not an archive, not compressed. */
static int carve_plain(struct carver *cv, struct bw_slice bytes, const char *name)
{
	struct bw_carved c = { .kind = BW_CARVED_FILE, .name = name, .bytes = bytes };

	return is_bpf_elf(bytes) ? carve_found(cv, &c) : carve_scan(cv, bytes, name);
}

/*
 * ar(5): a 60-byte header with decimal text, members padded to even offsets. Long names are in the "//" member (GNU) or
 * before the data (BSD "#1/LEN"); only for messages.
 */
static int carve_archive(struct carver *cv, struct bw_slice bytes)
{
	struct bw_slice names = { 0 };
	uint64_t off = 8;

	while (off + AR_HEADER <= bytes.len) {
		const char *h = (const char *)bytes.data + off;
		struct bw_slice member;
		char label[512], name[17];
		uint64_t size = 0;
		int r;

		if (h[58] != '`' || h[59] != '\n')
			return bw_diag_set(cv->diag, -EINVAL, cv->file, "archive", off, "malformed member header");
		for (int i = 48; i < 58 && h[i] >= '0' && h[i] <= '9'; i++)
			size = size * 10 + (uint64_t)(h[i] - '0');
		if (!bw_slice_sub(bytes, off + AR_HEADER, size, &member))
			return bw_diag_set(cv->diag, -EINVAL, cv->file, "archive", off, "a member is cut off");
		memcpy(name, h, 16);
		name[16] = '\0';
		name[strcspn(name, "/ ")] = '\0';
		if (!strncmp(h, "// ", 3)) {
			names = member;
		} else if (strncmp(h, "/ ", 2) && strncmp(h, "/SYM64/", 7)) {
			snprintf(label, sizeof(label), "%s(%s)", cv->file, name);
			if (h[0] == '/' && h[1] >= '0' && h[1] <= '9') {
				uint64_t at = 0;

				for (int i = 1; i < 16 && h[i] >= '0' && h[i] <= '9'; i++)
					at = at * 10 + (uint64_t)(h[i] - '0');
				if (at < names.len) {
					const char *long_name = (const char *)names.data + at;
					size_t len = 0;

					while (len < names.len - at && len < 200 && long_name[len] != '/' &&
					       long_name[len] != '\n')
						len++;
					snprintf(label, sizeof(label), "%s(%.*s)", cv->file, (int)len, long_name);
				}
			}
			r = carve_plain(cv, member, label);
			if (r)
				return r;
		}
		off += AR_HEADER + size + (size & 1);
	}
	return 0;
}

/* RFC 1952, all members of the stream. The caller frees *ret. */
static int gunzip(struct carver *cv, struct bw_slice in, struct bw_buf *ret)
{
	z_stream z = { .next_in = (Bytef *)in.data, .avail_in = (uInt)in.len };
	uint8_t chunk[65536];
	int r = 0, zr;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return -ENOMEM;
	do {
		z.next_out = chunk;
		z.avail_out = sizeof(chunk);
		zr = inflate(&z, Z_NO_FLUSH);
		if (zr != Z_OK && zr != Z_STREAM_END) {
			r = bw_diag_set(cv->diag, -EINVAL, cv->file, "gzip", z.total_in, "damaged or cut off");
			break;
		}
		bw_buf_append(ret, chunk, sizeof(chunk) - z.avail_out);
		if (bw_buf_error(ret) || ret->len > (1u << 20) + in.len * BW_MAX_GZIP_RATIO) {
			r = bw_diag_set(cv->diag, -EINVAL, cv->file, "gzip", z.total_in, "unpacks to too much");
			break;
		}
		if (zr == Z_STREAM_END && z.avail_in && inflateReset(&z) != Z_OK)
			break;
	} while (z.avail_in || zr != Z_STREAM_END);
	inflateEnd(&z);
	return r;
}

int bw_carve(struct bw_slice bytes, const char *name, unsigned int *ret_n, bw_carve_fn fn, void *arg,
	     struct bw_diag *diag)
{
	struct carver cv = { .file = name, .fn = fn, .arg = arg, .diag = diag };
	_cleanup_buf_ struct bw_buf unpacked = { .max = BW_MAX_OBJECT_SIZE };
	int r;

	if (bytes.len > 18 && bytes.data[0] == 0x1f && bytes.data[1] == 0x8b && bytes.data[2] == 8) {
		if (bytes.len > BW_MAX_OBJECT_SIZE)
			return bw_diag_set(diag, -EINVAL, name, "gzip", 0, "too large");
		r = gunzip(&cv, bytes, &unpacked);
		if (r)
			return r;
		bytes = bw_slice(bw_buf_cstr(&unpacked), unpacked.len);
	}
	if (bytes.len >= 8 && !memcmp(bytes.data, AR_MAGIC, 8))
		r = carve_archive(&cv, bytes);
	else
		r = carve_plain(&cv, bytes, name);
	if (!r && !cv.found)
		r = bw_diag_set(diag, -ENOEXEC, name, "", BW_DIAG_NO_OFFSET, "no BPF code in it");
	if (!r && ret_n)
		*ret_n = cv.found;
	return r;
}

int bw_carved_read(const struct bw_carved *c, struct bw_object **ret, struct bw_diag *diag)
{
	return c->kind == BW_CARVED_LIGHT ? bw_lskel_read(c, ret, diag) : bw_object_read(c->bytes, c->name, ret, diag);
}
