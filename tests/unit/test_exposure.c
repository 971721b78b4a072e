// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The join of APIs with programs: what an attachment means, whose data passes there, who reads it; all of it generated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <elf.h>
#include <linux/bpf.h>
#include <string.h>

#include "auditor/elf_symbol.h"
#include "auditor/exposure.h"
#include "common/cleanup.h"

static void attachments(void **state)
{
	static const struct {
		const char *text;
		enum exposure_place place;
		const char *name; /* NULL: any */
		uint64_t offset, netns, cgroup;
	} rows[] = {
		{ "uprobe /usr/lib/libssl.so.3+0x1f40", EXPOSURE_AT_FILE, "/usr/lib/libssl.so.3", 0x1f40, 0, 0 },
		{ "uretprobe /tmp/a+0xb/c at d+0x10", EXPOSURE_AT_FILE, "/tmp/a+0xb/c at d", 0x10, 0, 0 },
		{ "uprobe.multi /usr/lib/x at 7 at 12 offsets", EXPOSURE_AT_FILE, "/usr/lib/x at 7", 0, 0, 0 },
		{ "uprobe /bin/x", EXPOSURE_AT_FILE, "/bin/x", 0, 0, 0 },
		{ "xdp generic eth0 netns 4026532000", EXPOSURE_AT_INTERFACE, "eth0", 0, 4026532000, 0 },
		{ "tc egress lo filter", EXPOSURE_AT_INTERFACE, "lo", 0, 0, 0 },
		{ "tcx_ingress eth1", EXPOSURE_AT_INTERFACE, "eth1", 0, 0, 0 },
		{ "cgroup_inet_egress /system.slice/nginx.service", EXPOSURE_AT_CGROUP, "/system.slice/nginx.service", 0, 0, 0 },
		{ "cgroup_inet_ingress cgroup 4711", EXPOSURE_AT_CGROUP, NULL, 0, 0, 4711 },
		{ "flow_dissector network namespace 4026531840", EXPOSURE_AT_NETNS, NULL, 0, 4026531840, 0 },
		{ "sk_lookup netns 12", EXPOSURE_AT_NETNS, NULL, 0, 12, 0 },
		{ "sk_msg_verdict map 9", EXPOSURE_AT_SOCKETS, NULL, 0, 0, 9 },
		{ "in map 17", EXPOSURE_AT_MAP, NULL, 0, 0, 17 },
		{ "iterator task", EXPOSURE_AT_NOTHING, NULL, 0, 0, 0 },
		{ "raw tracepoint sys_enter", EXPOSURE_AT_KERNEL, "sys_enter", 0, 0, 0 },
		{ "kprobe tcp_sendmsg+0x10", EXPOSURE_AT_KERNEL, "tcp_sendmsg", 0, 0, 0 },
		{ "what nobody knows", EXPOSURE_AT_KERNEL, NULL, 0, 0, 0 }, /* it may see everything */
		{ "", EXPOSURE_AT_KERNEL, "", 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exposure_point p;

		exposure_point_read(rows[i].text, &p);
		assert_int_equal(p.place, rows[i].place);
		assert_int_equal(p.offset, rows[i].offset);
		assert_int_equal(p.netns, rows[i].netns);
		assert_int_equal(p.cgroup, rows[i].cgroup);
		if (rows[i].name) {
			assert_int_equal(p.name_len, strlen(rows[i].name));
			assert_memory_equal(p.name, rows[i].name, p.name_len);
		}
	}
}

/* ---- a generated host ----------------------------------------------------------------------------------------------------- */

#define TLS_FACTS                                                                                                     \
	{ "class", "card", "", 1, 2, 3 }, { "direction", "north-south", "", 1, 2, 3 },                                \
	{ "pii", "request.body:card", "card", 1, 2, 3 }, { "process", "/usr/sbin/nginx", "", 1, 2, 3 }, { "source", "openssl", "", 1, 2, 3 }
#define CLEAR_FACTS                                                                                                   \
	{ "class", "email", "", 1, 2, 3 }, { "direction", "loopback", "", 1, 2, 3 },                                  \
	{ "pii", "response.body:mail", "email", 1, 2, 3 }, { "process", "/opt/app", "", 1, 2, 3 }, { "source", "socket", "", 1, 2, 3 }

static const struct api_fact tls[] = { TLS_FACTS }, clear[] = { CLEAR_FACTS }, dull[] = { { "process", "/opt/app", "", 1, 2, 3 } },
			     gone[] = { { "class", "card", "", 1, 2, 3 }, { "process", "/opt/gone", "", 1, 2, 3 }, { "source", "gnutls", "", 1, 2, 3 } };
static struct api_endpoint endpoints[] = {
	{ .host = "a", .method = "POST", .path = "/checkout", .facts = tls, .nfacts = ARRAY_SIZE(tls) },
	{ .host = "a", .method = "GET", .path = "/dull", .facts = dull, .nfacts = ARRAY_SIZE(dull) },
	{ .host = "a", .method = "GET", .path = "/gone", .facts = gone, .nfacts = ARRAY_SIZE(gone) },
	{ .host = "b", .method = "GET", .path = "/me", .facts = clear, .nfacts = ARRAY_SIZE(clear) },
};
static const struct api_data data = { .endpoints = endpoints, .n = ARRAY_SIZE(endpoints) };
enum { CHECKOUT, GONE, ME };

static const struct exposure_file nginx_files[] = { { 1, 10, "/usr/sbin/nginx" }, { 1, 11, "/usr/lib/libssl.so.3" } };
static const struct exposure_file app_files[] = { { 1, 20, "/opt/app" } };
static const uint64_t nginx_cgroups[] = { 500, 100, 1 }, app_cgroups[] = { 600, 100, 1 };
static const struct exposure_service services[] = {
	{ 7, "/usr/sbin/nginx", "nginx", nginx_files, 2, nginx_cgroups, 3, 900 },
	{ 8, "/opt/app", "app", app_files, 1, app_cgroups, 3, 901 },
};

static void whose_data_passes(void **state)
{
	static const struct {
		const char *text;
		uint64_t ino, cgroup, netns; /* as the host would fill them in */
		uint32_t reads;
		enum exposure_level level[3]; /* CHECKOUT, GONE, ME */
	} rows[] = {
#define MEMORY EXPOSURE_READS_MEMORY
#define PACKETS EXPOSURE_READS_PACKETS
		{ "uprobe /usr/lib/libssl.so.3+0x10", 11, 0, 0, MEMORY, { EXPOSURE_TAKES, EXPOSURE_NONE, EXPOSURE_NONE } },
		/* The same path, another file: a container's. */
		{ "uprobe /usr/lib/libssl.so.3+0x10", 12, 0, 0, MEMORY, { EXPOSURE_NONE, EXPOSURE_NONE, EXPOSURE_NONE } },
		{ "uprobe /usr/lib/libssl.so.3+0x10", 0, 0, 0, MEMORY, { EXPOSURE_TAKES, EXPOSURE_NONE, EXPOSURE_NONE } },
		{ "uprobe /usr/lib/libgnutls.so.30+0x10", 13, 0, 0, MEMORY, { EXPOSURE_NONE, EXPOSURE_TAKES, EXPOSURE_NONE } },
		{ "uprobe /opt/gone+0x10", 14, 0, 0, MEMORY, { EXPOSURE_NONE, EXPOSURE_TAKES, EXPOSURE_NONE } },
		{ "uprobe /opt/app+0x10", 20, 0, 0, 0, { EXPOSURE_NONE, EXPOSURE_NONE, EXPOSURE_PLACED } },
		{ "uprobe /opt/app+0x10", 20, 0, 0, EXPOSURE_READS_UNKNOWN, { EXPOSURE_NONE, EXPOSURE_NONE, EXPOSURE_MAY } },
		{ "tracepoint sys_enter_write", 0, 0, 0, EXPOSURE_READS_CALLS, { EXPOSURE_CIPHERTEXT, EXPOSURE_CIPHERTEXT, EXPOSURE_TAKES } },
		{ "kprobe tcp_sendmsg", 0, 0, 0, MEMORY, { EXPOSURE_TAKES, EXPOSURE_TAKES, EXPOSURE_TAKES } },
		{ "kprobe tcp_sendmsg", 0, 0, 0, EXPOSURE_READS_KERNEL, { EXPOSURE_MAY, EXPOSURE_MAY, EXPOSURE_MAY } },
		{ "kprobe tcp_sendmsg", 0, 0, 0, 0, { EXPOSURE_PLACED, EXPOSURE_PLACED, EXPOSURE_PLACED } },
		{ "xdp eth0", 0, 0, 0, PACKETS, { EXPOSURE_CIPHERTEXT, EXPOSURE_CIPHERTEXT, EXPOSURE_NONE } },
		{ "xdp eth0", 0, 0, 0, EXPOSURE_READS_UNKNOWN, { EXPOSURE_CIPHERTEXT, EXPOSURE_CIPHERTEXT, EXPOSURE_NONE } },
		{ "tc ingress lo", 0, 0, 901, PACKETS, { EXPOSURE_NONE, EXPOSURE_CIPHERTEXT, EXPOSURE_TAKES } },
		{ "tc ingress lo", 0, 0, 900, PACKETS, { EXPOSURE_NONE, EXPOSURE_CIPHERTEXT, EXPOSURE_NONE } },
		{ "xdp eth0", 0, 0, 902, PACKETS, { EXPOSURE_NONE, EXPOSURE_CIPHERTEXT, EXPOSURE_NONE } },
		{ "cgroup_inet_egress /x", 0, 600, 0, PACKETS, { EXPOSURE_NONE, EXPOSURE_CIPHERTEXT, EXPOSURE_TAKES } },
		{ "cgroup_inet_egress /y", 0, 100, 0, PACKETS, { EXPOSURE_CIPHERTEXT, EXPOSURE_CIPHERTEXT, EXPOSURE_TAKES } },
		{ "cgroup_inet_egress /z", 0, 777, 0, PACKETS, { EXPOSURE_NONE, EXPOSURE_CIPHERTEXT, EXPOSURE_NONE } },
		{ "flow_dissector netns 1", 0, 0, 901, PACKETS, { EXPOSURE_NONE, EXPOSURE_CIPHERTEXT, EXPOSURE_TAKES } },
		{ "sk_msg_verdict map 3", 0, 0, 0, PACKETS, { EXPOSURE_CIPHERTEXT, EXPOSURE_CIPHERTEXT, EXPOSURE_TAKES } },
		{ "iterator task", 0, 0, 0, MEMORY, { EXPOSURE_NONE, EXPOSURE_NONE, EXPOSURE_NONE } },
	};
	struct exposure_world w;

	assert_int_equal(exposure_world(&data, services, ARRAY_SIZE(services), &w), 0);
	assert_int_equal(w.n_apis, 3);
	assert_true(!w.apis[CHECKOUT].absent && w.apis[GONE].absent && !w.apis[ME].absent);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exposure_point p;

		exposure_point_read(rows[i].text, &p);
		p.dev = rows[i].ino ? 1 : 0;
		p.ino = rows[i].ino;
		p.cgroup = rows[i].cgroup ? rows[i].cgroup : p.cgroup;
		p.netns = rows[i].netns;
		for (int a = 0; a < 3; a++)
			if (exposure_judge(&w, &w.apis[a], &p, rows[i].reads) != rows[i].level[a])
				fail_msg("row %zu \"%s\", API %d: %s", i, rows[i].text, a,
					 exposure_level_name(exposure_judge(&w, &w.apis[a], &p, rows[i].reads)));
	}
	exposure_world_free(&w);
	assert_true(exposure_concerns(&data, "/opt/app"));
	assert_false(exposure_concerns(&data, "/opt/other"));
}

