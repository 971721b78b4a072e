// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The object reader against its golden objects (tests/golden/object; "make" there compiles them again), and against
 * thousands of damaged copies of them. UPDATE_GOLDEN=1 writes the expected texts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <cmocka.h>

#include "auditor/carve.h"
#include "auditor/disasm.h"
#include "auditor/elf.h"
#include "auditor/object.h"
#include "auditor/summary.h"
#include "common/cleanup.h"

#define DIR "tests/golden/object/"

static const char *const names[] = { "features", "features-eb", "features-19", "cpu4",	   "structops",
				     "legacy",	 "iproute2",	"windows",     "jumptable" };

struct file {
	char *data;
	size_t len;
};

static struct file load(const char *name)
{
	struct file f = { 0 };
	char path[256];

	snprintf(path, sizeof(path), DIR "%s.o", name);
	assert_int_equal(bw_file_read(path, BW_MAX_OBJECT_SIZE, &f.data, &f.len), 0);
	return f;
}

static struct bw_object *read_object(const struct file *f)
{
	struct bw_object *o = NULL;
	struct bw_diag diag;

	if (bw_object_read(bw_slice(f->data, f->len), "x.o", &o, &diag))
		fail_msg("%s: %s", diag.place, diag.reason);
	return o;
}

static void golden(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct file f = load(names[i]);
		_cleanup_object_ struct bw_object *o = read_object(&f);
		const struct bw_disasm_options opts = { .no_bytes = true };
		_cleanup_buf_ struct bw_buf text = { 0 };
		_cleanup_free_ char *expected = NULL;
		char path[256];
		size_t len;

		bw_object_summary(o, &text);
		bw_buf_char(&text, '\n');
		assert_int_equal(bw_disasm(o, &opts, &text), 0);
		snprintf(path, sizeof(path), DIR "%s.txt", names[i]);
		if (getenv("UPDATE_GOLDEN"))
			assert_int_equal(bw_file_write_atomic(path, text.data, text.len, 0644), 0);
		assert_int_equal(bw_file_read(path, 1 << 20, &expected, &len), 0);
		assert_string_equal(bw_buf_cstr(&text), expected);
		free(f.data);
	}
}

/* The same source in both byte orders: nothing may differ but what the header says. */
static void byte_orders_agree(void **state)
{
	struct file le = load("features"), be = load("features-eb");
	_cleanup_object_ struct bw_object *a = read_object(&le), *b = read_object(&be);
	_cleanup_buf_ struct bw_buf ta = { 0 }, tb = { 0 };

	assert_false(a->big_endian);
	assert_true(b->big_endian);
	b->big_endian = false;
	bw_object_summary(a, &ta);
	bw_object_summary(b, &tb);
	assert_string_equal(bw_buf_cstr(&ta), bw_buf_cstr(&tb));
	free(le.data);
	free(be.data);
}

static void lookups(void **state)
{
	struct file f = load("features");
	_cleanup_object_ struct bw_object *o = read_object(&f);
	int32_t probe = bw_object_find_prog(o, "probe"), data = bw_object_find_map(o, ".data");
	const struct bw_func *fn;
	const struct bw_line *line;
	const struct bw_var *v;
	unsigned int kfuncs = 0, callbacks = 0, cores = 0;

	assert_false(o->incomplete);
	assert_int_equal(o->version, 0x60100);
	assert_true(probe >= 0 && data >= 0);
	assert_int_equal(bw_object_find_prog(o, "local_sub"), BW_NONE);
	fn = &o->funcs[o->progs[probe].func];
	assert_int_equal(bw_object_func_starting(o, fn->code, fn->first), o->progs[probe].func);
	assert_int_equal(bw_object_func_starting(o, fn->code, fn->first + 1), BW_NONE);
	assert_int_equal(bw_object_func_at(o, fn->code, fn->first + fn->n_insns - 1), o->progs[probe].func);
	line = bw_code_line(&o->codes[fn->code], fn->first);
	assert_non_null(line);
	assert_string_equal(line->file, "./features.bpf.c");
	assert_string_equal(line->text, "\tstruct task_struct___golden *t = (void *)bpf_get_current_task();");
	assert_int_equal(line->line, 85);
	for (uint32_t i = fn->first; i < fn->first + fn->n_insns; i++) {
		const struct bw_reloc *r = bw_code_reloc(&o->codes[fn->code], i);

		cores += bw_code_core(&o->codes[fn->code], i) != NULL;
		kfuncs += r && r->kind == BW_RELOC_KFUNC && !strcmp(r->symbol, "bpf_kfunc_golden");
		callbacks += r && r->kind == BW_RELOC_FUNC_ADDR && !strcmp(o->funcs[r->target].name, "callback");
	}
	assert_int_equal(cores, 4);
	assert_int_equal(kfuncs, 1);
	assert_int_equal(callbacks, 1);
	v = bw_object_data_var(o, data, 4);
	assert_non_null(v);
	assert_string_equal(v->name, "hidden_static");
	assert_null(bw_object_data_var(o, data, 8));
	/* initialised = 5 */
	assert_int_equal(bw_get_u32(o->maps[data].data.data, false), 5);
	free(f.data);
}

