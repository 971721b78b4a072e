// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/loader.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/buf.h"
#include "common/log.h"
#include "guard.skel.h"
#include "guard/fail.h"

#define MAX_LINKS 64
#define HOLD_RING_SIZE (8u << 20) /* 16 programs of the greatest length that is analysed */
#define CLAIM_PROGRAM "bw_claim"

struct loader {
	struct guard_bpf *skel; /* NULL when adopted */
	int maps[LOADER_MAPS];
	int claim; /* program */
	struct bpf_link *links[MAX_LINKS];
	int progs[MAX_LINKS]; /* the attached programs */
	unsigned int n_links;
	bool adopted;
	char unprotected[320]; /* "move_mount, ...": hooks of self-protection that there are not */
	char pin_dir[PATH_MAX / 2]; /* of all sets */
	char set[PATH_MAX];	    /* of this set; "" when not persistent */
};

static const char *const map_names[LOADER_MAPS] = {
	[LOADER_ALERTS] = "bw_alerts",	     [LOADER_EVENTS] = "bw_events",
	[LOADER_CPUS] = "bw_cpus",	     [LOADER_SELF] = "bw_self",
	[LOADER_CONF] = "bw_conf",	     [LOADER_APPROVALS] = "bw_approvals",
	[LOADER_BINDINGS] = "bw_bindings",   [LOADER_KFUNCS] = "bw_kfuncs",
	[LOADER_CGROUPS] = "bw_cgroups",
	[LOADER_ACCESSES] = "bw_accesses",   [LOADER_LABELS] = "bw_labels",
	[LOADER_ADMITTED] = "bw_admitted",   [LOADER_HELPER_IMMS] = "bw_helper_imms",
	[LOADER_HOLD_RING] = "bw_hold_ring", [LOADER_HOLD_ANSWERS] = "bw_hold_answers",
	[LOADER_HOLD_GUARDS] = "bw_hold_guards",
	[LOADER_OWNED] = "bw_owned",	     [LOADER_FILES] = "bw_files",
};

/* The commands that are reported; lookups, updates, queries and iterations over ids are not: they are the hot path. */
#define CMD(c) (1ULL << (c))
static const uint64_t reported_commands =
	CMD(BPF_MAP_CREATE) | CMD(BPF_PROG_LOAD) | CMD(BPF_OBJ_PIN) | CMD(BPF_OBJ_GET) | CMD(BPF_PROG_ATTACH) |
	CMD(BPF_PROG_DETACH) | CMD(BPF_PROG_TEST_RUN) | CMD(BPF_PROG_GET_FD_BY_ID) | CMD(BPF_MAP_GET_FD_BY_ID) |
	CMD(BPF_RAW_TRACEPOINT_OPEN) | CMD(BPF_MAP_FREEZE) | CMD(BPF_LINK_CREATE) | CMD(BPF_LINK_UPDATE) |
	CMD(BPF_LINK_GET_FD_BY_ID) | CMD(BPF_ENABLE_STATS) | CMD(BPF_ITER_CREATE) | CMD(BPF_LINK_DETACH) |
	CMD(BPF_PROG_BIND_MAP) | CMD(36 /* BPF_TOKEN_CREATE */);

/* Keeps what libbpf says at the warning level for the debug log; the verifier's log is long. */
static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (bw_log_level() >= BW_LOG_DEBUG && level != LIBBPF_DEBUG)
		vfprintf(stderr, fmt, ap);
	return 0;
}

