// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/feature.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "common/cleanup.h"

struct feature_text {
	const char *name, *title, *missing, *remedy;
};

static const struct feature_text texts[BW_FEATURE_COUNT] = {
	[BW_FEATURE_BPF] = { "bpf", "bpf(2) may be used", "nothing can be watched: static analysis only",
			     "run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN" },
	[BW_FEATURE_BTF] = { "btf", "kernel type information (BTF)", "no program of the guard can be loaded",
			     "use a kernel built with CONFIG_DEBUG_INFO_BTF=y" },
	[BW_FEATURE_RINGBUF] = { "ringbuf", "BPF ring buffer", "no program of the guard can be loaded",
				 "use Linux 5.8 or later" },
	[BW_FEATURE_RAW_TP] = { "raw_tp", "raw tracepoints on system calls", "no watch tier",
				"needs CAP_PERFMON and a kernel with CONFIG_BPF_EVENTS=y" },
	[BW_FEATURE_LSM] = { "lsm", "BPF LSM programs are called", "loads are refused by fmod_ret instead, if that works",
			     "boot with bpf in lsm= (CONFIG_BPF_LSM=y)" },
	[BW_FEATURE_FMOD_RET] = { "fmod_ret", "fmod_ret on security_* is called",
				  "no enforcement on hosts where BPF LSM is not active",
				  "needs a kernel that allows BPF trampolines (CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS=y)" },
	[BW_FEATURE_LOAD_HOOK] = { "load_hook", "load hook before verification",
				   "identity is the kernel's tag (8 bytes) and a digest over user memory, judged when the descriptor is made: weaker",
				   "use Linux 6.9 or later" },
	[BW_FEATURE_KERNEL_ARG] = { "kernel_arg", "loads by the kernel itself are marked",
				    "programs of light skeletons look like loads by their loader",
				    "use Linux 6.15 or later" },
	[BW_FEATURE_TASK_STORAGE] = { "task_storage", "task local storage",
				      "scratch memory is per CPU: safe only without kernel preemption",
				      "use Linux 5.11 or later" },
	[BW_FEATURE_KALLSYMS] = { "kallsyms", "kernel symbol addresses",
				  "before 6.9, the helpers that a program calls are not known",
				  "set kernel.kptr_restrict to 1 or run with CAP_SYSLOG" },
	[BW_FEATURE_BPFFS] = { "bpffs", "BPF file system at /sys/fs/bpf", "enforcement ends when the guard ends",
			       "mount -t bpf bpf /sys/fs/bpf" },
	[BW_FEATURE_USER_NOTIF] = { "user_notif", "seccomp user notification", "no broker (bpfwarden run)",
				    "use a kernel with CONFIG_SECCOMP_FILTER=y" },
};

const char *bw_feature_name(enum bw_feature_id id)
{
	return texts[id].name;
}

const char *bw_feature_title(enum bw_feature_id id)
{
	return texts[id].title;
}

const char *bw_feature_missing(enum bw_feature_id id)
{
	return texts[id].missing;
}

const char *bw_feature_remedy(enum bw_feature_id id)
{
	return texts[id].remedy;
}

static void result(struct bw_feature *f, bool yes, int error, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void result(struct bw_feature *f, bool yes, int error, const char *fmt, ...)
{
	va_list ap;

	f->state = yes ? BW_FEATURE_YES : BW_FEATURE_NO;
	f->error = error;
	va_start(ap, fmt);
	vsnprintf(f->detail, sizeof(f->detail), fmt, ap);
	va_end(ap);
}

#define INSN(c, d, s, o, i) ((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV64_IMM(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int load(enum bpf_prog_type type, enum bpf_attach_type attach, __u32 btf_id, const struct bpf_insn *insns,
		size_t n)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach, .attach_btf_id = btf_id);
	int fd = bpf_prog_load(type, "bw_probe", "GPL", insns, n, &opts);

	return fd < 0 ? -errno : fd;
}

static int map_create(enum bpf_map_type type, __u32 key, __u32 value, __u32 entries)
{
	int fd = bpf_map_create(type, "bw_probe", key, value, entries, NULL);

	return fd < 0 ? -errno : fd;
}

/* Any bpf() command that every hook sees and that changes nothing. */
static void trigger(void)
{
	__u32 next;

	bpf_prog_get_next_id(0, &next);
}

/*
 * Loads a program that writes 1 into a map and returns 0, attaches it, makes a system call it must see, and looks.
 * *ret_step says how far it got.
 */