/* What every reader of an object does, with a checksum so that nothing is optimised away. */
static uint64_t use_object(const struct bw_object *o)
{
	const struct bw_disasm_options opts = { 0 };
	_cleanup_buf_ struct bw_buf text = { .max = 4 << 20 };
	uint64_t sum = 0;

	bw_object_summary(o, &text);
	bw_disasm(o, &opts, &text);
	for (uint32_t i = 0; i < o->n_maps; i++)
		sum += bw_object_data_var(o, (int32_t)i, sum) != NULL;
	return sum + text.len;
}

static uint32_t next_random(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	*s ^= *s << 5;
	return *s;
}

static void damaged_objects(void **state)
{
	static const uint32_t values[] = { 0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfff1 };
	unsigned int read = 0, refused = 0;
	uint32_t seed = 0x2545f491;
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct file f = load(names[i]);
		char *copy = malloc(f.len);

		assert_non_null(copy);
		for (unsigned int round = 0; round < 250; round++) {
			size_t len = f.len;
			struct bw_object *o = NULL;

			memcpy(copy, f.data, f.len);
			for (unsigned int n = next_random(&seed) % 4 + 1; n; n--) {
				size_t at = next_random(&seed) % (f.len - 4);
				uint32_t v = values[next_random(&seed) % ARRAY_SIZE(values)];

				/* Half of the damage goes where it matters most: headers and tables at the end. */
				if (next_random(&seed) & 1)
					at = f.len - 4 - next_random(&seed) % (f.len > 2000 ? 2000 : f.len - 4);
				memcpy(copy + at, &v, 1u << next_random(&seed) % 3);
			}
			if (round % 16 == 0)
				len = next_random(&seed) % f.len;
			if (bw_object_read(bw_slice(copy, len), "x.o", &o, NULL)) {
				refused++;
				assert_null(o);
				continue;
			}
			read++;
			sum += use_object(o);
			bw_object_free(o);
		}
		free(copy);
		free(f.data);
	}
	assert_true(sum > 0);
	/* Both happen often, or the damage is of the wrong size. */
	assert_true(read > 500);
	assert_true(refused > 100);
}

static void refusals(void **state)
{
	struct file f = load("legacy");
	struct bw_object *o = NULL;
	struct bw_diag d = { 0 };
	char text[512], saved;

	assert_int_equal(bw_object_read(bw_slice("hello", 5), "h", &o, &d), -ENOEXEC);
	assert_string_equal(d.reason, "not an ELF file");
	saved = f.data[18];
	f.data[18] = 62; /* x86-64 */
	assert_int_equal(bw_object_read(bw_slice(f.data, f.len), "x", &o, &d), -ENOEXEC);
	f.data[18] = 0; /* EM_NONE is fine */
	f.data[19] = 0;
	assert_int_equal(bw_object_read(bw_slice(f.data, f.len), "x", &o, &d), 0);
	bw_object_free(o);
	o = NULL;
	f.data[18] = saved;
	assert_int_equal(bw_object_read(bw_slice(f.data, f.len - 1), "dir/x.o", &o, &d), -EINVAL);
	assert_null(o);
	bw_diag_text(&d, text, sizeof(text));
	assert_memory_equal(text, "dir/x.o: section headers+0x", 27);
	free(f.data);
}

