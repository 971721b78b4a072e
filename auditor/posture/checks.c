// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The checks: a table, and one function per kind of fact. Pure: facts in, results out. */
#include <stdio.h>
#include <string.h>

#include "auditor/posture/posture.h"
#include "common/cleanup.h"

#define JUDGE(name)                                                                                                    \
	static enum posture_verdict name(const struct posture_ctx *c, const struct posture_check *k,                   \
					 struct posture_result *r)
#define SAY(...) bw_arena_printf(c->arena, __VA_ARGS__)

long posture_want(const struct posture_check *k, enum posture_profile p)
{
	return p == POSTURE_STRICT ? k->want_strict : k->want;
}

static bool lockdown_is_on(const struct posture_host *h, bool *ret_known)
{
	*ret_known = h->lockdown.state == POSTURE_VALUE;
	return *ret_known && !strstr(h->lockdown.text, "[none]") && strchr(h->lockdown.text, '[');
}

/* A yes or no by the configuration; "unknown" when it cannot be read. */
static char config_of(const struct posture_ctx *c, const char *name, struct posture_result *r)
{
	char v = posture_config(c->host, name);

	r->value = v == '?'   ? "the kernel's configuration cannot be read"
		   : v == 'n' ? SAY("CONFIG_%s is not set", name)
			      : SAY("CONFIG_%s=%c", name, v == 'v' ? '*' : v);
	return v;
}

/* ---- sysctls --------------------------------------------------------------------------------------------------------
 */

/* Values from the wanted one on are good. */
JUDGE(judge_sysctl)
{
	long v = 0, want = posture_want(k, c->profile);

	r->recommended = SAY("%s = %ld%s", posture_sysctl_name((unsigned int)k->sysctl - 1), want,
			     k->want_strict > want ? " or more" : "");
	switch (posture_sysctl(c->host, (unsigned int)k->sysctl - 1, &v)) {
	case POSTURE_VALUE:
		r->value = SAY("%ld", v);
		return v >= want ? POSTURE_PASS : POSTURE_FAIL;
	case POSTURE_ABSENT:
		r->value = "not in this kernel";
		return POSTURE_UNKNOWN;
	default:
		return POSTURE_UNKNOWN;
	}
}

JUDGE(judge_unprivileged)
{
	enum posture_verdict v = judge_sysctl(c, k, r);

	if (v == POSTURE_UNKNOWN && posture_config(c->host, "BPF_SYSCALL") == 'n') {
		r->value = "the kernel has no bpf()";
		return POSTURE_NA;
	}
	return v;
}

JUDGE(judge_jit)
{
	long v = 0;

	r->recommended = "net.core.bpf_jit_enable = 1";
	if (posture_config(c->host, "BPF_JIT_ALWAYS_ON") == 'y') {
		r->value = "CONFIG_BPF_JIT_ALWAYS_ON=y: there is no interpreter";
		return POSTURE_PASS;
	}
	if (posture_sysctl(c->host, POSTURE_SYSCTL_JIT_ENABLE, &v) != POSTURE_VALUE)
		return POSTURE_UNKNOWN;
	r->value = SAY("%ld", v);
	r->detail = v == 2 ? "machine code and its addresses are written to the kernel's log" : "";
	return v == 1 ? POSTURE_PASS : POSTURE_FAIL;
}

JUDGE(judge_jit_kallsyms)
{
	long v = 0, harden = 0;

	r->recommended = "net.core.bpf_jit_kallsyms = 0, or net.core.bpf_jit_harden other than 0";
	if (posture_sysctl(c->host, POSTURE_SYSCTL_JIT_HARDEN, &harden) == POSTURE_VALUE && harden) {
		r->value = SAY("not shown, since net.core.bpf_jit_harden is %ld", harden);
		return POSTURE_PASS;
	}
	if (posture_sysctl(c->host, POSTURE_SYSCTL_JIT_KALLSYMS, &v) != POSTURE_VALUE)
		return POSTURE_UNKNOWN;
	r->value = SAY("%ld", v);
	return v ? POSTURE_FAIL : POSTURE_PASS;
}