/* The guard knows no processes: what can be matched by name is, the rest is possible. */
static void without_processes(void **state)
{
	struct exposure_world w;
	struct exposure_point p;

	assert_int_equal(exposure_world(&data, NULL, 0, &w), 0);
	exposure_point_read("uprobe /snap/x/libssl.so.1.1:0x10", &p);
	assert_int_equal(exposure_judge(&w, &w.apis[CHECKOUT], &p, EXPOSURE_READS_MEMORY), EXPOSURE_TAKES);
	assert_int_equal(exposure_judge(&w, &w.apis[ME], &p, EXPOSURE_READS_MEMORY), EXPOSURE_NONE);
	exposure_point_read("cgroup_inet_egress cgroup 5", &p);
	assert_int_equal(exposure_judge(&w, &w.apis[ME], &p, EXPOSURE_READS_PACKETS), EXPOSURE_TAKES);
	exposure_point_read("xdp 1", &p); /* by index: lo */
	assert_int_equal(exposure_judge(&w, &w.apis[ME], &p, EXPOSURE_READS_PACKETS), EXPOSURE_TAKES);
	assert_int_equal(exposure_judge(&w, &w.apis[CHECKOUT], &p, EXPOSURE_READS_PACKETS), EXPOSURE_NONE);
	exposure_world_free(&w);
}

