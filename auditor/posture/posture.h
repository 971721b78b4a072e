/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_POSTURE_H
#define BW_POSTURE_H
/*
 * How hardened a host is against what BPF can be used for. Facts are read once (facts.c, people.c); checks are pure functions
 * from facts to results (checks.c); reports are pure functions from results to bytes (report.c). A fact that could not be
 * read is unknown and never counts as good.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auditor/arena.h"
#include "auditor/finding.h"
#include "common/buf.h"
#include "common/slice.h"

/* ---- facts ---------------------------------------------------------------------------------------------------------- */

enum posture_state {
	POSTURE_UNREAD, /* could not be read: unknown */
	POSTURE_ABSENT, /* was looked for where it would be, and is not there */
	POSTURE_VALUE,
};

struct posture_text {
	enum posture_state state;
	const char *text; /* never NULL; without the last line end */
};

/* name, path below /proc/sys, name in sysctl.d */
#define POSTURE_SYSCTLS(X)                                                                      \
	X(UNPRIV_BPF, "kernel/unprivileged_bpf_disabled", "kernel.unprivileged_bpf_disabled")    \
	X(JIT_ENABLE, "net/core/bpf_jit_enable", "net.core.bpf_jit_enable")                      \
	X(JIT_HARDEN, "net/core/bpf_jit_harden", "net.core.bpf_jit_harden")                      \
	X(JIT_KALLSYMS, "net/core/bpf_jit_kallsyms", "net.core.bpf_jit_kallsyms")                \
	X(KPTR, "kernel/kptr_restrict", "kernel.kptr_restrict")                                  \
	X(DMESG, "kernel/dmesg_restrict", "kernel.dmesg_restrict")                               \
	X(PERF, "kernel/perf_event_paranoid", "kernel.perf_event_paranoid")                      \
	X(YAMA, "kernel/yama/ptrace_scope", "kernel.yama.ptrace_scope")                          \
	X(KEXEC, "kernel/kexec_load_disabled", "kernel.kexec_load_disabled")                     \
	X(MODULES, "kernel/modules_disabled", "kernel.modules_disabled")                         \
	X(FTRACE, "kernel/ftrace_enabled", "kernel.ftrace_enabled")                              \
	X(IO_URING, "kernel/io_uring_disabled", "kernel.io_uring_disabled")                      \
	X(UFFD, "vm/unprivileged_userfaultfd", "vm.unprivileged_userfaultfd")                    \
	X(USERNS, "user/max_user_namespaces", "user.max_user_namespaces")                        \
	X(USERNS_CLONE, "kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone")

enum posture_sysctl_id {
#define X(id, path, name) POSTURE_SYSCTL_##id,
	POSTURE_SYSCTLS(X)
#undef X
	POSTURE_SYSCTL_COUNT
};

struct posture_mount {
	const char *type, *point, *options; /* as in /proc/self/mounts, escapes undone */
	bool mode_known;
	uint32_t mode, uid; /* of its root */
};

/* The capabilities that matter here, as bits of their own; CAP_SYS_ADMIN contains the others. */
#define POSTURE_CAP_SYS_ADMIN (1ULL << 21)
#define POSTURE_CAP_PERFMON   (1ULL << 38)
#define POSTURE_CAP_BPF	      (1ULL << 39)
#define POSTURE_CAPS	      (POSTURE_CAP_SYS_ADMIN | POSTURE_CAP_PERFMON | POSTURE_CAP_BPF)

struct posture_process {
	uint32_t pid, uid;
	uint64_t caps;		/* effective, of POSTURE_CAPS */
	bool container;		/* by its cgroup's name */
	bool other_userns;	/* its capabilities do not reach the host's kernel objects */
	bool userns_known;
	const char *comm;
};

struct posture_filecap {
	const char *path;
	uint64_t caps;
};

struct posture_unit {
	const char *name;
	uint64_t ambient; /* of POSTURE_CAPS */
	bool enabled;	  /* a .wants or .requires folder names it */
	bool early;	  /* DefaultDependencies=no */
};

struct posture_cve_id {
	uint32_t year, number;
};

/* What the change log of the running kernel's package names, sorted. */
struct posture_changelog {
	const char *from; /* where it was found; "": it was not */
	struct posture_cve_id *ids;
	size_t n_ids;
};

struct posture_host {
	struct bw_arena arena;
	struct posture_text release, version, arch, cmdline, lsm, lockdown, secure_boot, sig_enforce, os_id, ubuntu, dev_mem;
	struct posture_text spectre_v2;
	struct posture_text sysctl[POSTURE_SYSCTL_COUNT];
	struct posture_text config; /* the kernel's, whole */
	const char *config_from;
	struct posture_text mem_kb;
	struct posture_changelog changelog;
	bool mounts_known;
	struct posture_mount *mounts;
	size_t n_mounts;
	bool processes_known; /* all of them could be read */
	uint32_t n_all_processes;
	struct posture_process *processes; /* those with one of POSTURE_CAPS */
	size_t n_processes;
	bool filecaps_known;
	struct posture_filecap *filecaps;
	size_t n_filecaps;
	enum posture_state units_state; /* absent: no systemd */
	struct posture_unit *units;	/* with ambient capabilities of POSTURE_CAPS, and the guard's own */
	size_t n_units;
};