JUDGE(judge_kexec)
{
	enum posture_verdict v = judge_sysctl(c, k, r);
	bool known;

	if (v == POSTURE_UNKNOWN && c->host->sysctl[POSTURE_SYSCTL_KEXEC].state == POSTURE_ABSENT) {
		r->value = "kexec is not in this kernel";
		return POSTURE_PASS;
	}
	if (v == POSTURE_FAIL && lockdown_is_on(c->host, &known)) {
		r->value = SAY("%s, but lockdown admits signed kernels only", r->value);
		return POSTURE_PASS;
	}
	return v;
}

JUDGE(judge_modules)
{
	enum posture_verdict v = judge_sysctl(c, k, r);

	if (posture_config(c->host, "MODULES") == 'n' || posture_cmdline(c->host, "nomodule", NULL, 0)) {
		r->value = "the kernel loads no modules";
		return POSTURE_PASS;
	}
	return v;
}

JUDGE(judge_module_signature)
{
	const struct posture_host *h = c->host;
	bool known, locked = lockdown_is_on(h, &known);
	char force = posture_config(h, "MODULE_SIG_FORCE"), modules = posture_config(h, "MODULES");
	long off = 0;

	r->recommended = "only signed modules are loaded (module.sig_enforce=1, lockdown, or none at all)";
	if (modules == 'n' || posture_cmdline(h, "nomodule", NULL, 0)) {
		r->value = "the kernel loads no modules";
		return POSTURE_PASS;
	}
	if (posture_sysctl(h, POSTURE_SYSCTL_MODULES, &off) == POSTURE_VALUE && off) {
		r->value = "loading modules is switched off";
		return POSTURE_PASS;
	}
	if (locked || force == 'y' || (h->sig_enforce.state == POSTURE_VALUE && h->sig_enforce.text[0] == 'Y')) {
		r->value = locked ? "required by lockdown" : "required";
		return POSTURE_PASS;
	}
	/* without CONFIG_MODULE_SIG there is no such parameter */
	if (h->sig_enforce.state == POSTURE_UNREAD)
		return POSTURE_UNKNOWN;
	r->value =
		h->sig_enforce.state == POSTURE_ABSENT ? "signatures are not checked" : "unsigned modules are loaded";
	return POSTURE_FAIL;
}

JUDGE(judge_yama)
{
	enum posture_verdict v = judge_sysctl(c, k, r);

	if (v == POSTURE_UNKNOWN && c->host->sysctl[POSTURE_SYSCTL_YAMA].state == POSTURE_ABSENT) {
		r->value = "Yama is not active";
		return POSTURE_FAIL;
	}
	return v;
}

JUDGE(judge_ftrace)
{
	enum posture_verdict v = judge_sysctl(c, k, r);

	if (v == POSTURE_UNKNOWN && c->host->sysctl[POSTURE_SYSCTL_FTRACE].state == POSTURE_ABSENT)
		return POSTURE_NA;
	return v;
}

JUDGE(judge_io_uring)
{
	enum posture_verdict v = judge_sysctl(c, k, r);
	char built = posture_config(c->host, "IO_URING");

	if (v != POSTURE_UNKNOWN || c->host->sysctl[POSTURE_SYSCTL_IO_URING].state != POSTURE_ABSENT)
		return v;
	r->value = built == 'n' ? "io_uring is not in this kernel"
				: "this kernel cannot switch it off (6.6 and later can)";
	return built == 'n' ? POSTURE_PASS : built == '?' ? POSTURE_UNKNOWN : POSTURE_FAIL;
}

/* Good are 0 and absence: a kernel without userfaultfd, or from before the setting (5.2), where config tells them
 * apart. */
JUDGE(judge_userfaultfd)
{
	long v = 0;

	r->recommended = "vm.unprivileged_userfaultfd = 0";
	switch (posture_sysctl(c->host, POSTURE_SYSCTL_UFFD, &v)) {
	case POSTURE_VALUE:
		r->value = SAY("%ld", v);
		return v ? POSTURE_FAIL : POSTURE_PASS;
	case POSTURE_ABSENT:
		r->value = "not in this kernel";
		return posture_config(c->host, "USERFAULTFD") == 'n' ? POSTURE_PASS : POSTURE_UNKNOWN;
	default:
		return POSTURE_UNKNOWN;
	}
}

