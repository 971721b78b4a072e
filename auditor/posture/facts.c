// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reads what the kernel says about itself: /proc, /sys, its configuration. Bounded; what cannot be read stays unknown.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "auditor/posture/posture.h"
#include "common/cleanup.h"

#define MAX_FILE   (1u << 20)
#define MAX_CONFIG (8u << 20)
#define MAX_MOUNTS 8192u

static const struct {
	const char *path, *name;
} sysctls[] = {
#define X(id, p, n) { p, n },
	POSTURE_SYSCTLS(X)
#undef X
};

const char *posture_sysctl_name(unsigned int id)
{
	return sysctls[id].name;
}

const char *posture_sysctl_path(unsigned int id)
{
	return sysctls[id].path;
}

static int read_bytes(const char *root, const char *path, size_t max, struct bw_buf *out)
{
	_cleanup_close_ int fd = -1;
	char full[PATH_MAX], chunk[16384];
	struct stat st;

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	/* a fifo in a recorded tree must not hold us up */
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return bw_buf_error(out);
		if ((size_t)n > max - out->len)
			return -EFBIG;
		bw_buf_append(out, chunk, (size_t)n);
	}
}

static struct posture_text text_of(struct bw_arena *a, const char *s, size_t len)
{
	char *copy;

	while (len && (s[len - 1] == '\n' || !s[len - 1]))
		len--;
	copy = bw_arena_strn(a, s, len);
	return copy ? (struct posture_text){ POSTURE_VALUE, copy } : (struct posture_text){ POSTURE_UNREAD, "" };
}

struct posture_text posture_read(struct bw_arena *a, const char *root, const char *path)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	int r = read_bytes(root, path, MAX_FILE, &b);

	if (r == -ENOENT || r == -ENOTDIR)
		return (struct posture_text){ POSTURE_ABSENT, "" };
	if (r < 0)
		return (struct posture_text){ POSTURE_UNREAD, "" };
	return text_of(a, bw_buf_cstr(&b), b.len);
}

/* Absence says something only where the folder's file system is mounted: @witness is there whenever it is. */
static struct posture_text read_below(struct bw_arena *a, const char *root, const char *path, const char *witness)
{
	struct posture_text t = posture_read(a, root, path);
	char full[PATH_MAX];

	if (t.state != POSTURE_ABSENT)
		return t;
	if (snprintf(full, sizeof(full), "%s%s", root, witness) >= (int)sizeof(full) || access(full, F_OK) < 0)
		t.state = POSTURE_UNREAD;
	return t;
}

enum posture_state posture_sysctl(const struct posture_host *h, unsigned int id, long *ret_value)
{
	const struct posture_text *t = &h->sysctl[id];
	char *end;
	long v;

	if (t->state != POSTURE_VALUE)
		return t->state;
	errno = 0;
	v = strtol(t->text, &end, 10);
	if (errno || end == t->text || *end)
		return POSTURE_UNREAD;
	*ret_value = v;
	return POSTURE_VALUE;
}

