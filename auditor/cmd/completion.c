// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden completion: scripts for bash, zsh and fish, made from the same tables that parse the options (bw_opts_visit_fn).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "auditor/commands.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/opts.h"

enum operand_kind {
	OPERAND_NONE,
	OPERAND_FILE,
	OPERAND_DIR,
	OPERAND_WORDS, /* one of the words in .words */
	OPERAND_OTHER,
};

struct collected {
	struct bw_buf *out;
	const struct bw_subcommand *sub;
	void (*write_opt)(struct bw_buf *out, const struct bw_subcommand *sub, const struct bw_opt *o);
	void (*write_operands)(struct bw_buf *out, const struct bw_subcommand *sub, const struct bw_command *cmd);
};

/* "text|json[=FILE]" are choices, "FILE" is a file. @words gets the choices, separated by spaces. */
static enum operand_kind operand_of(const struct bw_opt *o, char *words, size_t size)
{
	size_t n;

	words[0] = 0;
	if (!o->arg)
		return OPERAND_NONE;
	if (strchr(o->arg, '|')) {
		n = strcspn(o->arg, "[");
		snprintf(words, size, "%.*s", (int)n, o->arg);
		for (char *p = words; *p; p++)
			if (*p == '|')
				*p = ' ';
		return OPERAND_WORDS;
	}
	if (!strcmp(o->arg, "FILE") || !strcmp(o->arg, "PATH") || !strcmp(o->arg, "SOCKET"))
		return OPERAND_FILE;
	return !strcmp(o->arg, "DIR") ? OPERAND_DIR : OPERAND_OTHER;
}

/* For single quotes of a shell: the text without them and without line ends. */
static void put_quoted(struct bw_buf *out, const char *s)
{
	for (; *s; s++)
		if (*s != '\'' && *s != '\n')
			bw_buf_char(out, *s);
}

/* "policy add" as a name of a shell function or case. */
static void put_joined(struct bw_buf *out, const char *name)
{
	for (; *name; name++)
		bw_buf_char(out, *name == ' ' ? '_' : *name);
}

static void visit(void *ctx, const struct bw_command *cmd, const struct bw_opt *opts)
{
	struct collected *c = ctx;

	for (const struct bw_opt *o = opts; o->type != BW_OPT_END; o++)
		if (c->write_opt)
			c->write_opt(c->out, c->sub, o);
	if (c->write_operands)
		c->write_operands(c->out, c->sub, cmd);
}

/* The visitor keeps every command from doing anything. */
static void visit_command(struct collected *c, const struct bw_subcommand *sub)
{
	char name[64], *argv[2] = { name, NULL };

	snprintf(name, sizeof(name), "%s", sub->name);
	c->sub = sub;
	bw_opts_set_visitor(visit, c);
	sub->run(1, argv);
	bw_opts_set_visitor(NULL, NULL);
}

static bool takes_files(const struct bw_command *cmd)
{
	return strstr(cmd->synopsis, "FILE") || strstr(cmd->synopsis, "PATH") || strstr(cmd->synopsis, "OBJECT");
}

/* ---- bash ----------------------------------------------------------------------------------------------------------- */

static void bash_words(struct bw_buf *out, const struct bw_subcommand *sub, const struct bw_opt *o)
{
	bw_buf_printf(out, "--%s ", o->name);
	if (o->short_name)
		bw_buf_printf(out, "-%c ", o->short_name);
}

static void bash_value(struct bw_buf *out, const struct bw_subcommand *sub, const struct bw_opt *o)
{
	char words[256];

	switch (operand_of(o, words, sizeof(words))) {
	case OPERAND_WORDS:
		bw_buf_str(out, "\t");
		put_joined(out, sub->name);
		bw_buf_printf(out, ",--%s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n", o->name, words);
		break;
	case OPERAND_FILE:
	case OPERAND_DIR:
		bw_buf_str(out, "\t");
		put_joined(out, sub->name);
		bw_buf_printf(out, ",--%s) COMPREPLY=($(compgen -%c -- \"$cur\")); return ;;\n", o->name,
			      !strcmp(o->arg, "DIR") ? 'd' : 'f');
		break;
	case OPERAND_OTHER:
		bw_buf_str(out, "\t");
		put_joined(out, sub->name);
		bw_buf_printf(out, ",--%s) return ;;\n", o->name);
		break;
	case OPERAND_NONE:
		break;
	}
}