JUDGE(judge_userns)
{
	long max = 0, clone = 1;
	enum posture_state s = posture_sysctl(c->host, POSTURE_SYSCTL_USERNS, &max);

	r->recommended = "user.max_user_namespaces = 0, or kernel.unprivileged_userns_clone = 0 (Debian, Ubuntu)";
	if (posture_sysctl(c->host, POSTURE_SYSCTL_USERNS_CLONE, &clone) == POSTURE_VALUE && !clone) {
		r->value = "only with CAP_SYS_ADMIN";
		return POSTURE_PASS;
	}
	if (s == POSTURE_UNREAD)
		return POSTURE_UNKNOWN;
	r->value = s == POSTURE_ABSENT ? "not in this kernel" : max ? SAY("up to %ld, by any user", max) : "none";
	return s == POSTURE_ABSENT || !max ? POSTURE_PASS : POSTURE_FAIL;
}

/* ---- what was built and booted
 * ---------------------------------------------------------------------------------------- */

JUDGE(judge_unpriv_default)
{
	char v = config_of(c, "BPF_UNPRIV_DEFAULT_OFF", r);

	r->recommended = "CONFIG_BPF_UNPRIV_DEFAULT_OFF=y";
	return v == '?' ? POSTURE_UNKNOWN : v == 'y' ? POSTURE_PASS : POSTURE_FAIL;
}

JUDGE(judge_kprobe_override)
{
	char v = config_of(c, "BPF_KPROBE_OVERRIDE", r);

	r->recommended = "CONFIG_BPF_KPROBE_OVERRIDE is not set";
	return v == '?' ? POSTURE_UNKNOWN : v == 'n' ? POSTURE_PASS : POSTURE_FAIL;
}

JUDGE(judge_error_injection)
{
	char v = config_of(c, "FUNCTION_ERROR_INJECTION", r);

	r->recommended = "CONFIG_FUNCTION_ERROR_INJECTION is not set";
	return v == '?' ? POSTURE_UNKNOWN : v == 'n' ? POSTURE_PASS : POSTURE_FAIL;
}

static bool lsm_active(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (*list) {
		size_t n = strcspn(list, ",\n");

		if (n == len && !strncmp(list, name, n))
			return true;
		list += n + (list[n] != 0);
	}
	return false;
}

JUDGE(judge_bpf_lsm)
{
	const struct posture_host *h = c->host;

	r->recommended = "bpf is in the list of active security modules";
	if (h->lsm.state != POSTURE_VALUE) {
		if (posture_config(h, "BPF_LSM") != 'n')
			return POSTURE_UNKNOWN;
		r->value = "CONFIG_BPF_LSM is not set";
		return POSTURE_FAIL;
	}
	r->value = h->lsm.text;
	if (lsm_active(h->lsm.text, "bpf"))
		return POSTURE_PASS;
	if (posture_config(h, "BPF_LSM") == 'n')
		r->detail = "this kernel has no BPF LSM: CONFIG_BPF_LSM is not set";
	else
		r->detail = SAY("boot parameter: lsm=%s,bpf", h->lsm.text);
	return POSTURE_FAIL;
}

JUDGE(judge_lockdown)
{
	const struct posture_host *h = c->host;
	bool known, on = lockdown_is_on(h, &known), strict = c->profile == POSTURE_STRICT;

	r->recommended = strict ? "confidentiality" : "integrity or confidentiality";
	if (!known) {
		bool listed = h->lsm.state == POSTURE_VALUE;

		if (!listed && posture_config(h, "SECURITY_LOCKDOWN_LSM") != 'n')
			return POSTURE_UNKNOWN;
		if (listed && lsm_active(h->lsm.text, "lockdown"))
			return POSTURE_UNKNOWN;
		r->value = "lockdown is not active";
		return POSTURE_FAIL;
	}
	r->value = h->lockdown.text;
	return on && (!strict || strstr(h->lockdown.text, "[confidentiality]")) ? POSTURE_PASS : POSTURE_FAIL;
}

