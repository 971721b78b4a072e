// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Known vulnerabilities, judged per stable stream: a kernel X.Y.Z is affected when X.Y.Z has the mistake and its own
 * stream has no fix at or before Z. Intervals from introduction to the mainline's fix would report what was fixed in
 * the stream long ago.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "auditor/posture/posture.h"
#include "common/cleanup.h"

#include "auditor/posture/cve_table.h"

const struct posture_cve *posture_cve_rows(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(posture_cve_table);
	return posture_cve_table;
}

const char *posture_cve_as_of(void)
{
	return POSTURE_CVE_AS_OF;
}

const char *posture_cve_verdict_name(enum posture_cve_verdict v)
{
	static const char *const names[] = {
		[POSTURE_CVE_FIXED] = "fixed",
		[POSTURE_CVE_BEFORE] = "not-introduced",
		[POSTURE_CVE_OTHER_ARCH] = "other-architecture",
		[POSTURE_CVE_UNREACHABLE] = "affected-not-reachable",
		[POSTURE_CVE_PRIVILEGED] = "affected-privileged",
		[POSTURE_CVE_ANYONE] = "affected-anyone",
		[POSTURE_CVE_BACKPORT] = "unknown-backport",
		[POSTURE_CVE_UNKNOWN] = "unknown",
	};

	return names[v];
}

static bool number(const char **p, unsigned int *ret)
{
	unsigned long v = 0;
	const char *s = *p;

	if (!isdigit((unsigned char)*s))
		return false;
	while (isdigit((unsigned char)*s) && v < 100000)
		v = v * 10 + (unsigned long)(*s++ - '0');
	*p = s;
	*ret = (unsigned int)v;
	return v < 100000;
}

bool posture_version_parse(const char *s, struct posture_version *ret)
{
	struct posture_version v = { 0 };

	if (!number(&s, &v.major) || *s++ != '.' || !number(&s, &v.minor))
		return false;
	if (*s == '.' && isdigit((unsigned char)s[1])) {
		s++;
		if (!number(&s, &v.patch))
			return false;
	}
	v.rc = (*s == '-' || *s == '~') && !strncmp(s + 1, "rc", 2);
	*ret = v;
	return true;
}

static int stream_compare(unsigned int a, unsigned int b, unsigned int c, unsigned int d)
{
	return a != c ? (a < c ? -1 : 1) : b != d ? (b < d ? -1 : 1) : 0;
}

struct entry {
	struct posture_version v;
	bool mainline; /* X.Y: the first release of the mainline */
};

/* The next of "5.10.44,5.13". */
static bool next_entry(const char **p, struct entry *ret)
{
	const char *s = *p;
	unsigned int dots = 0;

	if (!*s || !posture_version_parse(s, &ret->v))
		return false;
	for (; *s && *s != ','; s++)
		dots += *s == '.';
	ret->mainline = dots == 1;
	*p = *s ? s + 1 : s;
	return true;
}

/* -1 no, 1 yes, 0 not known. */
static int has_mistake(const struct posture_cve *c, const struct posture_version *k)
{
	const char *p = c->introduced;
	struct entry e;
	bool any = false;

	while (next_entry(&p, &e)) {
		int r = stream_compare(k->major, k->minor, e.v.major, e.v.minor);

		any = true;
		if (!e.mainline && !r)
			return k->patch >= e.v.patch ? 1 : -1;
		if (e.mainline && r >= 0)
			return 1;
	}
	if (!any)
		return 0;
	return c->introduced_sure ? -1 : 0;
}

static int has_fix(const struct posture_cve *c, const struct posture_version *k)
{
	const char *p = c->fixed;
	struct entry e, last = { 0 };

	while (next_entry(&p, &e)) {
		int r = stream_compare(k->major, k->minor, e.v.major, e.v.minor);

		if (!e.mainline && !r)
			return k->patch >= e.v.patch ? 1 : -1;
		if (e.mainline && !r && k->rc)
			return 0;
		last = e;
	}
	if (!last.v.major)
		return 0;
	/*
	 * The last is the mainline's release, or, where only streams are known, the newest stream that needed the fix:
	 * what came after it was made from a mainline that had it.
	 */
	return stream_compare(k->major, k->minor, last.v.major, last.v.minor) >= 0 ? 1 : -1;
}

enum posture_cve_verdict posture_cve_by_version(const struct posture_cve *c, const struct posture_version *k)
{
	int fix = has_fix(c, k), mistake = has_mistake(c, k);

	if (fix > 0)
		return POSTURE_CVE_FIXED;
	if (mistake < 0)
		return POSTURE_CVE_BEFORE;
	if (!fix || !mistake)
		return POSTURE_CVE_UNKNOWN;
	return POSTURE_CVE_PRIVILEGED;
}