char posture_config(const struct posture_host *h, const char *name)
{
	char want[80];
	const char *p = h->config.text;
	int n;

	if (h->config.state != POSTURE_VALUE)
		return '?';
	n = snprintf(want, sizeof(want), "CONFIG_%s=", name);
	while (p && *p) {
		if (!strncmp(p, want, (size_t)n)) {
			p += n;
			return (*p == 'y' || *p == 'm') && (p[1] == '\n' || !p[1]) ? *p : 'v';
		}
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	return 'n';
}

bool posture_cmdline(const struct posture_host *h, const char *name, char *value, size_t size)
{
	const char *p = h->cmdline.text;
	size_t len = strlen(name);
	bool found = false;

	if (h->cmdline.state != POSTURE_VALUE)
		return false;
	while (*p) {
		size_t n;

		p += strspn(p, " \t\n");
		n = strcspn(p, " \t\n");
		if (n >= len && !strncmp(p, name, len) && (n == len || p[len] == '=')) {
			found = true;
			if (value)
				snprintf(value, size, "%.*s", n > len ? (int)(n - len - 1) : 0,
					 n > len ? p + len + 1 : "");
		}
		p += n;
	}
	return found;
}

/* RFC 1952, one member, as kernel/configs.c and dh_compress(1) make it. */
static int inflate_gz(const struct bw_buf *in, size_t max, struct bw_buf *out)
{
	z_stream z = { .next_in = (Bytef *)in->data, .avail_in = (uInt)in->len };
	char chunk[16384];
	int r;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	do {
		z.next_out = (Bytef *)chunk;
		z.avail_out = sizeof(chunk);
		r = inflate(&z, Z_NO_FLUSH);
		bw_buf_append(out, chunk, sizeof(chunk) - z.avail_out);
	} while (r == Z_OK && out->len < max);
	inflateEnd(&z);
	return r == Z_STREAM_END ? bw_buf_error(out) : -EBADMSG;
}

int posture_read_gz(const char *root, const char *path, size_t max, struct bw_buf *out)
{
	_cleanup_buf_ struct bw_buf gz = { .max = max };
	int r = read_bytes(root, path, max, &gz);

	return r < 0 ? r : inflate_gz(&gz, max, out);
}

static void read_config(struct posture_host *h, const char *root)
{
	static const char *const patterns[] = { "/boot/config-%s", "/lib/modules/%s/config",
						"/usr/lib/modules/%s/config", "/lib/modules/%s/build/.config" };
	_cleanup_buf_ struct bw_buf text = { 0 };
	char path[512];

	/* the running kernel's own copy cannot be of another kernel */
	if (!posture_read_gz(root, "/proc/config.gz", MAX_CONFIG, &text)) {
		h->config = text_of(&h->arena, bw_buf_cstr(&text), text.len);
		h->config_from = "/proc/config.gz";
		return;
	}
	for (size_t i = 0;
	     i < ARRAY_SIZE(patterns) && h->release.state == POSTURE_VALUE && !strchr(h->release.text, '/'); i++) {
		bw_buf_reset(&text);
		snprintf(path, sizeof(path), patterns[i], h->release.text);
		if (read_bytes(root, path, MAX_CONFIG, &text) || !strstr(bw_buf_cstr(&text), "CONFIG_"))
			continue;
		h->config = text_of(&h->arena, bw_buf_cstr(&text), text.len);
		h->config_from = bw_arena_str(&h->arena, path);
		return;
	}
}

/* \040 and the like (fs/proc_namespace.c, mangle()). */
static const char *unmangle(struct bw_arena *a, const char *s, size_t len)
{
	char *out = bw_arena_strn(a, s, len), *w = out;

	if (!out)
		return "";
	for (const char *p = out; *p; w++)
		if (*p == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' &&
		    p[3] <= '7') {
			*w = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 4;
		} else {
			*w = *p++;
		}
	*w = 0;
	return out;
}

static int read_mounts(struct posture_host *h, const char *root)
{
	struct posture_text t = posture_read(&h->arena, root, "/proc/self/mounts");
	const char *line = t.text;
	size_t cap = 0;

	if (t.state != POSTURE_VALUE)
		t = posture_read(&h->arena, root, "/proc/mounts");
	line = t.text;
	h->mounts_known = t.state == POSTURE_VALUE;
	while (*line && h->n_mounts < MAX_MOUNTS) {
		const char *field[4], *p = line;
		size_t len[4], n = 0;
		char full[PATH_MAX];
		struct posture_mount *m;
		struct stat st;

		for (; n < 4; n++) {
			len[n] = strcspn(p, " \n");
			field[n] = p;
			p += len[n];
			if (*p != ' ')
				break;
			p++;
		}
		p = strchr(line, '\n');
		line = p ? p + 1 : "";
		if (n < 4)
			continue;
		if (!bw_arena_grow(&h->arena, &h->mounts, h->n_mounts, &cap, sizeof(*m)))
			return -ENOMEM;
		m = &h->mounts[h->n_mounts++];
		*m = (struct posture_mount){ .point = unmangle(&h->arena, field[1], len[1]),
					     .type = unmangle(&h->arena, field[2], len[2]),
					     .options = unmangle(&h->arena, field[3], len[3]) };
		if (snprintf(full, sizeof(full), "%s%s", root, m->point) < (int)sizeof(full) && !lstat(full, &st)) {
			m->mode_known = S_ISDIR(st.st_mode);
			m->mode = st.st_mode & 07777;
			m->uid = st.st_uid;
		}
	}
	if (*line)
		h->mounts_known = false;
	return 0;
}

static void read_os(struct posture_host *h, const char *root)
{
	struct posture_text t = posture_read(&h->arena, root, "/etc/os-release");
	const char *p = t.text;

	h->os_id = (struct posture_text){ t.state == POSTURE_VALUE ? POSTURE_ABSENT : t.state, "" };
	for (; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
		if (!strncmp(p, "ID=", 3)) {
			size_t n;

			p += 3 + strspn(p + 3, "\"'");
			n = strcspn(p, "\"'\n");
			h->os_id = text_of(&h->arena, p, n);
			return;
		}
}

/* EFI variable: four bytes of attributes, then the value (Documentation/filesystems/efivarfs.rst). */
static void read_secure_boot(struct posture_host *h, const char *root)
{
	static const char path[] = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
	_cleanup_buf_ struct bw_buf b = { 0 };
	char full[PATH_MAX];
	int r = read_bytes(root, path, 4096, &b);

	h->secure_boot = (struct posture_text){ POSTURE_UNREAD, "" };
	if (!r && b.len == 5) {
		h->secure_boot = (struct posture_text){ POSTURE_VALUE, b.data[4] == 1 ? "on" : "off" };
	} else if (r == -ENOENT) {
		bool sys, efi;

		snprintf(full, sizeof(full), "%s/sys/kernel", root);
		sys = !access(full, F_OK);
		snprintf(full, sizeof(full), "%s/sys/firmware/efi", root);
		efi = !access(full, F_OK) || errno != ENOENT;
		if (sys && !efi)
			h->secure_boot.state = POSTURE_ABSENT;
	}
}

static void read_memory(struct posture_host *h, const char *root)
{
	struct posture_text t = posture_read(&h->arena, root, "/proc/meminfo");

	if (t.state == POSTURE_VALUE && !strncmp(t.text, "MemTotal:", 9))
		h->mem_kb = text_of(&h->arena, t.text + 9 + strspn(t.text + 9, " "),
				    strcspn(t.text + 9 + strspn(t.text + 9, " "), " \n"));
}

int posture_host_read(const char *root, struct posture_host *ret)
{
	struct posture_host h = { .config_from = "", .changelog.from = "" };
	struct bw_arena *a = &h.arena;
	struct utsname u;
	struct posture_text *const all[] = { &h.config, &h.mem_kb, &h.sig_enforce, &h.os_id };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i]->text = "";
	h.release = posture_read(a, root, "/proc/sys/kernel/osrelease");
	h.version = posture_read(a, root, "/proc/version");
	h.arch = posture_read(a, root, "/proc/sys/kernel/arch");
	if (h.arch.state != POSTURE_VALUE && !*root && !uname(&u))
		h.arch = text_of(a, u.machine, strlen(u.machine));
	h.cmdline = posture_read(a, root, "/proc/cmdline");
	h.ubuntu = posture_read(a, root, "/proc/version_signature");
	/* securityfs is mounted when its lsm file is there */
	h.lsm = read_below(a, root, "/sys/kernel/security/lsm", "/sys/kernel/security/lsm");
	h.lockdown = read_below(a, root, "/sys/kernel/security/lockdown", "/sys/kernel/security/lsm");
	h.sig_enforce = read_below(a, root, "/sys/module/module/parameters/sig_enforce", "/sys/module");
	h.spectre_v2 = posture_read(a, root, "/sys/devices/system/cpu/vulnerabilities/spectre_v2");
	for (unsigned int i = 0; i < POSTURE_SYSCTL_COUNT; i++) {
		char path[128];

		snprintf(path, sizeof(path), "/proc/sys/%s", sysctls[i].path);
		h.sysctl[i] = read_below(a, root, path, "/proc/sys/kernel/osrelease");
	}
	/* net/core/bpf_* exist in the first network namespace only: in another one their absence says nothing */
	for (unsigned int i = POSTURE_SYSCTL_JIT_ENABLE; i <= POSTURE_SYSCTL_JIT_KALLSYMS; i++)
		if (h.sysctl[i].state == POSTURE_ABSENT)
			h.sysctl[i].state = POSTURE_UNREAD;
	read_config(&h, root);
	read_os(&h, root);
	read_secure_boot(&h, root);
	read_memory(&h, root);
	r = read_mounts(&h, root);
	if (!r)
		r = posture_host_read_packages(root, &h);
	if (!r)
		r = posture_host_read_people(root, &h);
	if (r < 0) {
		posture_host_free(&h);
		return r;
	}
	*ret = h;
	return 0;
}

void posture_host_free(struct posture_host *h)
{
	bw_arena_free(&h->arena);
	memset(h, 0, sizeof(*h));
}