/* PIN_DIR/BUILD-MECHANISM */
static void set_name(const struct loader_config *c, char *dst, size_t len)
{
	unsigned char hash[EVP_MAX_MD_SIZE] = { 0 };
	char hex[17];
	const void *elf;
	size_t size;

	elf = guard_bpf__elf_bytes(&size);
	EVP_Digest(elf, size, hash, NULL, EVP_sha256(), NULL);
	for (int i = 0; i < 8; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	snprintf(dst, len, "%s/%s-%s", c->pin_dir, hex,
		 c->tier == BW_TIER_WATCH ? "watch" : bw_mechanism_name(c->mechanism));
}

/* What the enforce tier attaches, by the name behind "bw_lsm_" or "bw_mod_"; and what sees functions return. */
static const struct {
	const char *name;
	const char *function; /* left out where the kernel has no such function; NULL: never left out */
} judges[] = {
	{ "bpf", NULL },	{ "map", NULL },	{ "ioctl", NULL },   { "ioctl32", "security_file_ioctl_compat" },
	{ "netlink", NULL },	{ "setsockopt", NULL }, { "receive", NULL }, { "mmap", NULL },
	{ "connect", NULL },	{ "sendmsg", NULL },	{ "open", NULL },
	/* Self-protection. */
	{ "own_bpf", NULL },
	{ "own_prog", NULL },
	{ "own_map", NULL },
	{ "own_receive", "security_file_receive" },
	{ "own_unlink", "security_inode_unlink" },
	{ "own_rmdir", "security_inode_rmdir" },
	{ "own_rename", "security_inode_rename" },
	{ "own_create", "security_inode_create" },
	{ "own_umount", "security_sb_umount" },
	{ "own_mount", "security_sb_mount" },
	{ "own_move", "security_move_mount" },
	{ "own_kill", "security_task_kill" },
	{ "own_ptrace", "security_ptrace_access_check" },
	{ "own_rlimit", "security_task_setrlimit" },
	{ "own_open", NULL },
	{ "own_read", "security_kernel_read_file" },
	{ "own_load", "security_kernel_load_data" },
	{ "own_lockdown", "security_locked_down" },
	{ "own_settime", "security_settime64" },
}, returns[] = {
	{ "bw_done_bpf", NULL },	      { "bw_done_bpf32", "__ia32_sys_bpf" },
	{ "bw_done_filter", NULL },	      { "bw_done_sk_bpf", NULL },
	{ "bw_done_reuseport_filter", NULL }, { "bw_done_reuseport_bpf", NULL },
	{ "bw_fork", NULL },		      { "bw_cgroup_move", NULL },
};
static const char *const watchers[] = { "bw_sys_enter", "bw_sys_exit", "bw_sys_exit_ways", "bw_fork" };

static void btf_freep(struct btf **btf)
{
	btf__free(*btf);
}
#define _cleanup_btf_ BW_CLEANUP(btf_freep)

static bool has_function(const struct btf *btf, const char *name)
{
	return !name || btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/* Which programs a tier attaches. */
static bool wanted(const struct loader_config *c, const struct btf *btf, const char *name)
{
	const char *prefix = c->mechanism == BW_MECHANISM_LSM ? "bw_lsm_" : "bw_mod_";

	if (c->tier == BW_TIER_WATCH) {
		for (size_t i = 0; i < ARRAY_SIZE(watchers); i++)
			if (!strcmp(name, watchers[i]))
				return true;
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(returns); i++)
		if (!strcmp(name, returns[i].name))
			return has_function(btf, returns[i].function);
	if (strncmp(name, prefix, strlen(prefix)))
		return false;
	name += strlen(prefix);
	for (size_t i = 0; i < ARRAY_SIZE(judges); i++)
		if (!strcmp(name, judges[i].name))
			return has_function(btf, judges[i].function);
	return !strcmp(name, bw_feature(c->features, BW_FEATURE_LOAD_HOOK) ? "prog_load" : "prog");
}

static unsigned int count_wanted(const struct loader_config *c, const struct btf *btf)
{
	unsigned int n = 1; /* the one that judges loads */

	if (c->tier == BW_TIER_WATCH)
		return ARRAY_SIZE(watchers);
	for (size_t i = 0; i < ARRAY_SIZE(judges); i++)
		n += has_function(btf, judges[i].function);
	for (size_t i = 0; i < ARRAY_SIZE(returns); i++)
		n += has_function(btf, returns[i].function);
	return n;
}

/* The hooks of self-protection that this kernel does not have. */
static void note_unprotected(struct loader *l, const struct btf *btf)
{
	for (size_t i = 0; i < ARRAY_SIZE(judges); i++) {
		size_t n = strlen(l->unprotected);

		if (!strncmp(judges[i].name, "own_", 4) && !has_function(btf, judges[i].function))
			snprintf(l->unprotected + n, sizeof(l->unprotected) - n, "%s%s", n ? ", " : "",
				 judges[i].function + strlen("security_"));
	}
}

/* A bit of struct trace_event_call.flags: its number differs from kernel to kernel. 0 where there is none. */
static uint32_t event_flag(const struct btf *btf, const char *name)
{
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const struct btf_enum *e;

		/* The enumeration has no name. */
		if (!btf_is_enum(t) || t->name_off || !btf_vlen(t))
			continue;
		e = btf_enum(t);
		if (strncmp(btf__str_by_offset(btf, e->name_off), "TRACE_EVENT_FL_", 15))
			continue;
		for (unsigned int i = 0; i < btf_vlen(t); i++)
			if (!strcmp(btf__str_by_offset(btf, e[i].name_off), name) && e[i].val >= 0 && e[i].val < 32)
				return 1u << e[i].val;
	}
	return 0;
}

/* A perf event that counts nothing, to know what such a descriptor looks like to the kernel; -1 if that is not allowed. */
static int perf_fd(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY, .disabled = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) ? info.id : 0;
}