static void bash(struct bw_buf *out, const struct bw_subcommand *subs, unsigned int n)
{
	struct collected c = { .out = out };

	bw_buf_str(out, "# bash completion of bpfwarden: source it, or install it as bash-completion/completions/bpfwarden\n"
			"_bpfwarden() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd= words=\n"
			"\tCOMPREPLY=()\n\tif [ \"$COMP_CWORD\" = 1 ]; then\n\t\tCOMPREPLY=($(compgen -W '");
	for (unsigned int i = 0; i < n; i++)
		bw_buf_printf(out, "%.*s ", (int)strcspn(subs[i].name, " "), subs[i].name);
	bw_buf_str(out, "help' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcmd=${COMP_WORDS[1]}\n\tcase $cmd in\n");
	for (unsigned int i = 0; i < n; i++) {
		size_t group = strcspn(subs[i].name, " ");

		if (!subs[i].name[group] || (i && !strncmp(subs[i - 1].name, subs[i].name, group + 1)))
			continue;
		bw_buf_printf(out, "\t%.*s)\n\t\tif [ \"$COMP_CWORD\" = 2 ]; then COMPREPLY=($(compgen -W '", (int)group,
			      subs[i].name);
		for (unsigned int k = 0; k < n; k++)
			if (!strncmp(subs[k].name, subs[i].name, group + 1))
				bw_buf_printf(out, "%s ", subs[k].name + group + 1);
		bw_buf_str(out, "' -- \"$cur\")); return; fi\n\t\tcmd=${cmd}_${COMP_WORDS[2]} ;;\n");
	}
	bw_buf_str(out, "\tesac\n\t[ \"$prev\" = = ] && prev=${COMP_WORDS[COMP_CWORD-2]}\n\tcase $cmd,$prev in\n");
	c.write_opt = bash_value;
	for (unsigned int i = 0; i < n; i++)
		visit_command(&c, &subs[i]);
	bw_buf_str(out, "\tesac\n\tcase $cmd in\n");
	c.write_opt = bash_words;
	for (unsigned int i = 0; i < n; i++) {
		bw_buf_char(out, '\t');
		put_joined(out, subs[i].name);
		bw_buf_str(out, ") words='");
		visit_command(&c, &subs[i]);
		bw_buf_str(out, "' ;;\n");
	}
	bw_buf_str(out, "\tesac\n\tcase $cur in\n\t-*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
			"\t*) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n\tesac\n}\ncomplete -o filenames -F _bpfwarden bpfwarden\n");
}

/* ---- zsh ------------------------------------------------------------------------------------------------------------ */

static void zsh_opt(struct bw_buf *out, const struct bw_subcommand *sub, const struct bw_opt *o)
{
	char words[256];
	enum operand_kind kind = operand_of(o, words, sizeof(words));

	bw_buf_printf(out, " \\\n\t\t\t'%s--%s%s[", o->type == BW_OPT_LIST ? "*" : "", o->name, o->arg ? "=" : "");
	for (const char *p = o->help; *p; p++)
		if (*p != '\'' && *p != '[' && *p != ']' && *p != '\n') {
			if (*p == ':')
				bw_buf_char(out, '\\');
			bw_buf_char(out, *p);
		}
	bw_buf_char(out, ']');
	if (kind == OPERAND_WORDS)
		bw_buf_printf(out, ":value:(%s)", words);
	else if (kind == OPERAND_FILE)
		bw_buf_str(out, ":file:_files");
	else if (kind == OPERAND_DIR)
		bw_buf_str(out, ":folder:_files -/");
	else if (kind == OPERAND_OTHER)
		bw_buf_str(out, ":value: ");
	bw_buf_char(out, '\'');
}

static void zsh_operands(struct bw_buf *out, const struct bw_subcommand *sub, const struct bw_command *cmd)
{
	if (takes_files(cmd))
		bw_buf_str(out, " \\\n\t\t\t'*:file:_files'");
}

static void zsh(struct bw_buf *out, const struct bw_subcommand *subs, unsigned int n)
{
	struct collected c = { .out = out, .write_opt = zsh_opt, .write_operands = zsh_operands };

	bw_buf_str(out, "#compdef bpfwarden\n_bpfwarden() {\n\tlocal cmd\n\tlocal -a commands=(\n");
	for (unsigned int i = 0; i < n; i++) {
		bw_buf_printf(out, "\t\t'%s:", subs[i].name);
		put_quoted(out, subs[i].summary);
		bw_buf_str(out, "'\n");
	}
	bw_buf_str(out, "\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe 'command' commands\n\t\treturn\n\tfi\n"
			"\tcmd=$words[2]\n\tcase $cmd in\n");
	for (unsigned int i = 0; i < n; i++) {
		size_t group = strcspn(subs[i].name, " ");

		if (!subs[i].name[group] || (i && !strncmp(subs[i - 1].name, subs[i].name, group + 1)))
			continue;
		bw_buf_printf(out, "\t%.*s)\n\t\tif (( CURRENT == 3 )); then compadd", (int)group, subs[i].name);
		for (unsigned int k = 0; k < n; k++)
			if (!strncmp(subs[k].name, subs[i].name, group + 1))
				bw_buf_printf(out, " %s", subs[k].name + group + 1);
		bw_buf_str(out, "; return; fi\n\t\tcmd=${cmd}_$words[3] ;;\n");
	}
	bw_buf_str(out, "\tesac\n\tcase $cmd in\n");
	for (unsigned int i = 0; i < n; i++) {
		bw_buf_char(out, '\t');
		put_joined(out, subs[i].name);
		bw_buf_str(out, ")\n\t\t_arguments");
		visit_command(&c, &subs[i]);
		bw_buf_str(out, " ;;\n");
	}
	bw_buf_str(out, "\tesac\n}\n_bpfwarden \"$@\"\n");
}