static int probe_fires(enum bpf_prog_type type, enum bpf_attach_type attach, __u32 btf_id, const char *tracepoint,
		       const char **ret_step)
{
	_cleanup_close_ int map = -1, prog = -1, link = -1;
	__u32 zero = 0, value = 0;

	*ret_step = "creating a map";
	map = map_create(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	if (map < 0)
		return map;
	struct bpf_insn insns[] = {
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_ST | BPF_MEM | BPF_W, BPF_REG_1, 0, 0, 1),
		MOV64_IMM(BPF_REG_0, 0),
		EXIT(),
	};
	*ret_step = "loading";
	prog = load(type, attach, btf_id, insns, ARRAY_SIZE(insns));
	if (prog < 0)
		return prog;
	*ret_step = "attaching";
	link = bpf_raw_tracepoint_open(tracepoint, prog);
	if (link < 0)
		return -errno;
	*ret_step = "attached, but it is not called";
	/* A program that was unloaded a moment ago may still be being replaced: ask more than once. */
	for (int i = 0; i < 20 && !value; i++) {
		if (i)
			usleep(5000);
		trigger();
		if (bpf_map_lookup_elem(map, &zero, &value))
			return -errno;
	}
	return value ? 0 : -ENOSYS;
}

static void probe_hook(struct bw_feature *f, enum bpf_prog_type type, enum bpf_attach_type attach, int btf_id,
		       const char *function)
{
	const char *step = "";
	int r;

	if (btf_id <= 0) {
		result(f, false, btf_id, "%s is not in the kernel's BTF", function);
		return;
	}
	r = probe_fires(type, attach, (__u32)btf_id, NULL, &step);
	if (!r)
		result(f, true, 0, "%s: loaded, attached, called", function);
	else if (r == -ENOSYS)
		result(f, false, 0, "%s: %s", function, step);
	else
		result(f, false, r, "%s: %s: %s", function, step, strerror(-r));
}

static void probe_kallsyms(struct bw_feature *f)
{
	_cleanup_fclose_ FILE *in = fopen("/proc/kallsyms", "re");
	char line[512];

	if (!in) {
		result(f, false, -errno, "/proc/kallsyms: %s", strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), in)) {
		uint64_t addr;
		char type, name[256];

		if (sscanf(line, "%" SCNx64 " %c %255s", &addr, &type, name) != 3 || strcmp(name, "__bpf_call_base"))
			continue;
		if (addr)
			result(f, true, 0, "addresses can be read");
		else
			result(f, false, 0, "addresses are hidden (kernel.kptr_restrict)");
		return;
	}
	result(f, false, 0, "no symbol __bpf_call_base");
}

static void probe_bpffs(struct bw_feature *f)
{
	struct statfs st;

	if (statfs("/sys/fs/bpf", &st) < 0)
		result(f, false, -errno, "/sys/fs/bpf: %s", strerror(errno));
	else if (st.f_type != BPF_FS_MAGIC)
		result(f, false, 0, "/sys/fs/bpf is not a BPF file system");
	else
		result(f, true, 0, "mounted");
}

static void probe_task_storage(struct bw_feature *f)
{
	_cleanup_close_ int btf_fd = -1, fd = -1;
	struct btf *btf = btf__new_empty();
	const void *raw;
	__u32 size;
	int id = 0;

	if (btf)
		id = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	raw = btf ? btf__raw_data(btf, &size) : NULL;
	btf_fd = raw ? bpf_btf_load(raw, size, NULL) : -1;
	if (btf_fd >= 0) {
		LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC, .btf_fd = (__u32)btf_fd,
			    .btf_key_type_id = (__u32)id, .btf_value_type_id = (__u32)id);

		fd = bpf_map_create(BPF_MAP_TYPE_TASK_STORAGE, "bw_probe", 4, 4, 0, &opts);
	}
	if (fd < 0)
		result(f, false, -errno, "creating: %s", strerror(errno));
	else
		result(f, true, 0, "map created");
	btf__free(btf);
}

static void probe_user_notif(struct bw_feature *f)
{
	struct seccomp_notif_sizes sizes = { 0 };

	if (syscall(__NR_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		result(f, false, -errno, "%s", strerror(errno));
	else
		result(f, true, 0, "request of %u bytes", (unsigned int)sizes.seccomp_notif);
}

static int func_arity(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);

	if (id < 0)
		return id;
	return btf_vlen(btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type));
}