/*
 * Tells the kernel side who the guard is, where its pins are, and what descriptors of each kind look like. -1 for what there
 * is not yet. -EPERM: the programs obey another executable.
 */
static int claim(int claim_fd, int map_fd, int link_fd, const char *pin_dir, bool protect)
{
	_cleanup_close_ int perf = perf_fd(), sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_close_ int dir = pin_dir ? open(pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	__u64 ctx[12] = { (__u32)claim_fd, (__u32)map_fd, (__u32)link_fd, (__u32)perf,
			 (__u32)sock,	  (__u32)dir,	 protect,	 program_id(claim_fd) };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ctx, .ctx_size_in = sizeof(ctx));

	if (bpf_prog_test_run_opts(claim_fd, &opts) < 0)
		return -errno;
	return opts.retval ? -EPERM : 0;
}

int loader_note_file(const struct loader *l, enum bw_file kind, const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	__u64 ctx[12] = { [8] = kind, [9] = (__u32)fd };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ctx, .ctx_size_in = sizeof(ctx));

	if (fd < 0 || bpf_prog_test_run_opts(l->claim, &opts) < 0)
		return -errno;
	return opts.retval ? -EIO : 0;
}

/* Kernels of that age (5.10) warn about programs on raw tracepoints whose hash tables allocate as they grow. */
static void preallocate(struct bpf_object *o)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, o)
		if (bpf_map__type(map) == BPF_MAP_TYPE_HASH)
			bpf_map__set_map_flags(map, bpf_map__map_flags(map) & ~(__u32)BPF_F_NO_PREALLOC);
}

static int load_and_attach(struct loader *l, const struct loader_config *c, char *why, size_t why_len)
{
	_cleanup_btf_ struct btf *btf = btf__load_vmlinux_btf();
	struct bpf_program *prog;
	struct guard_bpf *skel;
	int r;

	if (!btf)
		return fail(-errno, why, why_len, "reading the kernel's BTF: %s", strerror(errno));
	skel = l->skel = guard_bpf__open();
	if (!skel)
		return fail(-errno, why, why_len, "opening the BPF object: %s", strerror(errno));
	skel->rodata->bw_task_scratch = bw_feature(c->features, BW_FEATURE_TASK_STORAGE);
	skel->rodata->bw_lsm_kernel_arg = bw_feature(c->features, BW_FEATURE_KERNEL_ARG);
	skel->rodata->bw_tier_watch = c->tier == BW_TIER_WATCH;
	skel->rodata->bw_user_digest = !bw_feature(c->features, BW_FEATURE_LOAD_HOOK);
	skel->rodata->bw_event_tracepoint = event_flag(btf, "TRACE_EVENT_FL_TRACEPOINT_BIT");
	skel->rodata->bw_event_kprobe = event_flag(btf, "TRACE_EVENT_FL_KPROBE_BIT");
	skel->rodata->bw_event_uprobe = event_flag(btf, "TRACE_EVENT_FL_UPROBE_BIT");
	skel->rodata->bw_command_mask = reported_commands;
	loader_control_names((struct bw_control_name *)skel->rodata->bw_control_names);
	if (!skel->rodata->bw_task_scratch) {
		bpf_map__set_autocreate(skel->maps.bw_task_scratches, false);
		bpf_map__set_autocreate(skel->maps.bw_hold_scratches, false);
		preallocate(skel->obj);
	}
	if (bw_feature(c->features, BW_FEATURE_LOAD_HOOK) && c->tier == BW_TIER_ENFORCE)
		bpf_map__set_max_entries(skel->maps.bw_hold_ring, HOLD_RING_SIZE);
	bpf_object__for_each_program(prog, skel->obj) {
		const char *name = bpf_program__name(prog);

		bpf_program__set_autoload(prog, wanted(c, btf, name) || !strcmp(name, CLAIM_PROGRAM));
	}
	r = guard_bpf__load(skel);
	if (r < 0)
		return fail(r, why, why_len, "loading the BPF programs: %s", strerror(-r));
	note_unprotected(l, btf);
	for (int i = 0; i < LOADER_MAPS; i++)
		l->maps[i] = bpf_object__find_map_fd_by_name(skel->obj, map_names[i]);
	l->claim = bpf_program__fd(skel->progs.bw_claim);
	r = claim(l->claim, l->maps[LOADER_SELF], -1, NULL, false);
	if (r < 0)
		return fail(r, why, why_len, "running the claim program: %s", strerror(-r));
	bpf_object__for_each_program(prog, skel->obj) {
		struct bpf_link *link;

		if (!wanted(c, btf, bpf_program__name(prog)))
			continue;
		link = bpf_program__attach(prog);
		if (!link)
			return fail(-errno, why, why_len, "attaching %s: %s", bpf_program__name(prog), strerror(errno));
		l->progs[l->n_links] = bpf_program__fd(prog);
		l->links[l->n_links++] = link;
	}
	return 0;
}

