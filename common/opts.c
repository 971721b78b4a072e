// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/opts.h"

#include <limits.h>
#include <string.h>

#include "common/cleanup.h"

static bw_opts_visit_fn visitor;
static void *visitor_ctx;

void bw_opts_set_visitor(bw_opts_visit_fn fn, void *ctx)
{
	visitor = fn;
	visitor_ctx = ctx;
}

void bw_strlist_free(struct bw_strlist *l)
{
	free(l->items);
	*l = (struct bw_strlist){ 0 };
}

static int strlist_add(struct bw_strlist *l, const char *s)
{
	const char **items = reallocarray(l->items, l->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	l->items = items;
	l->items[l->n++] = s;
	return 0;
}

void bw_opts_help(const struct bw_command *cmd, const struct bw_opt *opts, FILE *out)
{
	fprintf(out, "Usage: %s%s%s%s\n\n%s\n", cmd->name, opts->type != BW_OPT_END ? " [OPTION...]" : "",
		*cmd->synopsis ? " " : "", cmd->synopsis, cmd->summary);
	if (cmd->details)
		fprintf(out, "\n%s\n", cmd->details);
	if (opts->type != BW_OPT_END)
		fputs("\nOptions:\n", out);
	for (const struct bw_opt *o = opts; o->type != BW_OPT_END; o++) {
		char left[128];

		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", o->short_name ? "-" : "  ",
			 o->short_name ? o->short_name : ' ', o->short_name ? ", " : " ", o->name, o->arg ? " " : "",
			 o->arg ? o->arg : "");
		fprintf(out, "  %-30s%s%s\n", left, strlen(left) > 29 ? "\n                                " : "",
			o->help);
	}
}

static const struct bw_opt *find_long(const struct bw_opt *opts, const char *name, size_t len)
{
	for (const struct bw_opt *o = opts; o->type != BW_OPT_END; o++)
		if (strlen(o->name) == len && !strncmp(o->name, name, len))
			return o;
	return NULL;
}

static const struct bw_opt *find_short(const struct bw_opt *opts, char c)
{
	for (const struct bw_opt *o = opts; o->type != BW_OPT_END; o++)
		if (o->short_name && o->short_name == c)
			return o;
	return NULL;
}

static bool is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value);

	while (*choices) {
		size_t n = strcspn(choices, "|");

		if (n == len && !strncmp(choices, value, n))
			return true;
		choices += n;
		choices += *choices == '|';
	}
	return false;
}

static int opt_store(const struct bw_command *cmd, const struct bw_opt *o, const char *value)
{
	switch (o->type) {
	case BW_OPT_FLAG:
		*(bool *)o->value = true;
		return 0;
	case BW_OPT_STRING:
		*(const char **)o->value = value;
		return 0;
	case BW_OPT_LIST:
		return strlist_add(o->value, value);
	case BW_OPT_CHOICE:
		if (!is_choice(o->arg, value)) {
			fprintf(stderr, "%s: --%s takes one of %s, not \"%s\"\n", cmd->name, o->name, o->arg, value);
			return -EINVAL;
		}
		*(const char **)o->value = value;
		return 0;
	case BW_OPT_UINT: {
		unsigned long n;
		char *end;

		errno = 0;
		n = strtoul(value, &end, 10);
		if (errno || !*value || *end || *value == '-' || *value == '+' || n > UINT_MAX) {
			fprintf(stderr, "%s: --%s takes a whole number, not \"%s\"\n", cmd->name, o->name, value);
			return -EINVAL;
		}
		*(unsigned int *)o->value = (unsigned int)n;
		return 0;
	}
	default:
		return -EINVAL;
	}
}

int bw_opts_parse(const struct bw_command *cmd, const struct bw_opt *opts, int argc, char **argv, int *ret_nargs)
{
	bool only_operands = false;
	int nargs = 0;

	if (visitor) {
		visitor(visitor_ctx, cmd, opts);
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		char *word = argv[i];
		const char *value = NULL;
		const struct bw_opt *o;
		int r;

		if (only_operands || word[0] != '-' || !word[1]) {
			argv[1 + nargs++] = word;
			continue;
		}
		if (!strcmp(word, "--")) {
			only_operands = true;
			continue;
		}
		if (word[1] == '-') {
			const char *eq = strchr(word, '=');
			size_t len = eq ? (size_t)(eq - word) - 2 : strlen(word + 2);

			o = find_long(opts, word + 2, len);
			value = eq ? eq + 1 : NULL;
		} else {
			o = find_short(opts, word[1]);
			if (word[2])
				value = word + 2;
		}
		if (!o) {
			fprintf(stderr, "%s: unknown option \"%s\"; --help lists them\n", cmd->name, word);
			return -EINVAL;
		}
		if (o->type == BW_OPT_FLAG) {
			if (value) {
				fprintf(stderr, "%s: --%s takes no value\n", cmd->name, o->name);
				return -EINVAL;
			}
			if (!o->value) {
				bw_opts_help(cmd, opts, stdout);
				return 1;
			}
		} else if (!value) {
			if (i + 1 == argc) {
				fprintf(stderr, "%s: --%s needs a value\n", cmd->name, o->name);
				return -EINVAL;
			}
			value = argv[++i];
		}
		r = opt_store(cmd, o, value);
		if (r < 0)
			return r;
	}
	*ret_nargs = nargs;
	return 0;
}