/* ".el9", ".amzn2023", "-uek": distributions that backport features and fixes to an old version number. */
static bool is_rebased(const char *release)
{
	static const char *const marks[] = { ".el7", ".el8", ".el9", ".el10", ".amzn", ".oe1",
					     ".oe2", ".an7", ".an8", ".tl3",  ".tl4",  "uek" };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (strstr(release, marks[i]))
			return true;
	return false;
}

bool posture_kernel_version(const struct posture_host *h, struct posture_version *ret,
			    enum posture_backport *ret_backport, const char **ret_basis)
{
	const char *release = h->release.text, *debian, *sig;

	if (h->release.state != POSTURE_VALUE)
		return false;
	if (is_rebased(release)) {
		*ret_backport = POSTURE_REBASED;
		*ret_basis = "a distribution kernel that backports features and fixes to an old version number";
		return posture_version_parse(release, ret);
	}
	/* "... #1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (...)": its release says 6.1.0-56 */
	debian = h->version.state == POSTURE_VALUE ? strstr(h->version.text, " Debian ") : NULL;
	if (debian && posture_version_parse(debian + 8, ret)) {
		*ret_backport = POSTURE_STREAM;
		*ret_basis = "Debian's package version, which is that of the stable stream";
		return true;
	}
	/* "Ubuntu 5.15.0-91.101-generic 5.15.131": the last word is the stable release it is based on */
	sig = h->ubuntu.state == POSTURE_VALUE ? strrchr(h->ubuntu.text, ' ') : NULL;
	if (sig && posture_version_parse(sig + 1, ret)) {
		*ret_backport = POSTURE_BACKPORT;
		*ret_basis = "the stable release that Ubuntu's kernel is based on; Ubuntu adds fixes of its own";
		return true;
	}
	*ret_backport = POSTURE_STREAM;
	*ret_basis = "the kernel's release, taken for one of the stable stream";
	if (h->version.state == POSTURE_VALUE && strstr(h->version.text, "Ubuntu")) {
		*ret_backport = POSTURE_BACKPORT;
		*ret_basis = "Ubuntu's release number, which hides the stable release";
	} else if (h->os_id.state == POSTURE_VALUE &&
		   (!strncmp(h->os_id.text, "sle", 3) || !strncmp(h->os_id.text, "opensuse-leap", 13))) {
		*ret_backport = POSTURE_REBASED;
		*ret_basis = "a SUSE kernel, which backports features and fixes";
	} else if (debian) {
		*ret_backport = POSTURE_BACKPORT;
		*ret_basis = "a Debian kernel whose package version was not understood";
	}
	return posture_version_parse(release, ret);
}

/* ---- is what it needs there?
 * ------------------------------------------------------------------------------------------ */

struct feature {
	const char *name, *option, *other; /* not reachable when neither is built */
};

/* What the piece of code that has the mistake is built under (Kconfig). */
static const struct feature features[] = {
	{ "af_xdp", "XDP_SOCKETS", NULL },
	{ "cgroup", "CGROUP_BPF", NULL },
	{ "sockmap", "NET_SOCK_MSG", "BPF_STREAM_PARSER" },
	{ "lsm", "BPF_LSM", NULL },
	{ "uprobe", "UPROBE_EVENTS", NULL },
	{ "kprobe_multi", "FPROBE", NULL },
	{ "tracing", "BPF_EVENTS", NULL },
	{ "trampoline", "BPF_JIT", NULL },
	{ "struct_ops", "BPF_JIT", NULL },
	{ "jit", "BPF_JIT", NULL },
	{ "netdevsim", "NETDEVSIM", NULL },
	{ "test_run", "NET", NULL },
};

static bool word_in(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list) {
		size_t n = strcspn(list, ",");

		if (n == len && !strncmp(list, word, n))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

static const char *not_there(const struct posture_host *h, const struct posture_cve *c, struct bw_arena *a)
{
	long v;

	if (posture_config(h, "BPF_SYSCALL") == 'n' && strcmp(c->need, "any"))
		return "CONFIG_BPF_SYSCALL is not set";
	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *f = &features[i];

		if (word_in(c->features, f->name) && posture_config(h, f->option) == 'n' &&
		    (!f->other || posture_config(h, f->other) == 'n')) {
			const char *s = bw_arena_printf(a, "CONFIG_%s is not set", f->option);

			return s ? s : "a part of the kernel that is not built";
		}
	}
	if (word_in(c->features, "jit") && !strcmp(c->class, "jit") &&
	    posture_sysctl(h, POSTURE_SYSCTL_JIT_ENABLE, &v) == POSTURE_VALUE && !v)
		return "the JIT is off";
	if (word_in(c->features, "ram32g") && h->mem_kb.state == POSTURE_VALUE &&
	    strtoull(h->mem_kb.text, NULL, 10) < (30ull << 20))
		return "less than 32 GiB of memory";
	return NULL;
}