/* All is in place, pins included: now there is a link to show, and something to protect. */
static int claim_all(struct loader *l, const struct loader_config *c, char *why, size_t why_len)
{
	int r = claim(l->claim, l->maps[LOADER_SELF], bpf_link__fd(l->links[0]), c->persistent ? c->pin_dir : NULL, c->protect);

	if (!r)
		loader_disown_code(l);
	if (!r)
		r = loader_own(l);
	return r < 0 ? fail(r, why, why_len, "running the claim program: %s", strerror(-r)) : 0;
}

/*
 * Makes this process the one whose programs are under the pin directory, for as long as it lives. 0 when there is no such
 * directory yet, or none that may be looked into; -EBUSY when another process has it.
 */
static int lock_pins(const char *pin_dir)
{
	static int lock = -1;
	_cleanup_close_ int fd = -1;

	if (lock >= 0)
		return 0;
	fd = open(pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	lock = TAKE_FD(fd);
	return 0;
}

static int pin_all(struct loader *l, char *why, size_t why_len)
{
	char path[PATH_MAX + 64];
	int r;

	if (mkdir(l->pin_dir, 0700) < 0 && errno != EEXIST)
		return fail(-errno, why, why_len, "%s: %s", l->pin_dir, strerror(errno));
	r = lock_pins(l->pin_dir);
	if (r < 0)
		return fail(r, why, why_len, "%s: another guard is running", l->pin_dir);
	if (mkdir(l->set, 0700) < 0 && errno != EEXIST)
		return fail(-errno, why, why_len, "%s: %s", l->set, strerror(errno));
	for (int i = 0; i < LOADER_MAPS; i++) {
		snprintf(path, sizeof(path), "%s/%s", l->set, map_names[i]);
		unlink(path);
		if (bpf_obj_pin(l->maps[i], path) < 0)
			return fail(-errno, why, why_len, "pinning %s: %s", path, strerror(errno));
	}
	snprintf(path, sizeof(path), "%s/%s", l->set, CLAIM_PROGRAM);
	unlink(path);
	if (bpf_obj_pin(l->claim, path) < 0)
		return fail(-errno, why, why_len, "pinning %s: %s", path, strerror(errno));
	for (unsigned int i = 0; i < l->n_links; i++) {
		snprintf(path, sizeof(path), "%s/link_%u", l->set, i);
		unlink(path);
		r = bpf_link__pin(l->links[i], path);
		if (r < 0)
			return fail(r, why, why_len, "pinning %s: %s", path, strerror(-r));
	}
	return 0;
}

/* The program behind a link, for its statistics; -1 if it cannot be had. */
static int link_program(int link_fd)
{
	struct bpf_link_info info = { 0 };
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(link_fd, &info, &len) < 0)
		return -1;
	return bpf_prog_get_fd_by_id(info.prog_id);
}

