// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Why system calls and not libbpf functions are replaced: what libbpf does between an object and BPF_PROG_LOAD is
 * exactly what must not be imitated. At the system call the loader is whole, whichever version of it is linked and
 * however.
 *
 * Answers are those of a kernel that has every feature libbpf probes for: what a kernel lacks shows in its BTF, which
 * is what decides relocation. See bpf(2) and kernel/bpf/syscall.c for the attributes read here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <linux/btf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "auditor/fake_kernel.h"
#include "common/cleanup.h"
#include "common/limits.h"

/* From Linux 6.19 on the command may carry this bit: common attributes follow in two more arguments. */
#define COMMON_ATTRS (1u << 16)

/* Ids of BTF objects: vmlinux has 1, as in a real kernel; modules follow; programs and targets have their own range. */
#define BTF_ID_VMLINUX 1u
#define BTF_ID_TARGET  0x70000000u

/* Newer than the oldest header this builds with. */
enum { CMD_PROG_BIND_MAP = 35, CMD_TOKEN_CREATE = 36 };

#define CALL (BPF_JMP | BPF_CALL)

enum fake_kind { FAKE_MAP, FAKE_BTF, FAKE_PROG, FAKE_TARGET };

/* Known by inode: libbpf duplicates descriptors, and never says when it closes one. */
struct fake_object {
	ino_t ino;
	enum fake_kind kind;
	union {
		struct {
			struct bpf_map_info map;
			void *data; /* of the only element */
			uint32_t data_len;
		};
		uint32_t btf_id;
		struct fake_load load;
		struct {
			const void *btf;
			size_t len;
		} target;
	};
};

static const struct fake_kernel *kernel;
static struct fake_object **objects;
static unsigned int n_objects;

void fake_kernel_set(const struct fake_kernel *conf)
{
	kernel = conf;
}

void fake_kernel_reset(void)
{
	for (unsigned int i = 0; i < n_objects; i++) {
		if (objects[i]->kind == FAKE_PROG) {
			free(objects[i]->load.insns);
			free(objects[i]->load.maps);
		} else if (objects[i]->kind == FAKE_MAP) {
			free(objects[i]->data);
		}
		free(objects[i]);
	}
	n_objects = 0;
}

static struct fake_object *object_by_fd(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	for (unsigned int i = n_objects; i > 0; i--)
		if (objects[i - 1]->ino == st.st_ino)
			return objects[i - 1];
	return NULL;
}

/* Makes a descriptor for @o, which is copied. */
static int object_new(const struct fake_object *o, size_t size)
{
	_cleanup_close_ int fd = -1;
	struct fake_object *copy;
	struct stat st;

	if (n_objects == FAKE_MAX_OBJECTS)
		return -ENFILE;
	if (!objects) {
		objects = calloc(FAKE_MAX_OBJECTS, sizeof(*objects));
		if (!objects)
			return -ENOMEM;
	}
	fd = memfd_create("bpf", MFD_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || (size && ftruncate(fd, (off_t)size) < 0))
		return -errno;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *o;
	copy->ino = st.st_ino;
	objects[n_objects++] = copy;
	return TAKE_FD(fd);
}

/* A descriptor to read @data from. */
static int file_new(const void *data, size_t len)
{
	_cleanup_close_ int fd = memfd_create("file", MFD_CLOEXEC);
	const char *p = data;

	if (fd < 0)
		return -errno;
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return TAKE_FD(fd);
}

const struct fake_load *fake_kernel_load(int prog_fd)
{
	struct fake_object *o = object_by_fd(prog_fd);

	return o && o->kind == FAKE_PROG ? &o->load : NULL;
}

int fake_kernel_target(const void *btf, size_t len)
{
	const struct fake_object o = { .kind = FAKE_TARGET, .target = { .btf = btf, .len = len } };

	return object_new(&o, 0);
}

/* ---- bpf(2) ------------------------------------------------------------------------------------------------------ */