JUDGE(judge_dev_mem)
{
	const struct posture_host *h = c->host;
	char mem = posture_config(h, "DEVMEM"), strict = posture_config(h, "STRICT_DEVMEM");
	bool known;

	r->recommended = "CONFIG_DEVMEM is not set, or CONFIG_STRICT_DEVMEM=y, or lockdown";
	if (mem == 'n' || lockdown_is_on(h, &known)) {
		r->value = mem == 'n' ? "CONFIG_DEVMEM is not set" : "closed by lockdown";
		return POSTURE_PASS;
	}
	if (mem == '?')
		return POSTURE_UNKNOWN;
	r->value = strict == 'y' ? "CONFIG_STRICT_DEVMEM=y" : "CONFIG_DEVMEM=y, CONFIG_STRICT_DEVMEM is not set";
	return strict == 'y' ? POSTURE_PASS : POSTURE_FAIL;
}

JUDGE(judge_kcore)
{
	const struct posture_host *h = c->host;
	char v = config_of(c, "PROC_KCORE", r);

	r->recommended = "CONFIG_PROC_KCORE is not set, or lockdown=confidentiality";
	if (h->lockdown.state == POSTURE_VALUE && strstr(h->lockdown.text, "[confidentiality]")) {
		r->value = "closed by lockdown";
		return POSTURE_PASS;
	}
	return v == '?' ? POSTURE_UNKNOWN : v == 'n' ? POSTURE_PASS : POSTURE_FAIL;
}

JUDGE(judge_kaslr)
{
	char v = posture_config(c->host, "RANDOMIZE_BASE");

	r->recommended = "CONFIG_RANDOMIZE_BASE=y and no nokaslr";
	if (posture_cmdline(c->host, "nokaslr", NULL, 0)) {
		r->value = "nokaslr on the command line";
		return POSTURE_FAIL;
	}
	if (v == '?' || c->host->cmdline.state != POSTURE_VALUE)
		return POSTURE_UNKNOWN;
	r->value = v == 'y' ? "on" : "CONFIG_RANDOMIZE_BASE is not set";
	return v == 'y' ? POSTURE_PASS : POSTURE_FAIL;
}

JUDGE(judge_mitigations)
{
	char value[64] = "";
	const struct posture_text *v2 = &c->host->spectre_v2;

	r->recommended =
		"mitigations are on and /sys/devices/system/cpu/vulnerabilities/spectre_v2 does not say Vulnerable";
	if (posture_cmdline(c->host, "mitigations", value, sizeof(value)) && !strncmp(value, "off", 3)) {
		r->value = "mitigations=off";
		return POSTURE_FAIL;
	}
	if (posture_cmdline(c->host, "nospectre_v1", NULL, 0) || posture_cmdline(c->host, "nospectre_v2", NULL, 0) ||
	    posture_cmdline(c->host, "nospec_store_bypass_disable", NULL, 0)) {
		r->value = "switched off on the command line";
		return POSTURE_FAIL;
	}
	if (c->host->cmdline.state != POSTURE_VALUE || v2->state != POSTURE_VALUE)
		return POSTURE_UNKNOWN;
	r->value = v2->text;
	return strstr(v2->text, "Vulnerable") ? POSTURE_FAIL : POSTURE_PASS;
}

JUDGE(judge_secure_boot)
{
	r->recommended = "on";
	if (c->host->secure_boot.state == POSTURE_UNREAD)
		return POSTURE_UNKNOWN;
	if (c->host->secure_boot.state == POSTURE_ABSENT) {
		r->value = "not booted by UEFI";
		return POSTURE_NA;
	}
	r->value = c->host->secure_boot.text;
	return !strcmp(r->value, "on") ? POSTURE_PASS : POSTURE_FAIL;
}

/* ---- mounts ---------------------------------------------------------------------------------------------------------
 */

/* Fails when the root of a mount of @type has one of the bits of @mask. */
static enum posture_verdict judge_mode(const struct posture_ctx *c, struct posture_result *r, const char *type,
				       uint32_t mask)
{
	const struct posture_host *h = c->host;
	bool unknown = false, any = false;

	if (!h->mounts_known)
		return POSTURE_UNKNOWN;
	for (size_t i = 0; i < h->n_mounts; i++) {
		const struct posture_mount *m = &h->mounts[i];

		if (strcmp(m->type, type))
			continue;
		any = true;
		unknown |= !m->mode_known;
		if (m->mode_known && (m->mode & mask)) {
			r->value = SAY("%s: mode %04o", m->point, m->mode);
			return POSTURE_FAIL;
		}
		if (m->mode_known && !*r->value)
			r->value = SAY("%s: mode %04o", m->point, m->mode);
	}
	if (!any)
		r->value = "not mounted";
	return unknown ? POSTURE_UNKNOWN : POSTURE_PASS;
}