/* Takes over the set at l->set. -ENOENT when there is none, or not all of it. */
static int adopt(struct loader *l, const struct loader_config *c, char *why, size_t why_len)
{
	_cleanup_btf_ struct btf *btf = btf__load_vmlinux_btf();
	unsigned int expected = btf ? count_wanted(c, btf) : 0;
	char path[PATH_MAX + 64];
	int r;

	if (!btf)
		return fail(-errno, why, why_len, "reading the kernel's BTF: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/%s", l->set, CLAIM_PROGRAM);
	l->claim = bpf_obj_get(path);
	if (l->claim < 0)
		return errno == EPERM ? fail(-EPERM, why, why_len, "%s obeys another executable", l->set) : -ENOENT;
	r = claim(l->claim, -1, -1, NULL, false);
	if (r < 0)
		return fail(r, why, why_len, "claiming %s: %s", l->set, strerror(-r));
	for (int i = 0; i < LOADER_MAPS; i++) {
		snprintf(path, sizeof(path), "%s/%s", l->set, map_names[i]);
		l->maps[i] = bpf_obj_get(path);
		if (l->maps[i] < 0)
			return -ENOENT;
	}
	for (unsigned int i = 0; i < expected; i++) {
		snprintf(path, sizeof(path), "%s/link_%u", l->set, i);
		l->links[i] = bpf_link__open(path);
		if (!l->links[i])
			return -ENOENT;
		l->progs[i] = link_program(bpf_link__fd(l->links[i]));
		l->n_links++;
	}
	l->adopted = true;
	note_unprotected(l, btf);
	return claim_all(l, c, why, why_len);
}

static void drop_handles(struct loader *l)
{
	for (unsigned int i = 0; i < l->n_links; i++) {
		/* Of a pinned link only the descriptor goes away. */
		bpf_link__destroy(l->links[i]);
		if (!l->skel && l->progs[i] >= 0)
			close(l->progs[i]);
	}
	l->n_links = 0;
	if (l->skel) {
		guard_bpf__destroy(l->skel);
		l->skel = NULL;
	} else {
		for (int i = 0; i < LOADER_MAPS; i++)
			if (l->maps[i] >= 0)
				close(l->maps[i]);
		if (l->claim >= 0)
			close(l->claim);
	}
	for (int i = 0; i < LOADER_MAPS; i++)
		l->maps[i] = -1;
	l->claim = -1;
}

/* Calls @fn for each set directory under the pin directory; returns the number of calls, or a negative errno. */
static int for_each_set(const char *pin_dir, void (*fn)(const char *path, void *arg), void *arg)
{
	DIR *d = opendir(pin_dir);
	struct dirent *e;
	int n = 0;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(d))) {
		char path[PATH_MAX];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", pin_dir, e->d_name);
		fn(path, arg);
		n++;
	}
	closedir(d);
	return n;
}

/* An earlier guard's programs must let this process load its own. *@arg: -EPERM when they do not. */
static void claim_set(const char *path, void *arg)
{
	_cleanup_close_ int prog = -1;
	char file[PATH_MAX + 64];
	int *ret = arg;

	snprintf(file, sizeof(file), "%s/%s", path, CLAIM_PROGRAM);
	prog = bpf_obj_get(file);
	if (prog < 0) {
		if (errno == EPERM)
			*ret = -EPERM;
		return;
	}
	/* What the kernel side knows about descriptors stays as it is; what is loaded next takes the protection over. */
	if (claim(prog, -1, -1, NULL, true) == -EPERM)
		*ret = -EPERM;
}

static void remove_set(const char *path, void *arg)
{
	const char *except = arg;
	struct dirent *e;
	DIR *d;

	if (except && !strcmp(path, except))
		return;
	d = opendir(path);
	if (!d)
		return;
	while ((e = readdir(d))) {
		char file[PATH_MAX + 300];

		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		unlink(file);
	}
	closedir(d);
	rmdir(path);
}

int loader_claim(const char *pin_dir)
{
	int r = lock_pins(pin_dir), refused = 0;

	if (r < 0)
		return r;
	for_each_set(pin_dir, claim_set, &refused);
	return refused;
}

int loader_open(const struct loader_config *c, struct loader **ret, char *why, size_t why_len)
{
	struct loader *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return fail(-ENOMEM, why, why_len, "no memory");
	libbpf_set_print(print_libbpf);
	for (int i = 0; i < LOADER_MAPS; i++)
		l->maps[i] = -1;
	l->claim = -1;
	snprintf(l->pin_dir, sizeof(l->pin_dir), "%s", c->pin_dir);
	if (c->persistent) {
		set_name(c, l->set, sizeof(l->set));
		r = adopt(l, c, why, why_len);
		if (!r) {
			*ret = l;
			return 0;
		}
		drop_handles(l);
		if (r != -ENOENT)
			goto out;
	}
	r = load_and_attach(l, c, why, why_len);
	if (!r && c->persistent)
		r = pin_all(l, why, why_len);
	if (!r)
		r = claim_all(l, c, why, why_len);
	if (!r) {
		*ret = l;
		return 0;
	}
	if (l->set[0])
		remove_set(l->set, NULL);
out:
	loader_free(l);
	return r;
}