/* ---- the whole join --------------------------------------------------------------------------------------------------------- */

static struct inv_object *program(struct inventory *inv, uint32_t id, uint32_t type, const char *name, uint32_t map)
{
	struct inv_object *o = inv_add(inv, INV_PROG, id, INV_VIEW_WALK);

	o->described = true;
	o->type = type;
	snprintf(o->name, sizeof(o->name), "%s", name);
	o->prog.maps = calloc(1, sizeof(uint32_t));
	o->prog.maps[0] = map;
	o->prog.n_maps = map ? 1 : 0;
	return o;
}

static void saw(struct inventory *inv, enum inv_kind kind, enum inv_view view, uint32_t id, uint32_t pid, const char *comm, const char *text)
{
	struct inv_sighting s = { .kind = kind, .view = view, .id = id, .pid = pid, .fd = 3 };

	snprintf(s.comm, sizeof(s.comm), "%s", comm);
	assert_int_equal(inv_saw(inv, &s, strdup(text)), 0);
}

static uint32_t asked;

static uint32_t reads(void *arg, const struct inv_object *prog, const struct exposure_point *p)
{
	asked |= 1u << prog->id;
	return prog->id == 4 ? 0 : EXPOSURE_READS_MEMORY | EXPOSURE_READS_PACKETS;
}