JUDGE(judge_bpffs)
{
	r->recommended = "mode 0700";
	return judge_mode(c, r, "bpf", 0022);
}

JUDGE(judge_debugfs)
{
	enum posture_verdict v = judge_mode(c, r, "debugfs", 0055);

	r->recommended = "not mounted, or mode 0700";
	return v;
}

JUDGE(judge_tracefs)
{
	enum posture_verdict v = judge_mode(c, r, "tracefs", 0022 | 0005);

	r->recommended = "not open to others";
	return v;
}

JUDGE(judge_delegation)
{
	const struct posture_host *h = c->host;

	r->recommended = "no mount of bpffs with delegate_* options that nobody approved";
	if (!h->mounts_known)
		return POSTURE_UNKNOWN;
	r->value = "none";
	for (size_t i = 0; i < h->n_mounts; i++)
		if (!strcmp(h->mounts[i].type, "bpf") && strstr(h->mounts[i].options, "delegate_")) {
			r->value = SAY("%s: %s", h->mounts[i].point, h->mounts[i].options);
			return POSTURE_FAIL;
		}
	return POSTURE_PASS;
}

/* ---- who ------------------------------------------------------------------------------------------------------------
 */

static const char *caps_text(const struct posture_ctx *c, uint64_t caps)
{
	return SAY("%s%s%s%s%s", caps & POSTURE_CAP_SYS_ADMIN ? "CAP_SYS_ADMIN" : "",
		   caps & POSTURE_CAP_SYS_ADMIN && caps & POSTURE_CAP_BPF ? "+" : "",
		   caps & POSTURE_CAP_BPF ? "CAP_BPF" : "",
		   caps & POSTURE_CAP_PERFMON && caps & ~POSTURE_CAP_PERFMON ? "+" : "",
		   caps & POSTURE_CAP_PERFMON ? "CAP_PERFMON" : "");
}

static enum posture_verdict judge_processes(const struct posture_ctx *c, struct posture_result *r, bool container)
{
	const struct posture_host *h = c->host;
	_cleanup_buf_ struct bw_buf b = { 0 };
	unsigned int n = 0, unsure = 0;

	for (size_t i = 0; i < h->n_processes; i++) {
		const struct posture_process *p = &h->processes[i];

		if (p->other_userns || p->container != container || (!container && !p->uid))
			continue;
		unsure += !p->userns_known;
		if (n++ < 20)
			bw_buf_printf(&b, "%s%s (pid %u, uid %u) %s", n > 1 ? ", " : "", p->comm, p->pid, p->uid,
				      caps_text(c, p->caps));
	}
	if (n > 20)
		bw_buf_printf(&b, " and %u more", n - 20);
	r->value = n ? SAY("%s", bw_buf_cstr(&b)) : SAY("none of %u processes", h->n_all_processes);
	if (n && unsure == n)
		r->detail = "their user namespaces could not be read: root of another one is not root here";
	if (n)
		return unsure == n ? POSTURE_UNKNOWN : POSTURE_FAIL;
	return h->processes_known ? POSTURE_PASS : POSTURE_UNKNOWN;
}

JUDGE(judge_containers)
{
	r->recommended = "no process in a container holds CAP_BPF, CAP_PERFMON or CAP_SYS_ADMIN";
	return judge_processes(c, r, true);
}

JUDGE(judge_users)
{
	r->recommended = "no process of another user than root holds CAP_BPF, CAP_PERFMON or CAP_SYS_ADMIN";
	return judge_processes(c, r, false);
}

JUDGE(judge_filecaps)
{
	const struct posture_host *h = c->host;
	_cleanup_buf_ struct bw_buf b = { 0 };

	r->recommended = "no executable gives CAP_BPF, CAP_PERFMON or CAP_SYS_ADMIN to whoever starts it";
	for (size_t i = 0; i < h->n_filecaps && i < 20; i++)
		bw_buf_printf(&b, "%s%s %s", i ? ", " : "", h->filecaps[i].path, caps_text(c, h->filecaps[i].caps));
	r->value = h->n_filecaps ? SAY("%s", bw_buf_cstr(&b)) : "none in the system's folders of executables";
	if (h->n_filecaps)
		return POSTURE_FAIL;
	return h->filecaps_known ? POSTURE_PASS : POSTURE_UNKNOWN;
}