void loader_free(struct loader *l)
{
	if (!l)
		return;
	drop_handles(l);
	free(l);
}

void loader_discard(struct loader *l)
{
	if (l->set[0])
		remove_set(l->set, NULL);
}

bool loader_adopted(const struct loader *l)
{
	return l->adopted;
}

bool loader_owns(const struct loader *l, uint32_t prog_id)
{
	if (program_id(l->claim) == prog_id)
		return true;
	for (unsigned int i = 0; i < l->n_links; i++)
		if (program_id(l->progs[i]) == prog_id)
			return true;
	return false;
}

const char *loader_unprotected(const struct loader *l)
{
	return l->unprotected;
}

int loader_map_fd(const struct loader *l, enum loader_map map)
{
	return l->maps[map];
}

uint64_t loader_misses(const struct loader *l)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < l->n_links; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		if (l->progs[i] >= 0 && !bpf_obj_get_info_by_fd(l->progs[i], &info, &len))
			sum += info.recursion_misses;
	}
	return sum;
}

int loader_stats(const struct loader *l, struct bw_stats *ret)
{
	int n = libbpf_num_possible_cpus();
	_cleanup_free_ struct bw_cpu_value {
		struct bw_stats stats;
		__u64 seq;
	} *cpus = NULL;
	__u32 zero = 0;

	if (n < 0)
		return n;
	cpus = calloc((size_t)n, sizeof(*cpus));
	if (!cpus)
		return -ENOMEM;
	if (bpf_map_lookup_elem(l->maps[LOADER_CPUS], &zero, cpus) < 0)
		return -errno;
	memset(ret, 0, sizeof(*ret));
	for (int i = 0; i < n; i++)
		for (int k = 0; k < BW_STAT_COUNT; k++)
			ret->v[k] += cpus[i].stats.v[k];
	return 0;
}

bool loader_alive(const struct loader *l)
{
	struct bw_stats before, after;
	__u32 unused = 0;

	/* ENABLE_STATS with a bad type is refused after the hooks have seen it. */
	if (loader_stats(l, &before) < 0)
		return false;
	close(bpf_enable_stats((enum bpf_stats_type)~unused));
	if (loader_stats(l, &after) < 0)
		return false;
	return after.v[BW_STAT_CANARY] > before.v[BW_STAT_CANARY];
}

int loader_remove_others(const struct loader *l)
{
	return for_each_set(l->pin_dir, remove_set, (void *)l->set);
}

/* Ids of the programs behind the pinned links of all sets. */
struct ids {
	uint32_t ids[2 * MAX_LINKS];
	unsigned int n;
};

static void collect_ids(const char *path, void *arg)
{
	struct ids *ids = arg;

	for (unsigned int i = 0; i < MAX_LINKS && ids->n < ARRAY_SIZE(ids->ids); i++) {
		_cleanup_close_ int fd = -1;
		struct bpf_link_info info = { 0 };
		__u32 len = sizeof(info);
		char file[PATH_MAX + 64];

		snprintf(file, sizeof(file), "%s/link_%u", path, i);
		fd = bpf_obj_get(file);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
			ids->ids[ids->n++] = info.prog_id;
	}
}

int loader_disarm(const char *pin_dir)
{
	struct ids ids = { 0 };
	int n, refused = 0;

	/* Even while a guard is running: who asks for this wants just that. */
	for_each_set(pin_dir, claim_set, &refused);
	if (refused)
		return refused;
	for_each_set(pin_dir, collect_ids, &ids);
	n = for_each_set(pin_dir, remove_set, NULL);
	rmdir(pin_dir);
	/* The kernel detaches a moment after the last name is gone: say "disarmed" when it has. */
	for (unsigned int i = 0; i < ids.n; i++) {
		for (int tries = 0; tries < 500; tries++) {
			int fd = bpf_prog_get_fd_by_id(ids.ids[i]);

			if (fd < 0)
				break;
			close(fd);
			usleep(10000);
		}
	}
	return n;
}