/* Points every section at the same, largest one: work must not multiply. */
static void overlapping_sections(void **state)
{
	struct file f = load("features");
	uint8_t *b = (uint8_t *)f.data;
	uint64_t shoff = bw_get_u64(b + 40, false);
	unsigned int n = bw_get_u16(b + 60, false);
	struct bw_object *o = NULL;
	struct bw_diag d = { 0 };

	for (unsigned int i = 1; i < n; i++) {
		uint8_t *sh = b + shoff + 64 * i;

		if (bw_get_u64(sh + 8, false) & BW_SHF_EXECINSTR) {
			memset(sh + 24, 0, 16); /* offset 0 ... */
			sh[32] = (uint8_t)(f.len & 0xf8);
			sh[33] = (uint8_t)(f.len >> 8); /* ... all of the file */
		}
	}
	assert_int_equal(bw_object_read(bw_slice(f.data, f.len), "x", &o, &d), -EINVAL);
	assert_string_equal(d.reason, "sections overlap: together they are larger than the file");
	free(f.data);
}

/* ---- carving -------------------------------------------------------------------------------------------------------- */

struct finds {
	unsigned int n;
	enum bw_carved_kind kind[8];
	uint64_t offset[8];
	char name[8][64];
	unsigned int progs;
};

static int found(void *arg, const struct bw_carved *c)
{
	struct finds *f = arg;
	_cleanup_object_ struct bw_object *o = NULL;

	assert_true(f->n < 8);
	f->kind[f->n] = c->kind;
	f->offset[f->n] = c->offset;
	snprintf(f->name[f->n++], 64, "%s", c->name);
	assert_int_equal(bw_carved_read(c, &o, NULL), 0);
	f->progs += o->n_progs;
	return 0;
}

static void carving(void **state)
{
	struct file a = load("legacy"), b = load("structops");
	size_t at = 1003, len = at + a.len + 17 + b.len + 100; /* odd alignment on purpose */
	uint8_t *big = malloc(len), *packed = malloc(len + 1000);
	struct finds f = { 0 };
	struct bw_diag d = { 0 };
	unsigned int n = 0;
	z_stream z = { 0 };

	assert_true(big && packed);
	memset(big, 0x7f, len);
	memcpy(big, "\177ELF\2\1\1", 7); /* an executable for another machine */
	big[18] = 62;
	memcpy(big + at, a.data, a.len);
	memcpy(big + at + a.len + 17, b.data, b.len);
	assert_int_equal(bw_carve(bw_slice(big, len), "agent", &n, found, &f, &d), 0);
	assert_int_equal(n, 2);
	assert_int_equal(f.kind[0], BW_CARVED_EMBEDDED);
	assert_int_equal(f.offset[0], at);
	assert_int_equal(f.offset[1], at + a.len + 17);
	assert_string_equal(f.name[0], "agent@0x3eb");
	assert_int_equal(f.progs, 4);

	/* the same behind gzip */
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = big;
	z.avail_in = (uInt)len;
	z.next_out = packed;
	z.avail_out = (uInt)len + 1000;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	f = (struct finds){ 0 };
	assert_int_equal(bw_carve(bw_slice(packed, z.total_out), "agent.gz", &n, found, &f, &d), 0);
	assert_int_equal(n, 2);
	assert_int_equal(bw_carve(bw_slice(packed, z.total_out - 9), "agent.gz", &n, found, &f, &d), -EINVAL);
	deflateEnd(&z);

	/* one that is cut off is not taken, and nothing is an answer of its own */
	f = (struct finds){ 0 };
	assert_int_equal(bw_carve(bw_slice(big, at + a.len - 1), "agent", &n, found, &f, &d), -ENOEXEC);
	assert_int_equal(f.n, 0);
	free(big);
	free(packed);
	free(a.data);
	free(b.data);
}

