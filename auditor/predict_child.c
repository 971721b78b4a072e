// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Runs in the sandbox: libbpf opens and loads the object, the fake kernel keeps what it would have loaded.
 *
 * All programs are loaded together first, as a loader would. libbpf gives up the whole object for one program that
 * cannot be loaded; then each is loaded alone, so that the others' identities still come out. Loading alone changes
 * nothing: the subprograms of a program and the places of maps and externs do not depend on which other programs are
 * loaded.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "auditor/predict.h"
#include "auditor/predict_child.h"
#include "common/buf.h"
#include "common/cleanup.h"

#define LD_IMM64 (BPF_LD | BPF_IMM | BPF_DW)

/* Addresses that the fake kernel's symbols get, recognised again in the instructions: high half, low half counts. */
#define SYMBOL_HIGH 0xb2d0a11cu
#define MAX_SYMBOLS 65536u

/* What is known of a program before it is loaded. */
struct program {
	char *name, *section, *target;
	bool autoload, done;
	uint32_t flags, prog_type, expected_attach_type;
};

struct child {
	const struct predict_job *job;
	struct bw_sandbox_out *out;
	struct fake_kernel kernel;
	struct bw_buf kconfig, kallsyms;
	struct program *programs;
	size_t n;
};

/* The first warning since it was last cleared: libbpf states the cause first and then what it led to. */
static char first_warning[512];

static int on_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN && !first_warning[0]) {
		vsnprintf(first_warning, sizeof(first_warning), fmt, ap);
		first_warning[strcspn(first_warning, "\n")] = 0;
		if (!strncmp(first_warning, "libbpf: ", 8))
			memmove(first_warning, first_warning + 8, strlen(first_warning) - 7);
	}
	return 0;
}