/* ---- fish ----------------------------------------------------------------------------------------------------------- */

static void fish_condition(struct bw_buf *out, const char *name)
{
	size_t group = strcspn(name, " ");

	bw_buf_printf(out, "'__fish_seen_subcommand_from %.*s", (int)group, name);
	if (name[group])
		bw_buf_printf(out, "; and __fish_seen_subcommand_from %s", name + group + 1);
	bw_buf_char(out, '\'');
}

static void fish_opt(struct bw_buf *out, const struct bw_subcommand *sub, const struct bw_opt *o)
{
	char words[256];
	enum operand_kind kind = operand_of(o, words, sizeof(words));

	bw_buf_str(out, "complete -c bpfwarden -n ");
	fish_condition(out, sub->name);
	bw_buf_printf(out, " -l %s", o->name);
	if (o->short_name)
		bw_buf_printf(out, " -s %c", o->short_name);
	if (kind == OPERAND_WORDS)
		bw_buf_printf(out, " -xa '%s'", words);
	else if (kind == OPERAND_DIR)
		bw_buf_str(out, " -xa '(__fish_complete_directories)'");
	else if (kind == OPERAND_FILE)
		bw_buf_str(out, " -rF");
	else if (kind == OPERAND_OTHER)
		bw_buf_str(out, " -x");
	bw_buf_str(out, " -d '");
	put_quoted(out, o->help);
	bw_buf_str(out, "'\n");
}

static void fish(struct bw_buf *out, const struct bw_subcommand *subs, unsigned int n)
{
	struct collected c = { .out = out, .write_opt = fish_opt };

	bw_buf_str(out, "# fish completion of bpfwarden\n");
	for (unsigned int i = 0; i < n; i++) {
		size_t group = strcspn(subs[i].name, " ");

		if (subs[i].name[group])
			bw_buf_printf(out, "complete -c bpfwarden -n '__fish_seen_subcommand_from %.*s' -fa %s -d '", (int)group,
				      subs[i].name, subs[i].name + group + 1);
		else
			bw_buf_printf(out, "complete -c bpfwarden -n __fish_use_subcommand -fa %s -d '", subs[i].name);
		put_quoted(out, subs[i].summary);
		bw_buf_str(out, "'\n");
		if (subs[i].name[group] && !(i && !strncmp(subs[i - 1].name, subs[i].name, group + 1)))
			bw_buf_printf(out, "complete -c bpfwarden -n __fish_use_subcommand -fa %.*s\n", (int)group, subs[i].name);
	}
	for (unsigned int i = 0; i < n; i++)
		visit_command(&c, &subs[i]);
}

int cmd_completion(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden completion", "bash|zsh|fish", "Prints a shell's completion of bpfwarden's commands and options.",
		"bash: source <(bpfwarden completion bash). zsh: put it into a folder of $fpath as _bpfwarden.\n"
		"fish: bpfwarden completion fish > ~/.config/fish/completions/bpfwarden.fish"
	};
	const struct bw_opt opts[] = { BW_OPTS_HELP_ROW, { BW_OPT_END } };
	_cleanup_buf_ struct bw_buf out = { 0 };
	const struct bw_subcommand *subs;
	int nargs, r;
	unsigned int n;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	subs = bw_subcommands(&n);
	if (nargs == 1 && !strcmp(argv[1], "bash"))
		bash(&out, subs, n);
	else if (nargs == 1 && !strcmp(argv[1], "zsh"))
		zsh(&out, subs, n);
	else if (nargs == 1 && !strcmp(argv[1], "fish"))
		fish(&out, subs, n);
	else {
		fprintf(stderr, "%s: for which shell: bash, zsh or fish?\n", cmd.name);
		return BW_EXIT_INPUT;
	}
	return fwrite(bw_buf_cstr(&out), 1, out.len, stdout) == out.len ? BW_EXIT_OK : BW_EXIT_INTERNAL;
}