void bw_features_probe(struct bw_features *ret)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	const struct bpf_insn nothing[] = { MOV64_IMM(BPF_REG_0, 0), EXIT() };
	struct btf *btf = btf__load_vmlinux_btf();
	int btf_err = -errno, fd, id, n;
	const char *step = "";

	memset(ret, 0, sizeof(*ret));
	fd = load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, nothing, ARRAY_SIZE(nothing));
	if (fd >= 0) {
		close(fd);
		result(&ret->f[BW_FEATURE_BPF], true, 0, "a program was loaded");
	} else {
		result(&ret->f[BW_FEATURE_BPF], false, fd, "loading a program: %s", strerror(-fd));
	}
	if (btf)
		result(&ret->f[BW_FEATURE_BTF], true, 0, "%u types", btf__type_cnt(btf));
	else
		result(&ret->f[BW_FEATURE_BTF], false, btf_err, "/sys/kernel/btf/vmlinux: %s", strerror(-btf_err));

	fd = map_create(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
	if (fd >= 0) {
		close(fd);
		result(&ret->f[BW_FEATURE_RINGBUF], true, 0, "map created");
	} else {
		result(&ret->f[BW_FEATURE_RINGBUF], false, fd, "creating: %s", strerror(-fd));
	}
	n = probe_fires(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, "sys_enter", &step);
	if (!n)
		result(&ret->f[BW_FEATURE_RAW_TP], true, 0, "sys_enter: loaded, attached, called");
	else
		result(&ret->f[BW_FEATURE_RAW_TP], false, n, "sys_enter: %s: %s", step, strerror(-n));

	id = btf ? btf__find_by_name_kind(btf, "bpf_lsm_bpf", BTF_KIND_FUNC) : -ENOENT;
	probe_hook(&ret->f[BW_FEATURE_LSM], BPF_PROG_TYPE_LSM, BPF_LSM_MAC, id, "lsm/bpf");
	id = btf ? btf__find_by_name_kind(btf, "security_bpf", BTF_KIND_FUNC) : -ENOENT;
	probe_hook(&ret->f[BW_FEATURE_FMOD_RET], BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, id, "fmod_ret/security_bpf");

	n = btf ? func_arity(btf, "security_bpf_prog_load") : -ENOENT;
	if (n > 0)
		result(&ret->f[BW_FEATURE_LOAD_HOOK], true, 0, "security_bpf_prog_load with %d arguments", n);
	else
		result(&ret->f[BW_FEATURE_LOAD_HOOK], false, 0, "the kernel has no security_bpf_prog_load");
	if (n >= 4)
		result(&ret->f[BW_FEATURE_KERNEL_ARG], true, 0, "its last argument");
	else
		result(&ret->f[BW_FEATURE_KERNEL_ARG], false, 0, "no such argument");
	probe_task_storage(&ret->f[BW_FEATURE_TASK_STORAGE]);
	probe_kallsyms(&ret->f[BW_FEATURE_KALLSYMS]);
	probe_bpffs(&ret->f[BW_FEATURE_BPFFS]);
	probe_user_notif(&ret->f[BW_FEATURE_USER_NOTIF]);
	btf__free(btf);
	libbpf_set_print(print);
}

int bw_features_override(struct bw_features *f, const char *list, const char **ret_bad)
{
	while (*list) {
		size_t n = strcspn(list, ",");
		bool known = false;

		for (int i = 0; i < BW_FEATURE_COUNT && !known; i++) {
			if (*list != '-' || strlen(texts[i].name) != n - 1 || strncmp(list + 1, texts[i].name, n - 1))
				continue;
			known = true;
			if (f->f[i].state == BW_FEATURE_YES)
				f->f[i].state = BW_FEATURE_OFF;
		}
		if (!known) {
			*ret_bad = list;
			return -EINVAL;
		}
		list += n;
		list += *list == ',';
	}
	return 0;
}

enum bw_tier bw_features_tier(const struct bw_features *f, enum bw_mechanism *ret_mechanism, char *why, size_t why_len)
{
	enum bw_mechanism mechanism = bw_feature(f, BW_FEATURE_LSM)	 ? BW_MECHANISM_LSM :
				      bw_feature(f, BW_FEATURE_FMOD_RET) ? BW_MECHANISM_FMOD_RET :
									   BW_MECHANISM_NONE;
	enum bw_tier tier = BW_TIER_AUDIT;

	why[0] = 0;
	*ret_mechanism = BW_MECHANISM_NONE;
	for (int i = BW_FEATURE_BPF; i <= BW_FEATURE_RINGBUF; i++) {
		if (!bw_feature(f, i)) {
			snprintf(why, why_len, "%s: %s", texts[i].title,
				 f->f[i].state == BW_FEATURE_OFF ? "switched off" : f->f[i].detail);
			return tier;
		}
	}
	if (mechanism != BW_MECHANISM_NONE) {
		*ret_mechanism = mechanism;
		return BW_TIER_ENFORCE;
	}
	snprintf(why, why_len, "neither BPF LSM (%s) nor fmod_ret (%s) can refuse",
		 f->f[BW_FEATURE_LSM].state == BW_FEATURE_OFF ? "switched off" : f->f[BW_FEATURE_LSM].detail,
		 f->f[BW_FEATURE_FMOD_RET].state == BW_FEATURE_OFF ? "switched off" : f->f[BW_FEATURE_FMOD_RET].detail);
	if (bw_feature(f, BW_FEATURE_RAW_TP))
		tier = BW_TIER_WATCH;
	return tier;
}

const char *bw_tier_name(enum bw_tier tier)
{
	static const char *const names[] = { "audit", "watch", "broker", "enforce" };

	return names[tier];
}

const char *bw_mechanism_name(enum bw_mechanism mechanism)
{
	static const char *const names[] = { "none", "lsm", "fmod_ret" };

	return names[mechanism];
}
