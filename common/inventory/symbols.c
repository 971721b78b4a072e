// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Code of BPF programs in the kernel's symbol table (kernel/bpf/core.c, bpf_prog_ksym_set_name()): "bpf_prog_<tag>_<name>".
 * Needs kernel.kptr_restrict below 2 and CAP_SYSLOG for addresses; without them only names can be compared.
 */
#include "common/inventory/inventory.h"

#include <string.h>

#include "common/cleanup.h"

#define MAX_SYMBOLS (1u << 20)

static int compare(const void *a, const void *b)
{
	const struct inv_symbol *x = a, *y = b;

	return x->address != y->address ? (x->address < y->address ? -1 : 1) : strcmp(x->name, y->name);
}

/* "ffffffffc0123456 t bpf_prog_6deef7357e7b4530_name\t[bpf]" */
static bool parse(char *line, struct inv_symbol *ret)
{
	char *end;

	ret->address = strtoull(line, &end, 16);
	if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ')
		return false;
	ret->name = end + 3;
	ret->name[strcspn(ret->name, " \t\n")] = 0;
	return !strncmp(ret->name, "bpf_prog_", 9) && strlen(ret->name) >= 9 + 2 * INV_TAG_LEN &&
	       strspn(ret->name + 9, "0123456789abcdef") >= 2 * INV_TAG_LEN;
}

static int add(struct inventory *inv, const struct inv_symbol *s)
{
	if (inv->n_symbols == MAX_SYMBOLS)
		return inv_note(inv, "more than %u symbols of BPF programs", MAX_SYMBOLS);
	if (inv->n_symbols == inv->cap_symbols) {
		uint32_t cap = inv->cap_symbols ? 2 * inv->cap_symbols : 256;
		struct inv_symbol *v = realloc(inv->symbols, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		inv->symbols = v;
		inv->cap_symbols = cap;
	}
	inv->symbols[inv->n_symbols] = *s;
	inv->symbols[inv->n_symbols].name = strdup(s->name);
	return inv->symbols[inv->n_symbols].name ? (inv->n_symbols++, 0) : -ENOMEM;
}

int inv_symbols(struct inventory *inv, const char *kallsyms)
{
	_cleanup_fclose_ FILE *f = fopen(kallsyms, "re");
	_cleanup_free_ char *line = NULL;
	bool again = inv->view[INV_PROG][INV_VIEW_KALLSYMS] != INV_UNAVAILABLE, addresses = false;
	struct inv_symbol s = { 0 }, *old;
	size_t cap = 0;
	int r = 0;

	if (!f)
		return inv_note(inv, "no symbols: %s: %s", kallsyms, strerror(errno));
	while (!r && getline(&line, &cap, f) > 0) {
		addresses |= line[0] != '0'; /* "ffff..."; zeros when they are concealed */
		/* The table has some hundred thousand lines; those of BPF programs are few. */
		if (!strstr(line, "bpf_prog_") || !strstr(line, "[bpf]") || !parse(line, &s))
			continue;
		if (!again)
			r = add(inv, &s);
		else if ((old = bsearch(&s, inv->symbols, inv->n_symbols, sizeof(s), compare)))
			old->again = true;
	}
	if (again)
		return r;
	if (inv->n_symbols)
		qsort(inv->symbols, inv->n_symbols, sizeof(*inv->symbols), compare);
	inv->view[INV_PROG][INV_VIEW_KALLSYMS] = addresses ? INV_COMPLETE : INV_PARTIAL;
	return r;
}