static const char *explain(int error)
{
	static char text[sizeof(first_warning) + 128];

	if (!first_warning[0])
		return strerror(-error);
	snprintf(text, sizeof(text), "%s", first_warning);
	return text;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static uint32_t text_len(const char *text)
{
	if (!text)
		return PREDICT_NO_TEXT;
	return (uint32_t)strnlen(text, BW_PREDICT_MAX_TEXT);
}

static int send_text(struct bw_sandbox_out *out, const char *text, uint32_t len)
{
	return len == PREDICT_NO_TEXT ? 0 : bw_sandbox_write(out, text, len);
}

static int send_record(struct bw_sandbox_out *out, struct predict_record *rec, const struct program *p,
		       const struct fake_load *load, const char *error)
{
	const char *attach_btf = load ? load->attach_btf : NULL;

	rec->name_len = text_len(p ? p->name : NULL);
	rec->section_len = text_len(p ? p->section : NULL);
	rec->target_len = text_len(p ? p->target : NULL);
	rec->attach_btf_len = text_len(attach_btf);
	rec->error_len = text_len(error);
	bw_sandbox_write(out, rec, sizeof(*rec));
	send_text(out, p ? p->name : NULL, rec->name_len);
	send_text(out, p ? p->section : NULL, rec->section_len);
	send_text(out, p ? p->target : NULL, rec->target_len);
	send_text(out, attach_btf, rec->attach_btf_len);
	send_text(out, error, rec->error_len);
	if (load)
		bw_sandbox_write(out, load->insns, load->insn_cnt * sizeof(*load->insns));
	for (uint32_t i = 0; load && i < load->n_maps; i++) {
		const struct fake_map *m = &load->maps[i];
		struct predict_map map = {
			.ref = m->ref,
			.id = m->id,
			.type = m->type,
			.key_size = m->key_size,
			.value_size = m->value_size,
			.max_entries = m->max_entries,
			.flags = m->flags,
			.data_len = m->data_len,
		};

		memcpy(map.name, m->name, sizeof(map.name));
		bw_sandbox_write(out, &map, sizeof(map));
		if (m->data_len)
			bw_sandbox_write(out, m->data, m->data_len);
	}
	return out->error;
}

static int send_object_error(struct bw_sandbox_out *out, const char *error)
{
	struct predict_record rec = { .kind = PREDICT_OBJECT_ERROR };

	return send_record(out, &rec, NULL, NULL, error);
}

static bool has_addresses(const struct fake_load *load)
{
	for (uint32_t i = 0; i + 1 < load->insn_cnt; i++) {
		if (load->insns[i].code != LD_IMM64)
			continue;
		if (!load->insns[i].src_reg && (uint32_t)load->insns[i + 1].imm == SYMBOL_HIGH &&
		    (uint32_t)load->insns[i].imm < MAX_SYMBOLS)
			return true;
		i++;
	}
	return false;
}

static int send_program(struct child *c, struct program *p, const struct fake_load *load, const char *error)
{
	struct predict_record rec = {
		.kind = PREDICT_PROGRAM,
		.autoload = p->autoload,
		.flags = p->flags,
		.prog_type = p->prog_type,
		.expected_attach_type = p->expected_attach_type,
	};

	p->done = true;
	if (load) {
		rec.insn_cnt = load->insn_cnt;
		rec.map_cnt = load->n_maps;
		rec.prog_flags = load->prog_flags;
		if (!(p->flags & BW_PREDICT_TARGET_OPEN)) {
			rec.attach_btf_id = load->attach_btf_id;
			if (!(p->flags & BW_PREDICT_TYPE_OPEN)) {
				rec.prog_type = load->prog_type;
				rec.expected_attach_type = load->expected_attach_type;
			}
		}
		if (has_addresses(load))
			rec.flags |= BW_PREDICT_ADDRESSES;
	}
	return send_record(c->out, &rec, p, load, error);
}

/* ---- what the object expects of its kernel ----------------------------------------------------------------------- */

/* CONFIG_ variables the kernel's config does not mention must have some value: "off" in the form of their type. */
static void add_kconfig(struct child *c, const struct btf *btf, const struct btf_type *var)
{
	const struct btf_type *t = btf__type_by_id(btf, (uint32_t)btf__resolve_type(btf, var->type));
	const char *name = btf__name_by_offset(btf, var->name_off), *off = "n";

	if (!name || strncmp(name, "CONFIG_", 7))
		return;
	if (t && btf_is_array(t))
		off = "\"\"";
	else if (t && btf_is_int(t) && !(btf_int_encoding(t) & BTF_INT_BOOL) && t->size > 1)
		off = "0";
	bw_buf_printf(&c->kconfig, "%s=%s\n", name, off);
}

/* Symbols without a type (libbpf cannot resolve void) get their address from /proc/kallsyms. */
static void add_symbol(struct child *c, const struct btf *btf, const struct btf_type *var, uint32_t *n)
{
	const char *name = btf__name_by_offset(btf, var->name_off);

	if (name && btf__resolve_type(btf, var->type) < 0 && *n < MAX_SYMBOLS)
		bw_buf_printf(&c->kallsyms, "%x%08x T %s\n", SYMBOL_HIGH, (*n)++, name);
}

static void survey_externs(struct child *c)
{
	/* As it is in the file: opening the object gives every symbol a type. */
	struct btf *btf = btf__parse_elf(FAKE_OBJECT_PATH, NULL);
	uint32_t n, symbols = 0;

	if (libbpf_get_error(btf))
		btf = NULL;
	n = btf ? btf__type_cnt(btf) : 0;

	if (c->job->kconfig) {
		bw_buf_str(&c->kconfig, c->job->kconfig);
		bw_buf_char(&c->kconfig, '\n');
	}
	for (uint32_t id = 1; id < n; id++) {
		const struct btf_type *sec = btf__type_by_id(btf, id);
		const char *name = sec && btf_is_datasec(sec) ? btf__name_by_offset(btf, sec->name_off) : NULL;

		if (!name || (strcmp(name, ".kconfig") && strcmp(name, ".ksyms")))
			continue;
		for (int i = 0; i < btf_vlen(sec); i++) {
			const struct btf_type *var = btf__type_by_id(btf, btf_var_secinfos(sec)[i].type);

			if (!var || !btf_is_var(var))
				continue;
			if (name[2] == 'c')
				add_kconfig(c, btf, var);
			else
				add_symbol(c, btf, var, &symbols);
		}
	}
	btf__free(btf);
	c->kernel.kallsyms = bw_buf_cstr(&c->kallsyms);
}

/* One more than the last helper the kernel has: enum bpf_func_id of its BTF; 0 when that is not there. */
static unsigned int helper_limit(const struct fake_kernel *k)
{
	struct btf *btf = k->n_btf ? btf__new(k->btf[0].data, (uint32_t)k->btf[0].len) : NULL;
	unsigned int limit = 0;
	const struct btf_type *t;
	int id;

	if (libbpf_get_error(btf) || !btf)
		return 0;
	id = btf__find_by_name_kind(btf, "bpf_func_id", BTF_KIND_ENUM);
	t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	for (int i = 0; t && i < btf_vlen(t); i++) {
		const char *name = btf__name_by_offset(btf, btf_enum(t)[i].name_off);

		if (name && !strcmp(name, "__BPF_FUNC_MAX_ID"))
			limit = (unsigned int)btf_enum(t)[i].val;
	}
	btf__free(btf);
	return limit;
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

static struct bpf_object *open_object(struct child *c)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "object",
		    .kconfig = c->kconfig.len ? bw_buf_cstr(&c->kconfig) : NULL);
	struct bpf_object *obj;
	struct bpf_map *map;

	first_warning[0] = 0;
	errno = 0;
	obj = bpf_object__open_mem(c->job->object, c->job->len, &opts);
	if (!obj)
		return NULL;
	/* Pinning by name would look for the maps of other loaders. */
	bpf_object__for_each_map(map, obj) bpf_map__set_pin_path(map, NULL);
	return obj;
}