static bool other_arch(const struct posture_host *h, const struct posture_cve *c)
{
	static const struct {
		const char *machine, *arch;
	} known[] = { { "x86_64", "x86" },	{ "i686", "x86" },
		      { "aarch64", "arm64" },	{ "loongarch64", "loongarch" },
		      { "mips64", "mips" },	{ "mips", "mips" },
		      { "ppc64le", "powerpc" }, { "ppc64", "powerpc" },
		      { "riscv64", "riscv" },	{ "s390x", "s390" } };

	if (!strcmp(c->arch, "all"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (h->arch.state == POSTURE_VALUE && !strcmp(h->arch.text, known[i].machine))
			return strcmp(known[i].arch, c->arch) != 0;
	return posture_config(h, "X86_64") == 'y' && strcmp(c->arch, "x86");
}

static void judge_one(const struct posture_host *h, struct posture_cves *s, const struct posture_cve *c,
		      struct posture_cve_result *r)
{
	enum posture_state unpriv;
	const char *missing;
	long off = 0;

	r->cve = c;
	r->why = "";
	r->verdict = s->known ? posture_cve_by_version(c, &s->kernel) : POSTURE_CVE_UNKNOWN;
	if (other_arch(h, c)) {
		r->verdict = POSTURE_CVE_OTHER_ARCH;
		return;
	}
	/* What the release has, a kernel made from it has; what it has not, it may have all the same. */
	if (s->backport == POSTURE_REBASED && s->known && r->verdict != POSTURE_CVE_FIXED) {
		r->verdict = POSTURE_CVE_BACKPORT;
		r->why = s->basis;
	} else if (r->verdict == POSTURE_CVE_FIXED || r->verdict == POSTURE_CVE_BEFORE) {
		return;
	} else if (r->verdict == POSTURE_CVE_UNKNOWN) {
		r->why = !s->known		       ? "the kernel's version is not known"
			 : *c->introduced && *c->fixed ? "when it was introduced is not known for certain"
			 : *c->fixed ? "not fixed in this stream, and when it was introduced is not known"
				     : "where it was fixed is not known";
	} else if (s->backport == POSTURE_BACKPORT) {
		r->verdict = POSTURE_CVE_BACKPORT;
		r->why = s->basis;
	}
	if (s->backport != POSTURE_STREAM && *s->changelog) {
		if (posture_changelog_names(&h->changelog, c->cve)) {
			r->verdict = POSTURE_CVE_FIXED;
			r->why = "named in the package's change log";
			return;
		}
		if (r->verdict == POSTURE_CVE_BACKPORT)
			r->why = "not named in the package's change log";
	}
	missing = not_there(h, c, &s->arena);
	if (missing) {
		r->verdict = POSTURE_CVE_UNREACHABLE;
		r->why = missing;
		return;
	}
	if (r->verdict != POSTURE_CVE_PRIVILEGED)
		return;
	r->why = "needs CAP_BPF or CAP_SYS_ADMIN";
	if (!strcmp(c->need, "any")) {
		r->verdict = POSTURE_CVE_ANYONE;
		r->why = "classic BPF, which any user may load";
	} else if (!strcmp(c->need, "unpriv")) {
		unpriv = posture_sysctl(h, POSTURE_SYSCTL_UNPRIV_BPF, &off);
		if (unpriv == POSTURE_VALUE && off) {
			r->why = "unprivileged BPF is off: needs CAP_BPF or CAP_SYS_ADMIN";
		} else {
			r->verdict = POSTURE_CVE_ANYONE;
			r->why = unpriv == POSTURE_VALUE ? "unprivileged BPF is on"
							 : "whether unprivileged BPF is off is not known";
		}
	}
}

int posture_cves_judge(const struct posture_host *h, struct posture_cves *ret)
{
	struct posture_cves s = { .basis = "", .changelog = h->changelog.from ? h->changelog.from : "" };

	s.known = posture_kernel_version(h, &s.kernel, &s.backport, &s.basis);
	s.results = bw_arena_alloc(&s.arena, ARRAY_SIZE(posture_cve_table), sizeof(*s.results));
	if (!s.results)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(posture_cve_table); i++) {
		/* those of user space are in the data for the sake of completeness */
		if (!strcmp(posture_cve_table[i].need, "userspace"))
			continue;
		judge_one(h, &s, &posture_cve_table[i], &s.results[s.n_results]);
		s.count[s.results[s.n_results++].verdict]++;
	}
	*ret = s;
	return 0;
}

void posture_cves_free(struct posture_cves *c)
{
	bw_arena_free(&c->arena);
	memset(c, 0, sizeof(*c));
}
