// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/go_code.h"

#include <errno.h>

#define MAGIC_118 0xfffffff0u
#define MAGIC_120 0xfffffff1u
#define HEADER_LEN (8 + 8 * 8)

/* Of the header: 4 bytes magic, 2 zero, 1 minimum instruction size, 1 pointer size, then words of 8 bytes. */
enum word { W_NFUNC, W_NFILES, W_TEXT_START, W_NAMES, W_CUS, W_FILES, W_PCTAB, W_FUNCTAB };

static uint64_t word(struct bw_slice t, enum word w)
{
	return bw_get_u64(t.data + 8 + 8 * (size_t)w, false);
}

int go_code_functions(const struct elf_code *e, struct elf_code_symbol *wanted, unsigned int n)
{
	struct bw_slice t, names, functab, text;
	uint64_t addr, base, count;
	int found = 0;

	if (!elf_code_section(e, ".gopclntab", &t, &addr) && !elf_code_section(e, ".data.rel.ro.gopclntab", &t, &addr))
		return -ENOENT;
	if (t.len < HEADER_LEN || t.data[7] != 8)
		return -EBADMSG;
	if (bw_get_u32(t.data, false) != MAGIC_118 && bw_get_u32(t.data, false) != MAGIC_120)
		return -EOPNOTSUPP;
	base = word(t, W_TEXT_START);
	/* Position-independent programs have it filled in when they are loaded; later versions leave it out. */
	if (!base && !elf_code_section(e, ".text", &text, &base))
		return -EBADMSG;
	count = word(t, W_NFUNC);
	if (count > GO_CODE_MAX_FUNCTIONS || !bw_slice_sub(t, word(t, W_FUNCTAB), count * 8 + 4, &functab) ||
	    word(t, W_NAMES) > t.len)
		return -EBADMSG;
	names = bw_slice(t.data + word(t, W_NAMES), t.len - (size_t)word(t, W_NAMES));
	/* Pairs of entry (relative to the text) and place of the function's record (relative to functab); one more entry ends it. */
	for (uint64_t i = 0; i < count; i++) {
		uint32_t entry = bw_get_u32(functab.data + i * 8, false), next = bw_get_u32(functab.data + i * 8 + 8, false);
		uint64_t record = word(t, W_FUNCTAB) + bw_get_u32(functab.data + i * 8 + 4, false);
		struct bw_slice f;
		const char *name;

		/* struct _func: entryOff uint32, nameOff int32, ... */
		if (!bw_slice_sub(t, record, 8, &f))
			return -EBADMSG;
		name = bw_slice_str(names, bw_get_u32(f.data + 4, false));
		if (!name)
			return -EBADMSG;
		for (unsigned int k = 0; k < n; k++) {
			if (wanted[k].addr || strcmp(name, wanted[k].name))
				continue;
			wanted[k].addr = base + entry;
			wanted[k].size = next > entry ? next - entry : 0;
			found++;
		}
	}
	return found;
}