static int survey_programs(struct child *c, struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj) c->n++;
	if (c->n > BW_PREDICT_MAX_PROGRAMS)
		return -E2BIG;
	c->programs = calloc(c->n + 1, sizeof(*c->programs));
	if (!c->programs)
		return -ENOMEM;
	c->n = 0;
	bpf_object__for_each_program(prog, obj)
	{
		struct program *p = &c->programs[c->n++];
		const char *section = bpf_program__section_name(prog);
		const char *slash = strchr(section, '/');

		p->name = strdup(bpf_program__name(prog));
		p->section = strdup(section);
		p->target = slash ? strdup(slash + 1) : NULL;
		if (!p->name || !p->section || (slash && !p->target))
			return -ENOMEM;
		p->autoload = bpf_program__autoload(prog);
		p->prog_type = (uint32_t)bpf_program__type(prog);
		p->expected_attach_type = (uint32_t)bpf_program__expected_attach_type(prog);
		if (!p->prog_type)
			p->flags |= BW_PREDICT_TYPE_OPEN;
	}
	return 0;
}

/*
 * A program for @p to attach to, whose BTF has the function @p names. Freplace programs always need one; fentry and
 * fexit programs may mean a program where the kernel has no such function.
 */
static int make_target(const struct program *p, const char *func, struct btf **ret_btf)
{
	struct btf *btf = btf__new_empty();
	const void *raw;
	uint32_t len;
	int id, fd;

	(void)p;
	if (!btf || libbpf_get_error(btf))
		return -ENOMEM;
	id = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	if (id > 0)
		id = btf__add_func_proto(btf, id);
	if (id > 0)
		id = btf__add_func(btf, func, BTF_FUNC_GLOBAL, id);
	raw = id > 0 ? btf__raw_data(btf, &len) : NULL;
	fd = raw ? fake_kernel_target(raw, len) : -EINVAL;
	if (fd < 0)
		btf__free(btf);
	else
		*ret_btf = btf;
	return fd;
}

