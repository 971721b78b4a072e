/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_OPTS_H
#define BW_OPTS_H
/*
 * One table per command drives option parsing, --help, shell completion and the man page.
 */
#include <stdbool.h>
#include <stdio.h>

enum bw_opt_type {
	BW_OPT_END,    /* ends the table */
	BW_OPT_FLAG,   /* bool *: set to true */
	BW_OPT_STRING, /* const char **: the last one wins; points into argv */
	BW_OPT_UINT,   /* unsigned int *: decimal, the whole word */
	BW_OPT_LIST,   /* struct bw_strlist *: may be given several times */
	BW_OPT_CHOICE, /* const char **: one of the words in .arg, separated by '|' */
};

/* Borrowed strings, in the order given. */
struct bw_strlist {
	const char **items; /* owned array of borrowed strings */
	unsigned int n;
};

struct bw_opt {
	enum bw_opt_type type;
	char short_name; /* 0 for none */
	const char *name; /* without the dashes */
	void *value;
	const char *arg; /* its name in the help (or the choices); NULL for a flag */
	const char *help;
};

struct bw_command {
	const char *name;     /* "bpfwarden policy add" */
	const char *synopsis; /* the operands: "FILE..." */
	const char *summary;  /* one line */
	const char *details;  /* paragraphs for --help and the man page; may be NULL */
};

/*
 * Parses argv[1..] (GNU style: operands and options may be mixed, "--" ends the options, --name=value and --name value).
 * --help prints the help. Operands are moved to the front of argv; *ret_nargs says how many there are (argv[1..]).
 * Returns 0; 1 when help was printed and the command should exit 0; -EINVAL after printing one line that says what is wrong.
 */
int bw_opts_parse(const struct bw_command *cmd, const struct bw_opt *opts, int argc, char **argv, int *ret_nargs);

/*
 * With a visitor set, bw_opts_parse() hands it the command and its table and returns 1 instead of parsing: that is how
 * shell completion learns the options of all commands. NULL unsets it.
 */
typedef void (*bw_opts_visit_fn)(void *ctx, const struct bw_command *cmd, const struct bw_opt *opts);
void bw_opts_set_visitor(bw_opts_visit_fn fn, void *ctx);

void bw_opts_help(const struct bw_command *cmd, const struct bw_opt *opts, FILE *out);
void bw_strlist_free(struct bw_strlist *l);

#define BW_OPTS_HELP_ROW { BW_OPT_FLAG, 'h', "help", NULL, NULL, "print this help" }

#endif