static long map_create(const union bpf_attr *attr)
{
	struct fake_object o = { .kind = FAKE_MAP };
	uint64_t size, page = (uint64_t)sysconf(_SC_PAGESIZE);
	int fd;

	o.map.type = attr->map_type;
	o.map.id = n_objects + 1;
	o.map.key_size = attr->key_size;
	o.map.value_size = attr->value_size;
	o.map.max_entries = attr->max_entries;
	o.map.map_flags = attr->map_flags;
	memcpy(o.map.name, attr->map_name, sizeof(o.map.name));
	/* Large enough to be mapped: libbpf maps arrays over their values, and arenas page by page. */
	if (attr->key_size == 4 && attr->value_size)
		size = (((uint64_t)attr->value_size + 7) & ~7ull) * attr->max_entries;
	else
		size = (uint64_t)attr->max_entries * (attr->value_size ? 0 : page);
	size = (size + page - 1) & ~(page - 1);
	fd = object_new(&o, size <= BW_MAX_OBJECT_SIZE ? (size_t)size : BW_MAX_OBJECT_SIZE);
	return fd;
}

/* Keeps the value of maps with one element: that is where libbpf puts .rodata and .data. */
static long map_update(const union bpf_attr *attr)
{
	struct fake_object *o = object_by_fd((int)attr->map_fd);
	uint32_t len;

	if (!o || o->kind != FAKE_MAP || o->map.type != BPF_MAP_TYPE_ARRAY || o->map.max_entries != 1)
		return 0;
	len = o->map.value_size < FAKE_MAX_MAP_DATA ? o->map.value_size : FAKE_MAX_MAP_DATA;
	free(o->data);
	o->data_len = 0;
	o->data = malloc(len ? len : 1);
	if (!o->data)
		return -ENOMEM;
	memcpy(o->data, (const void *)(uintptr_t)attr->value, len);
	o->data_len = len;
	return 0;
}