JUDGE(judge_units)
{
	const struct posture_host *h = c->host;
	_cleanup_buf_ struct bw_buf b = { 0 };
	unsigned int n = 0;

	r->recommended = "each service with ambient CAP_BPF, CAP_PERFMON or CAP_SYS_ADMIN is one that was approved";
	for (size_t i = 0; i < h->n_units; i++)
		if (h->units[i].ambient)
			bw_buf_printf(&b, "%s%s %s", n++ ? ", " : "", h->units[i].name,
				      caps_text(c, h->units[i].ambient));
	r->value = n ? SAY("%s", bw_buf_cstr(&b)) : "none";
	if (h->units_state == POSTURE_ABSENT) {
		r->value = "no systemd";
		return POSTURE_NA;
	}
	return n ? POSTURE_FAIL : h->units_state == POSTURE_VALUE ? POSTURE_PASS : POSTURE_UNKNOWN;
}

JUDGE(judge_boot_gap)
{
	const struct posture_host *h = c->host;

	r->recommended = "bpfwardend.service is enabled and starts before the services (DefaultDependencies=no)";
	if (h->units_state == POSTURE_ABSENT) {
		r->value = "no systemd: how the guard is started cannot be seen";
		return POSTURE_UNKNOWN;
	}
	for (size_t i = 0; i < h->n_units; i++) {
		const struct posture_unit *u = &h->units[i];

		if (strcmp(u->name, "bpfwardend.service"))
			continue;
		r->value = !u->enabled ? "installed, not enabled"
			   : u->early  ? "enabled, early"
				       : "enabled, among the ordinary services";
		return u->enabled && u->early ? POSTURE_PASS : POSTURE_FAIL;
	}
	if (h->units_state != POSTURE_VALUE)
		return POSTURE_UNKNOWN;
	r->value =
		"the guard is not installed as a service: what is loaded before it is started by hand is only listed";
	return POSTURE_FAIL;
}

/* ---- known vulnerabilities ------------------------------------------------------------------------------------------
 */

static enum posture_verdict judge_cves(const struct posture_ctx *c, struct posture_result *r,
				       enum posture_cve_verdict which)
{
	const struct posture_cves *s = c->cves;
	_cleanup_buf_ struct bw_buf b = { 0 };
	unsigned int n = 0;

	r->recommended = "none";
	if (!s || !s->known)
		return POSTURE_UNKNOWN;
	for (size_t i = 0; i < s->n_results; i++)
		if (s->results[i].verdict == which && n++ < 8)
			bw_buf_printf(&b, "%s%s", n > 1 ? ", " : "", s->results[i].cve->cve);
	r->value = n ? SAY("%u: %s%s", n, bw_buf_cstr(&b), n > 8 ? ", ..." : "") : "none";
	r->detail =
		SAY("%u more are not reachable, %u may be fixed by the distribution, %u cannot be told; data as of %s",
		    s->count[POSTURE_CVE_UNREACHABLE], s->count[POSTURE_CVE_BACKPORT], s->count[POSTURE_CVE_UNKNOWN],
		    posture_cve_as_of());
	if (n)
		return POSTURE_FAIL;
	return s->count[POSTURE_CVE_BACKPORT] ? POSTURE_UNKNOWN : POSTURE_PASS;
}

JUDGE(judge_cves_anyone)
{
	return judge_cves(c, r, POSTURE_CVE_ANYONE);
}

JUDGE(judge_cves_privileged)
{
	return judge_cves(c, r, POSTURE_CVE_PRIVILEGED);
}

#define SYSCTL(name, w, s, set) .sysctl = POSTURE_SYSCTL_##name + 1, .want = w, .want_strict = s, .settable = set
#define NOT_WORKSTATION		(POSTURE_ALL & ~POSTURE_IN(POSTURE_WORKSTATION))
#define STRICT			POSTURE_IN(POSTURE_STRICT)

#include "auditor/posture/checks_table.h"

const struct posture_check *posture_checks(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(checks);
	return checks;
}