static const char *approval(void *arg, const struct inv_object *prog)
{
	return prog->id == 2 ? "approved" : "unapproved";
}

static const struct exposure_program *find(const struct exposure_report *r, uint32_t id)
{
	for (uint32_t i = 0; i < r->n_programs; i++)
		if (r->programs[i].prog->id == id)
			return &r->programs[i];
	return NULL;
}

static void the_join(void **state)
{
	static const uint32_t own[] = { 77 };
	static const struct exposure_access accesses[] = { { 40, 66, "thief", "/tmp/thief" }, { 41, 67, "other", "/bin/other" } };
	struct exposure_input in = { .data = &data, .services = services, .n_services = 2, .own_pids = own, .n_own_pids = 1,
				     .accesses = accesses, .n_accesses = 2, .reads = reads, .approval = approval };
	_cleanup_buf_ struct bw_buf out = { 0 };
	const struct exposure_program *p;
	struct exposure_report rep;
	struct inventory inv = { 0 };
	struct inv_object *l;

	program(&inv, 1, BPF_PROG_TYPE_KPROBE, "spy", 40);
	program(&inv, 2, BPF_PROG_TYPE_KPROBE, "approved", 0);
	program(&inv, 3, BPF_PROG_TYPE_KPROBE, "own", 0);
	program(&inv, 4, BPF_PROG_TYPE_KPROBE, "counter", 0);
	program(&inv, 5, BPF_PROG_TYPE_XDP, "elsewhere", 0);
	program(&inv, 6, BPF_PROG_TYPE_KPROBE, "caller", 50);
	program(&inv, 7, BPF_PROG_TYPE_KPROBE, "called", 0); /* by a tail call */
	program(&inv, 8, BPF_PROG_TYPE_KPROBE, "unattached", 0);
	program(&inv, 9, BPF_PROG_TYPE_SOCKET_FILTER, "filter", 0);
	l = inv_add(&inv, INV_LINK, 30, INV_VIEW_WALK);
	l->described = true;
	l->link.prog_id = 1;
	l->link.target = strdup("uprobe /usr/lib/libssl.so.3+0x10");
	saw(&inv, INV_LINK, INV_VIEW_FD, 30, 65, "loader", "/usr/bin/loader");
	saw(&inv, INV_MAP, INV_VIEW_FD, 40, 65, "loader", "/usr/bin/loader");
	saw(&inv, INV_PROG, INV_VIEW_PERF, 2, 70, "agent", "kprobe tcp_sendmsg");
	saw(&inv, INV_PROG, INV_VIEW_PERF, 3, 77, "bpfwardend", "uprobe /usr/lib/libssl.so.3+0x20");
	saw(&inv, INV_PROG, INV_VIEW_PERF, 4, 71, "top", "kprobe tcp_sendmsg");
	saw(&inv, INV_PROG, INV_VIEW_NETLINK, 5, 0, "", "xdp eth0 netns 12345");
	saw(&inv, INV_PROG, INV_VIEW_PERF, 6, 72, "chain", "uprobe /opt/app+0x20");
	saw(&inv, INV_PROG, INV_VIEW_MAP, 7, 0, "", "in map 50");
	in.inv = &inv;
	asked = 0;
	assert_int_equal(exposure_join(&in, &rep), 0);
	/* 5 may be near an API whose process is not known, 8 is nowhere. */
	assert_int_equal(asked, 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 9);
	assert_null(find(&rep, 4));
	assert_null(find(&rep, 8));
	assert_int_equal(find(&rep, 5)->level, EXPOSURE_CIPHERTEXT);
	p = find(&rep, 1);
	assert_true(exposure_alarming(p) && p->level == EXPOSURE_TAKES);
	assert_int_equal(p->n_readers, 2);
	assert_true(p->readers[0].pid == 65 && p->readers[0].now && p->readers[0].n_maps == 1 && p->readers[0].maps[0] == 40);
	assert_true(p->readers[1].pid == 66 && !p->readers[1].now && !strcmp(p->readers[1].exe, "/tmp/thief"));
	assert_false(exposure_alarming(find(&rep, 2)));
	assert_true(find(&rep, 3)->own && !exposure_alarming(find(&rep, 3)));
	p = find(&rep, 7);
	assert_true(p && p->level == EXPOSURE_TAKES && !strcmp(p->points[0].text, "uprobe /opt/app+0x20"));
	assert_true(find(&rep, 9)->level == EXPOSURE_TAKES);
	for (uint32_t i = 0; i < rep.n_observers; i++) {
		assert_true(!i || rep.observers[i - 1].api <= rep.observers[i].api);
		assert_true(rep.observers[i].level > EXPOSURE_PLACED);
	}
	exposure_report_json(&rep, NULL, 0, &out);
	assert_non_null(strstr(bw_buf_cstr(&out), "\"path\": \"/checkout\""));
	exposure_report_free(&rep);

	in.everything = true;
	assert_int_equal(exposure_join(&in, &rep), 0);
	assert_int_equal(find(&rep, 4)->level, EXPOSURE_PLACED);
	exposure_report_free(&rep);
	inv_free(&inv);
}