/* Notes the maps that the instructions of @load refer to by descriptor. */
static int load_maps(struct fake_load *load)
{
	for (uint32_t i = 0; i + 1 < load->insn_cnt; i++) {
		const struct bpf_insn *in = &load->insns[i];
		struct fake_object *o;
		bool known = false;

		if (in->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		i++;
		if (in->src_reg != BPF_PSEUDO_MAP_FD && in->src_reg != BPF_PSEUDO_MAP_VALUE)
			continue;
		for (uint32_t k = 0; k < load->n_maps; k++)
			known |= load->maps[k].ref == (uint32_t)in->imm;
		o = known || load->n_maps == FAKE_MAX_LOAD_MAPS ? NULL : object_by_fd(in->imm);
		if (!o || o->kind != FAKE_MAP)
			continue;
		if (!load->maps)
			load->maps = calloc(FAKE_MAX_LOAD_MAPS, sizeof(*load->maps));
		if (!load->maps)
			return -ENOMEM;
		load->maps[load->n_maps++] = (struct fake_map){
			.ref = (uint32_t)in->imm,
			.id = o->map.id,
			.type = o->map.type,
			.key_size = o->map.key_size,
			.value_size = o->map.value_size,
			.max_entries = o->map.max_entries,
			.flags = o->map.map_flags,
			.data = o->data,
			.data_len = o->data_len,
		};
		memcpy(load->maps[load->n_maps - 1].name, o->map.name, sizeof(o->map.name));
	}
	return 0;
}

/* A feature probe asks whether its program would load: libbpf gives those no name, or one of its own. */
static bool is_probe(const union bpf_attr *attr)
{
	return !attr->prog_name[0] || !strncmp(attr->prog_name, "libbpf_", 7);
}

static const char *btf_name(int fd)
{
	struct fake_object *o = object_by_fd(fd);

	if (!o || o->kind != FAKE_BTF || o->btf_id < BTF_ID_VMLINUX || o->btf_id - BTF_ID_VMLINUX >= kernel->n_btf)
		return NULL;
	return kernel->btf[o->btf_id - BTF_ID_VMLINUX].name;
}

static long prog_load(const union bpf_attr *attr)
{
	const struct bpf_insn *insns = (const struct bpf_insn *)(uintptr_t)attr->insns;
	struct fake_object o = { .kind = FAKE_PROG };
	long fd;

	if (!attr->insn_cnt || attr->insn_cnt > BW_MAX_INSNS)
		return -E2BIG;
	for (uint32_t i = 0; i < attr->insn_cnt && kernel->max_helper && is_probe(attr); i++)
		if (insns[i].code == CALL && !insns[i].src_reg && (uint32_t)insns[i].imm >= kernel->max_helper)
			return -EINVAL;
	o.load.prog_type = attr->prog_type;
	o.load.expected_attach_type = attr->expected_attach_type;
	o.load.prog_flags = attr->prog_flags;
	o.load.attach_btf_id = attr->attach_btf_id;
	/* attach_prog_fd and attach_btf_obj_fd share their place: a program, a module's BTF, or 0 for vmlinux. */
	if (attr->attach_btf_id && attr->attach_btf_obj_fd)
		o.load.attach_btf = btf_name((int)attr->attach_btf_obj_fd);
	else if (attr->attach_btf_id && kernel->n_btf)
		o.load.attach_btf = kernel->btf[0].name;
	o.load.insn_cnt = attr->insn_cnt;
	o.load.insns = malloc(attr->insn_cnt * sizeof(*insns));
	if (!o.load.insns)
		return -ENOMEM;
	memcpy(o.load.insns, insns, attr->insn_cnt * sizeof(*insns));
	fd = load_maps(&o.load);
	if (!fd)
		fd = object_new(&o, 0);
	if (fd < 0) {
		free(o.load.insns);
		free(o.load.maps);
	}
	return fd;
}

static long btf_by_id(uint32_t id)
{
	struct fake_object o = { .kind = FAKE_BTF, .btf_id = id };

	if (id >= BTF_ID_TARGET) {
		if (id - BTF_ID_TARGET >= n_objects || objects[id - BTF_ID_TARGET]->kind != FAKE_TARGET)
			return -ENOENT;
	} else if (id < BTF_ID_VMLINUX || id - BTF_ID_VMLINUX >= kernel->n_btf) {
		return -ENOENT;
	}
	return object_new(&o, 0);
}

static long btf_next_id(union bpf_attr *attr)
{
	uint32_t next = attr->start_id + 1;

	if (next < BTF_ID_VMLINUX || next - BTF_ID_VMLINUX >= kernel->n_btf)
		return -ENOENT;
	attr->next_id = next;
	return 0;
}

static void copy_info(union bpf_attr *attr, const void *info, size_t len)
{
	if (attr->info.info_len > len)
		attr->info.info_len = (uint32_t)len;
	memcpy((void *)(uintptr_t)attr->info.info, info, attr->info.info_len);
}

/* Fills what was asked for the way btf_get_info_by_fd() does: sizes always, data as far as there is room. */
static long btf_info(union bpf_attr *attr, const struct fake_object *o)
{
	struct bpf_btf_info info = { .id = o->btf_id };
	const char *name = "";
	const void *data;
	size_t len, n;

	if (attr->info.info_len < sizeof(info))
		return -EINVAL;
	memcpy(&info, (const void *)(uintptr_t)attr->info.info, sizeof(info));
	if (o->btf_id >= BTF_ID_TARGET) {
		data = objects[o->btf_id - BTF_ID_TARGET]->target.btf;
		len = objects[o->btf_id - BTF_ID_TARGET]->target.len;
	} else if (o->btf_id) {
		const struct fake_btf *b = &kernel->btf[o->btf_id - BTF_ID_VMLINUX];

		name = b->name;
		data = b->data;
		len = b->len;
		info.kernel_btf = 1;
	} else {
		return -EINVAL; /* what BTF_LOAD made is never read back */
	}
	info.id = o->btf_id;
	if (info.btf && info.btf_size)
		memcpy((void *)(uintptr_t)info.btf, data, info.btf_size < len ? info.btf_size : len);
	info.btf_size = (uint32_t)len;
	if (info.name && info.name_len) {
		n = strnlen(name, info.name_len - 1);
		memcpy((void *)(uintptr_t)info.name, name, n);
		((char *)(uintptr_t)info.name)[n] = 0;
	}
	info.name_len = (uint32_t)strlen(name);
	copy_info(attr, &info, sizeof(info));
	return 0;
}

static long object_info(union bpf_attr *attr)
{
	const struct fake_object *o = object_by_fd((int)attr->info.bpf_fd);
	struct bpf_prog_info prog = { .id = 1 };

	if (!o)
		return -EBADF;
	switch (o->kind) {
	case FAKE_MAP:
		copy_info(attr, &o->map, sizeof(o->map));
		return 0;
	case FAKE_BTF:
		return btf_info(attr, o);
	case FAKE_PROG:
		prog.type = o->load.prog_type;
		break;
	case FAKE_TARGET:
		for (unsigned int i = 0; i < n_objects; i++)
			if (objects[i] == o)
				prog.btf_id = BTF_ID_TARGET + i;
		break;
	}
	copy_info(attr, &prog, sizeof(prog));
	return 0;
}

static long do_bpf(unsigned int cmd, union bpf_attr *user, size_t size)
{
	const struct fake_object btf = { .kind = FAKE_BTF };
	union bpf_attr attr;
	long r;

	memset(&attr, 0, sizeof(attr));
	memcpy(&attr, user, size < sizeof(attr) ? size : sizeof(attr));
	switch (cmd & ~COMMON_ATTRS) {
	case BPF_MAP_CREATE:
		return map_create(&attr);
	case BPF_MAP_UPDATE_ELEM:
		return map_update(&attr);
	case BPF_MAP_DELETE_ELEM:
	case BPF_MAP_UPDATE_BATCH:
	case BPF_MAP_FREEZE:
	case BPF_OBJ_PIN:
	case CMD_PROG_BIND_MAP:
		return 0;
	case BPF_MAP_LOOKUP_ELEM:
	case BPF_MAP_GET_NEXT_KEY:
	case BPF_OBJ_GET: /* nothing is pinned */
		return -ENOENT;
	case BPF_PROG_LOAD:
		return prog_load(&attr);
	case BPF_BTF_LOAD:
		return object_new(&btf, 0);
	case BPF_BTF_GET_FD_BY_ID:
		return btf_by_id(attr.btf_id);
	case BPF_BTF_GET_NEXT_ID:
		r = btf_next_id(&attr);
		if (!r)
			user->next_id = attr.next_id;
		return r;
	case BPF_OBJ_GET_INFO_BY_FD:
		r = object_info(&attr);
		if (!r)
			user->info.info_len = attr.info.info_len;
		return r;
	case BPF_LINK_CREATE: /* libbpf asks with a bad descriptor whether the kernel knows the command */
		return -EBADF;
	case CMD_TOKEN_CREATE:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static bool file_content(const char *path, const void **ret, size_t *ret_len)
{
	/* A loader sizes per-CPU maps by it; no instruction depends on it. */
	static const char cpus[] = "0-7\n";

	if (!path)
		return false;
	if (!strcmp(path, "/sys/kernel/btf/vmlinux") && kernel->n_btf) {
		*ret = kernel->btf[0].data;
		*ret_len = kernel->btf[0].len;
	} else if (!strcmp(path, FAKE_OBJECT_PATH)) {
		*ret = kernel->object;
		*ret_len = kernel->object_len;
	} else if (!strcmp(path, "/proc/kallsyms")) {
		*ret = kernel->kallsyms ? kernel->kallsyms : "";
		*ret_len = strlen(*ret);
	} else if (!strcmp(path, "/sys/devices/system/cpu/possible")) {
		*ret = cpus;
		*ret_len = sizeof(cpus) - 1;
	} else {
		return false;
	}
	return true;
}

static long open_file(const char *path)
{
	const void *data;
	size_t len;

	return file_content(path, &data, &len) ? file_new(data, len) : -ENOENT;
}

static long access_file(const char *path)
{
	const void *data;
	size_t len;

	return file_content(path, &data, &len) ? 0 : -ENOENT;
}

static long fill_uname(struct utsname *u)
{
	memset(u, 0, sizeof(*u));
	snprintf(u->sysname, sizeof(u->sysname), "Linux");
	snprintf(u->release, sizeof(u->release), "%s", kernel->release);
	snprintf(u->version, sizeof(u->version), "#1");
	return 0;
}

long fake_kernel_trap(void *ctx, long nr, const unsigned long args[6])
{
	(void)ctx;
	if (!kernel)
		return -ENOSYS;
	switch (nr) {
	case SYS_bpf:
		return do_bpf((unsigned int)args[0], (union bpf_attr *)args[1], args[2]);
	case SYS_openat:
		return open_file((const char *)args[1]);
	case SYS_faccessat:
#ifdef SYS_faccessat2
	case SYS_faccessat2:
#endif
		return access_file((const char *)args[1]);
#ifdef SYS_open
	case SYS_open:
		return open_file((const char *)args[0]);
	case SYS_access:
		return access_file((const char *)args[0]);
#endif
	case SYS_uname:
		return fill_uname((struct utsname *)args[0]);
	case SYS_prlimit64: /* libbpf raises the limit of locked memory for old kernels */
#ifdef SYS_setrlimit
	case SYS_setrlimit:
#endif
		return 0;
	case SYS_geteuid:
	case SYS_getuid:
		return 0;
	case SYS_newfstatat:
	case SYS_readlinkat:
	case SYS_perf_event_open:
		return -ENOENT;
	case SYS_ioctl:
		return -ENOTTY;
	default:
		return -ENOSYS;
	}
}