static void archives(void **state)
{
	struct file a = load("legacy");
	size_t len = 8 + 60 + 14 + 60 + a.len + (a.len & 1);
	char *ar = calloc(1, len + 1);
	struct finds f = { 0 };
	struct bw_diag d;

	assert_non_null(ar);
	memcpy(ar, "!<arch>\n", 8);
	snprintf(ar + 8, 61, "%-48s%-10u`\n", "//", 14);
	memcpy(ar + 68, "long_name.o/\n\n", 14);
	snprintf(ar + 82, 61, "%-48s%-10zu`\n", "/0", a.len);
	memcpy(ar + 142, a.data, a.len);
	assert_int_equal(bw_carve(bw_slice(ar, len), "lib.a", NULL, found, &f, &d), 0);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.name[0], "lib.a(long_name.o)");
	assert_int_equal(f.kind[0], BW_CARVED_FILE);
	ar[82 + 48] = '9'; /* a size beyond the file */
	assert_int_equal(bw_carve(bw_slice(ar, len), "lib.a", NULL, found, &f, &d), -EINVAL);
	free(ar);
	free(a.data);
}

static void decompression_bomb(void **state)
{
	size_t len = 64 << 20;
	uint8_t *zeros = calloc(1, len), *packed = malloc(1 << 20);
	struct bw_diag d = { 0 };
	z_stream z = { 0 };

	assert_true(zeros && packed);
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = zeros;
	z.avail_in = (uInt)len;
	z.next_out = packed;
	z.avail_out = 1 << 20;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(bw_carve(bw_slice(packed, z.total_out), "bomb.gz", NULL, found, NULL, &d), -EINVAL);
	assert_string_equal(d.reason, "unpacks to too much");
	deflateEnd(&z);
	free(zeros);
	free(packed);
}

/* tests/golden/object/light.bin: a light skeleton's data and loader, as bpftool writes them into a C array. */
static void light_skeleton(void **state)
{
	_cleanup_free_ char *data = NULL;
	_cleanup_buf_ struct bw_buf text = { 0 };
	_cleanup_free_ char *expected = NULL;
	_cleanup_object_ struct bw_object *o = NULL;
	struct bw_carved c = { .kind = BW_CARVED_LIGHT, .name = "light" };
	size_t len, n;
	uint64_t at;

	assert_int_equal(bw_file_read(DIR "light.bin", 1 << 20, &data, &len), 0);
	c.bytes = bw_slice(data, len);
	at = c.offset = bw_lskel_next(c.bytes, 0);
	assert_true(bw_lskel_find(c.bytes, at, &c));
	assert_true(c.light_has_blob);
	assert_int_equal(bw_carved_read(&c, &o, NULL), 0);
	bw_object_summary(o, &text);
	if (getenv("UPDATE_GOLDEN"))
		assert_int_equal(bw_file_write_atomic(DIR "light.txt", text.data, text.len, 0644), 0);
	assert_int_equal(bw_file_read(DIR "light.txt", 1 << 20, &expected, &n), 0);
	assert_string_equal(bw_buf_cstr(&text), expected);
	/* damage: never more than a refusal */
	for (size_t i = 0; i < len; i += 7) {
		struct bw_object *damaged = NULL;
		char saved = data[i];

		data[i] = (char)(data[i] ^ (0x80 >> i % 8));
		c.offset = at;
		if (bw_lskel_find(c.bytes, at, &c) && !bw_carved_read(&c, &damaged, NULL))
			bw_object_free(damaged);
		data[i] = saved;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),	   cmocka_unit_test(byte_orders_agree),	   cmocka_unit_test(lookups),
		cmocka_unit_test(damaged_objects), cmocka_unit_test(refusals),		   cmocka_unit_test(overlapping_sections),
		cmocka_unit_test(carving),	   cmocka_unit_test(archives),		   cmocka_unit_test(decompression_bomb),
		cmocka_unit_test(light_skeleton),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