/* ---- symbols ----------------------------------------------------------------------------------------------------------------- */

static void symbols(void **state)
{
	struct {
		Elf64_Ehdr h;
		Elf64_Phdr p;
		Elf64_Shdr s[2];
		Elf64_Sym sym[2];
		char names[16];
	} f = { .h = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB }, .e_phentsize = sizeof(Elf64_Phdr),
		       .e_shentsize = sizeof(Elf64_Shdr), .e_phnum = 1, .e_shnum = 2 },
		.p = { .p_type = PT_LOAD, .p_offset = 0x1000, .p_vaddr = 0x2000, .p_filesz = 0x1000 },
		.sym = { { .st_name = 1, .st_info = STT_FUNC, .st_value = 0x2100, .st_size = 0x20 },
			 { .st_name = 11, .st_info = STT_FUNC, .st_value = 0x2200, .st_size = 0x20 } },
		.names = "\0SSL_write\0xxxx" };
	struct bw_slice all = bw_slice(&f, sizeof(f));

	f.names[15] = 'x'; /* the second name has no end inside the file */
	f.h.e_phoff = offsetof(typeof(f), p);
	f.h.e_shoff = offsetof(typeof(f), s);
	f.s[0] = (Elf64_Shdr){ .sh_type = SHT_DYNSYM, .sh_link = 1, .sh_offset = offsetof(typeof(f), sym), .sh_size = sizeof(f.sym) };
	f.s[1] = (Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_offset = offsetof(typeof(f), names), .sh_size = sizeof(f.names) };
	assert_string_equal(elf_symbol_at(all, 0x1100), "SSL_write");
	assert_string_equal(elf_symbol_at(all, 0x111f), "SSL_write");
	assert_null(elf_symbol_at(all, 0x1120));
	assert_null(elf_symbol_at(all, 0x10ff));
	assert_null(elf_symbol_at(all, 0x2100)); /* not in the segment */
	f.names[11] = f.names[12] = f.names[13] = f.names[14] = 'x';
	assert_null(elf_symbol_at(all, 0x1200));
	f.s[0].sh_size = ~0ull;
	assert_null(elf_symbol_at(all, 0x1100));
	for (size_t n = 0; n < sizeof(f); n += 7)
		elf_symbol_at(bw_slice(&f, n), 0x1100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attachments), cmocka_unit_test(whose_data_passes), cmocka_unit_test(without_processes),
		cmocka_unit_test(the_join),    cmocka_unit_test(symbols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