/* Reads everything below @root ("" is this host). Only -ENOMEM fails; what cannot be read is unknown. */
int posture_host_read(const char *root, struct posture_host *ret);
int posture_host_read_people(const char *root, struct posture_host *h);
int posture_host_read_packages(const char *root, struct posture_host *h);
void posture_host_free(struct posture_host *h);

const char *posture_sysctl_name(unsigned int id);
const char *posture_sysctl_path(unsigned int id);
/* @ret_value untouched unless the state is POSTURE_VALUE; a value that is no number is unread. */
enum posture_state posture_sysctl(const struct posture_host *h, unsigned int id, long *ret_value);
/* 'y', 'm', 'n', 'v' (another value); '?' when the configuration is not known. @name without CONFIG_. */
char posture_config(const struct posture_host *h, const char *name);
/* A word of the kernel's command line; with @value the text after "NAME=" of its last occurrence is stored there. */
bool posture_cmdline(const struct posture_host *h, const char *name, char *value, size_t size);

/* Shared by the two readers. */
struct posture_text posture_read(struct bw_arena *a, const char *root, const char *path);
/* One gzip member, at most @max bytes of it. */
int posture_read_gz(const char *root, const char *path, size_t max, struct bw_buf *out);

/* ---- change logs of packages ---------------------------------------------------------------------------------------- */

/* Only "CVE-YEAR-NUMBER" and nothing else. */
bool posture_cve_id_parse(const char *text, struct posture_cve_id *ret);
/* Every "CVE-YEAR-NUMBER" in @text; ret->from is "". -ENOMEM. */
int posture_changelog_scan(struct bw_slice text, struct bw_arena *a, struct posture_changelog *ret);
bool posture_changelog_names(const struct posture_changelog *c, const char *cve);
/* Of a Debian change log, the entry of @version and those before it in time. */
bool posture_changelog_since(struct bw_slice text, const char *version, struct bw_slice *ret);
/* The package's version in /proc/version_signature. */
bool posture_ubuntu_version(const char *signature, char *ret, size_t size);

struct posture_rpm {
	const char *name, *version, *release, *arch; /* inside the header */
	struct bw_slice changelog;		     /* strings, one after the other */
};

/* The header of an installed package; -EBADMSG. */
int posture_rpm_parse(struct bw_slice header, struct posture_rpm *ret);
/* Is it of the same build as the kernel whose uname(2) says @release? */
bool posture_rpm_is_kernel(const struct posture_rpm *r, const char *release);

/* ---- checks --------------------------------------------------------------------------------------------------------- */

enum posture_profile { POSTURE_WORKSTATION, POSTURE_SERVER, POSTURE_CONTAINER_HOST, POSTURE_STRICT, POSTURE_PROFILE_COUNT };

#define POSTURE_IN(p) (1u << (p))
#define POSTURE_ALL   0xfu

enum posture_verdict { POSTURE_PASS, POSTURE_FAIL, POSTURE_UNKNOWN, POSTURE_NA, POSTURE_VERDICT_COUNT };

struct posture_result {
	const struct posture_check *check;
	enum posture_verdict verdict;
	const char *value, *recommended, *detail;
};

struct posture_cves;

struct posture_ctx {
	const struct posture_host *host;
	const struct posture_cves *cves;
	enum posture_profile profile;
	struct bw_arena *arena;
};

struct posture_check {
	const char *id, *title;
	enum bw_severity severity;
	unsigned int profiles;
	const char *why, *source, *fix, *risk;
	enum posture_verdict (*judge)(const struct posture_ctx *c, const struct posture_check *k, struct posture_result *r);
	/* checks of one sysctl: pass from @want (of the profile) on. @settable: may be set at run time and taken back */
	int sysctl; /* enum posture_sysctl_id + 1; 0: none */
	long want, want_strict;
	bool settable;
};

struct posture_report {
	enum posture_profile profile;
	struct bw_arena arena;
	struct posture_result *results;
	size_t n_results;
	uint32_t count[POSTURE_VERDICT_COUNT];
	uint32_t earned, possible; /* weights; what is unknown earns nothing */
	uint32_t score;		   /* 0..100 */
	const struct posture_cves *cves;
	const struct posture_host *host;
	bool list_cves;
};