static bool may_target_program(const struct program *p)
{
	switch (p->prog_type) {
	case BPF_PROG_TYPE_EXT:
		return true;
	case BPF_PROG_TYPE_TRACING:
		return p->expected_attach_type == BPF_TRACE_FENTRY || p->expected_attach_type == BPF_TRACE_FEXIT ||
		       !p->target;
	case BPF_PROG_TYPE_LSM:
		return !p->target;
	default:
		return false;
	}
}

/* Loads program @only, or all for a negative number, and sends what the fake kernel got. */
static int load_object(struct child *c, int only, bool with_target)
{
	struct bpf_object *obj = open_object(c);
	_cleanup_close_ int target_fd = -1;
	struct btf *target_btf = NULL;
	struct bpf_program *prog;
	int i = 0, r = 0;

	if (!obj)
		return errno ? -errno : -EINVAL;
	bpf_object__for_each_program(prog, obj)
	{
		struct program *p = &c->programs[i];

		/* A type that needs nothing else, for those whose loader chooses one. */
		if (!bpf_program__type(prog))
			bpf_program__set_type(prog, BPF_PROG_TYPE_SOCKET_FILTER);
		bpf_program__set_autoload(prog, only < 0 || i == only);
		if (i++ == only && with_target) {
			const char *func = p->target && p->target[0] ? p->target : p->name;

			target_fd = make_target(p, func, &target_btf);
			r = target_fd < 0 ? target_fd : bpf_program__set_attach_target(prog, target_fd, func);
			if (r < 0)
				break;
		}
	}
	if (!r)
		r = bpf_object__load(obj);
	i = 0;
	bpf_object__for_each_program(prog, obj)
	{
		const struct fake_load *load;
		struct program *p = &c->programs[i++];

		if (r < 0 || (only >= 0 && i - 1 != only))
			continue;
		load = fake_kernel_load(bpf_program__fd(prog));
		if (with_target)
			p->flags |= BW_PREDICT_TARGET_OPEN;
		if (load && load->insn_cnt)
			r = send_program(c, p, load, NULL);
		else
			r = send_program(c, p, NULL, "libbpf did not load it");
	}
	bpf_object__close(obj);
	btf__free(target_btf);
	fake_kernel_reset();
	return r;
}

static int load_each(struct child *c)
{
	for (size_t i = 0; i < c->n; i++) {
		char why[sizeof(first_warning) + 128];
		struct program *p = &c->programs[i];
		bool before = p->prog_type == BPF_PROG_TYPE_EXT;
		int r = before ? -EINVAL : load_object(c, (int)i, false);

		if (r < 0)
			snprintf(why, sizeof(why), "%s", explain(r));
		if (r < 0 && !p->done && may_target_program(p))
			r = load_object(c, (int)i, true);
		if (c->out->error)
			return c->out->error;
		if (r < 0 && !p->done) {
			if (before)
				snprintf(why, sizeof(why), "%s", explain(r));
			r = send_program(c, p, NULL, why);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

int predict_in_child(void *arg, struct bw_sandbox_out *out)
{
	struct child c = { .job = arg, .out = out, .kernel = ((struct predict_job *)arg)->kernel };
	struct bpf_object *obj;
	int r;

	libbpf_set_print(on_print);
	c.kernel.max_helper = helper_limit(&c.kernel);
	c.kernel.object = c.job->object;
	c.kernel.object_len = c.job->len;
	fake_kernel_set(&c.kernel);
	survey_externs(&c);
	obj = open_object(&c);
	if (!obj)
		return send_object_error(out, explain(errno ? -errno : -EINVAL));
	r = survey_programs(&c, obj);
	bpf_object__close(obj);
	if (r == -E2BIG)
		return send_object_error(out, "too many programs");
	if (r < 0)
		return r;
	if (!c.n)
		return send_object_error(out, "no BPF programs in it");
	if (load_object(&c, -1, false) < 0 && !out->error)
		r = load_each(&c);
	return out->error ? out->error : r;
}
