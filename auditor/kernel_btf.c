// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds the BTF of the kernel to predict for. Only finds: it is parsed in the sandbox. */
#include <dirent.h>
#include <elf.h>
#include <limits.h>
#include <string.h>
#include <linux/btf.h>

#include "auditor/fake_kernel.h"
#include "auditor/predict.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/limits.h"
#include "common/slice.h"

#define HOST_BTF "/sys/kernel/btf"

static void dirp_close(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* The .BTF section of an ELF64 file: gABI "Section Header". */
static bool elf_btf(struct bw_slice file, struct bw_slice *ret)
{
	Elf64_Ehdr eh;
	Elf64_Shdr strtab, sh;
	struct bw_slice names;

	if (!bw_slice_copy(file, 0, &eh, sizeof(eh)) || memcmp(eh.e_ident, ELFMAG, SELFMAG) ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB || eh.e_shentsize != sizeof(sh) ||
	    eh.e_shstrndx >= eh.e_shnum || eh.e_shoff > file.len)
		return false;
	if (!bw_slice_copy(file, eh.e_shoff + eh.e_shstrndx * sizeof(sh), &strtab, sizeof(strtab)) ||
	    !bw_slice_sub(file, strtab.sh_offset, strtab.sh_size, &names))
		return false;
	for (size_t i = 0; i < eh.e_shnum; i++) {
		const char *name;

		if (!bw_slice_copy(file, eh.e_shoff + i * sizeof(sh), &sh, sizeof(sh)))
			return false;
		name = bw_slice_str(names, sh.sh_name);
		if (name && !strcmp(name, ".BTF") && sh.sh_type != SHT_NOBITS)
			return bw_slice_sub(file, sh.sh_offset, sh.sh_size, ret);
	}
	return false;
}

static bool is_btf(struct bw_slice s)
{
	struct btf_header h;

	return bw_slice_copy(s, 0, &h, sizeof(h)) && h.magic == BTF_MAGIC;
}

/* "/x/nf-conntrack.ko.btf" is the module nf_conntrack. */
static char *module_name(const char *path)
{
	const char *base = strrchr(path, '/');
	char *name;

	base = base ? base + 1 : path;
	name = strndup(base, strcspn(base, "."));
	for (char *c = name; c && *c; c++)
		if (*c == '-')
			*c = '_';
	return name;
}

int bw_kernel_btf_add(struct bw_kernel_btfs *b, const char *path)
{
	_cleanup_free_ char *data = NULL, *name = NULL;
	struct bw_kernel_btf *items;
	struct bw_slice btf;
	size_t len;
	int r;

	if (b->n == FAKE_MAX_BTF)
		return -E2BIG;
	/* vmlinux with all its debugging information is larger than any object. */
	r = bw_file_read(path, 4 * (size_t)BW_MAX_OBJECT_SIZE, &data, &len);
	if (r < 0)
		return r;
	btf = bw_slice(data, len);
	if (!is_btf(btf) && !(elf_btf(btf, &btf) && is_btf(btf)))
		return -EBADMSG;
	if (btf.data != (const uint8_t *)data)
		memmove(data, btf.data, btf.len);
	name = b->n ? module_name(path) : strdup("vmlinux");
	items = name ? reallocarray(b->items, b->n + 1, sizeof(*items)) : NULL;
	if (!items)
		return -ENOMEM;
	b->items = items;
	b->items[b->n++] = (struct bw_kernel_btf){ .name = TAKE_PTR(name), .data = TAKE_PTR(data), .len = btf.len };
	return 0;
}

int bw_kernel_btf_host(struct bw_kernel_btfs *b)
{
	BW_CLEANUP(dirp_close) DIR *dir = NULL;
	struct dirent *e;
	int r;

	r = bw_kernel_btf_add(b, HOST_BTF "/vmlinux");
	if (r < 0)
		return r;
	dir = opendir(HOST_BTF);
	while (dir && (e = readdir(dir)) && b->n < FAKE_MAX_BTF) {
		char path[PATH_MAX];

		if (e->d_name[0] == '.' || !strcmp(e->d_name, "vmlinux"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", HOST_BTF, e->d_name);
		/* A module can be unloaded meanwhile, or carry none: then nothing can be resolved in it either. */
		if (bw_kernel_btf_add(b, path) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

void bw_kernel_btf_free(struct bw_kernel_btfs *b)
{
	for (size_t i = 0; i < b->n; i++) {
		free(b->items[i].name);
		free(b->items[i].data);
	}
	free(b->items);
	*b = (struct bw_kernel_btfs){ 0 };
}