const struct posture_check *posture_checks(size_t *ret_n);
int posture_judge(const struct posture_host *h, const struct posture_cves *cves, enum posture_profile profile,
		  struct posture_report *ret);
void posture_report_free(struct posture_report *r);
const char *posture_profile_name(enum posture_profile p);
int posture_profile_id(const char *name);
const char *posture_verdict_name(enum posture_verdict v);
/* What a pass of this severity is worth. */
uint32_t posture_weight(enum bw_severity s);
/* What this profile wants of a check's sysctl. */
long posture_want(const struct posture_check *k, enum posture_profile p);

/* ---- known vulnerabilities ------------------------------------------------------------------------------------------ */

/* A row of rules/cve/kernel.tsv; its README says what the columns mean. */
struct posture_cve {
	const char *cve, *class, *arch, *introduced, *fixed;
	bool introduced_sure;
	const char *need, *features, *condition, *source;
	bool fixed_verified, introduced_verified;
	const char *condition_verified;
};

struct posture_version {
	unsigned int major, minor, patch;
	bool rc;
};

enum posture_backport {
	POSTURE_STREAM,	  /* the version is one of the stable streams: the rule applies as it is */
	POSTURE_BACKPORT, /* the distribution takes fixes (or features) from elsewhere: what looks affected may be fixed */
	POSTURE_REBASED,  /* features are backported, too: the version says nothing */
};

enum posture_cve_verdict {
	POSTURE_CVE_FIXED,
	POSTURE_CVE_BEFORE,	 /* older than the mistake */
	POSTURE_CVE_OTHER_ARCH,
	POSTURE_CVE_UNREACHABLE, /* affected, but what it needs is not there */
	POSTURE_CVE_PRIVILEGED,	 /* affected; needs CAP_BPF or more */
	POSTURE_CVE_ANYONE,	 /* affected; an ordinary user will do */
	POSTURE_CVE_BACKPORT,	 /* would be affected, but the distribution may have fixed it */
	POSTURE_CVE_UNKNOWN,
	POSTURE_CVE_COUNT,
};

struct posture_cve_result {
	const struct posture_cve *cve;
	enum posture_cve_verdict verdict;
	const char *why;
};

struct posture_cves {
	struct bw_arena arena;
	bool known; /* the kernel's version is */
	struct posture_version kernel;
	enum posture_backport backport;
	const char *basis; /* where the version comes from */
	const char *changelog; /* and where the fixes beyond it; "": nowhere */
	struct posture_cve_result *results;
	size_t n_results;
	uint32_t count[POSTURE_CVE_COUNT];
};

const struct posture_cve *posture_cve_rows(size_t *ret_n);
const char *posture_cve_as_of(void);
const char *posture_cve_verdict_name(enum posture_cve_verdict v);
bool posture_version_parse(const char *s, struct posture_version *ret);
/* Which upstream version this kernel is, and whether that says everything. @ret_basis is a static text. */
bool posture_kernel_version(const struct posture_host *h, struct posture_version *ret, enum posture_backport *ret_backport,
			    const char **ret_basis);
/* FIXED, BEFORE, UNKNOWN, or PRIVILEGED for "affected" by version alone. */
enum posture_cve_verdict posture_cve_by_version(const struct posture_cve *c, const struct posture_version *k);
int posture_cves_judge(const struct posture_host *h, struct posture_cves *ret);
void posture_cves_free(struct posture_cves *c);

/* ---- output, changes ------------------------------------------------------------------------------------------------ */

void posture_write_text(const struct posture_report *r, bool all, struct bw_buf *out);
void posture_write_json(const struct posture_report *r, struct bw_buf *out);
void posture_write_sarif(const struct posture_report *r, struct bw_buf *out);
void posture_write_html(const struct posture_report *r, struct bw_buf *out);

#define POSTURE_SYSCTL_FILE "/etc/sysctl.d/99-bpfwarden.conf"
#define POSTURE_UNDO_FILE   "/var/lib/bpfwarden/posture-undo.json"

struct posture_change {
	int sysctl;
	long from, to;
};

struct posture_plan {
	struct bw_arena arena;
	struct posture_change *changes;
	size_t n_changes;
	char *old_file, *new_file; /* old_file NULL: there is none */
};

/* What --fix would do; nothing is written. */
int posture_plan_make(const struct posture_report *r, const char *root, struct posture_plan *ret);
void posture_plan_diff(const struct posture_plan *p, struct bw_buf *out);
/*
 * Records what was there, writes the file, sets the values below @root. After a failure everything is as before; *ret_what
 * names what failed.
 */
int posture_plan_apply(const struct posture_plan *p, const char *root, const char **ret_what);
/* -ENOENT: nothing to take back. -EEXIST: somebody else changed it meanwhile; *ret_left says what was left alone. */
int posture_undo(const char *root, struct bw_buf *said);
void posture_plan_free(struct posture_plan *p);

#endif
