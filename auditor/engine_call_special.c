// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Helpers and kfuncs that their tables do not describe in full, each by hand.
 */
#include "auditor/engine_call.h"

#include <string.h>

#define S(x) BW_SRC_BIT(BW_SRC_##x)

static void compare_strings(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c, unsigned int a, unsigned int b, struct bw_length len)
{
	struct bw_rec *rec;
	uint32_t lit_a, lit_b, n;
	bool rodata, swap;
	struct bw_val data;

	bw_call_literal(e, s, &c->arg[a], len, &lit_a, &rodata);
	bw_call_literal(e, s, &c->arg[b], (struct bw_length){ 1, 256 }, &lit_b, &rodata);
	swap = lit_a && !lit_b;
	data = bw_mem_gather(e, s, &c->arg[swap ? b : a], len.max > 256 ? (struct bw_length){ 1, 256 } : len);
	rec = bw_rec_here(e, BW_REC_COMPARE, 1, 0);
	if (rec) {
		const char *text;

		bw_val_join(&e->d, &rec->val, &data, true);
		rec->lit = swap ? lit_a : lit_b;
		rec->mask |= 2;
		text = rec->lit ? bw_runs_get(&e->d.strings, rec->lit, &n) : NULL;
		if (text) {
			/* A C string ends at its NUL. */
			const char *end = memchr(text, 0, n);

			if (end && end > text) {
				char copy[256];
				uint32_t m = (uint32_t)(end - text) < sizeof(copy) ? (uint32_t)(end - text) : (uint32_t)sizeof(copy);

				memcpy(copy, text, m);
				rec->lit = bw_runs_add(&e->d.strings, copy, m);
			}
		}
		if (!rec->lit) {
			struct bw_val other = bw_mem_gather(e, s, &c->arg[swap ? a : b], (struct bw_length){ 1, 256 });

			bw_val_join(&e->d, &rec->val2, &other, true);
		}
	}
	bw_val_absorb(&e->d, &c->ret, &data);
	c->ret.flags &= (uint8_t)~BW_VAL_DIRECT;
	c->ret.tag = bw_dom_tag_add(&e->d, BW_TAG_STRCMP, e->insn, e->func, 0, 0);
}

void bw_call_struct_ret(struct bw_engine *e, struct bw_call_args *c, const char *type, bool nullable)
{
	struct bw_desc d = { .space = BW_SPACE_KERNEL, .kind = BW_DESC_STRUCT, .type = bw_dom_str(&e->d, type),
			     .detail = bw_dom_str(&e->d, type) };

	c->ret = bw_val_ptr(bw_ext_set(e, &d), 0);
	c->ret.flags = nullable ? BW_VAL_NULLABLE : 0;
	bw_taint(e, &c->ret, S(KERNEL_POINTER), d.detail);
	c->ret.flags |= nullable ? BW_VAL_NULLABLE : 0;
	c->ret.from = BW_FROM_BIT(BW_FROM_HELPER);
}

/* Numbers and %s pointers of the printf family. */
/* Of a string that %s prints, this much is looked at. */
#define MAX_PRINTED 64u

static void print_args(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c, const struct bw_val *data, struct bw_length len)
{
	for (uint64_t at = 0; at + 8 <= len.max && at < 96; at += 8) {
		struct bw_val p = bw_mem_read(e, s, data, (int64_t)at, 8), v;

		if (p.kind == BW_VAL_PTR) {
			v = bw_mem_gather(e, s, &p, (struct bw_length){ 0, MAX_PRINTED });
			bw_val_join(&e->d, &c->data, &v, true);
			if (c->len.max < MAX_PRINTED)
				c->len.max = MAX_PRINTED;
		}
	}
}

/*
 * The last index that bpf_loop() gives to its callback. A count that a loop around the call makes larger step by step would have
 * the callback run anew at each step: it is taken for the next of a few.
 */
static int64_t loop_last(const struct bw_engine *e, const struct bw_val *count)
{
	if (count->kind != BW_VAL_SCALAR || count->hi <= 0 || count->hi > UINT32_MAX || count->flags & BW_VAL_SOFT)
		return UINT32_MAX;
	if (bw_val_is_const(count) || !bw_in_loop(e))
		return count->hi - 1;
	return count->hi <= UINT8_MAX ? UINT8_MAX : count->hi <= UINT16_MAX ? UINT16_MAX : UINT32_MAX;
}

/* Returns false when control does not come back. */
bool bw_call_special(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c)
{
	int32_t maps[BW_MAX_REGION_SET];
	uint32_t n;
	struct bw_val v = bw_val_unknown(), p = v;
	struct bw_rec *rec;
	struct bw_length len;

	switch ((enum bw_special)c->c->special) {
	case BW_SP_MAP_LOOKUP:
		bw_call_map_lookup(e, s, c);
		break;
	case BW_SP_MAP_UPDATE:
	case BW_SP_MAP_PUSH:
		n = bw_call_maps(e, &c->arg[1], maps);
		if (!n)
			bw_unanalysed(e, "map argument is not known");
		for (uint32_t i = 0; i < n; i++) {
			unsigned int value = c->c->special == BW_SP_MAP_PUSH ? 2 : 3;

			if (value == 3) {
				v = bw_mem_gather(e, s, &c->arg[2], (struct bw_length){ bw_map_key_size(e, maps[i]), bw_map_key_size(e, maps[i]) });
				bw_map_use(e, maps[i], 0, &v, NULL);
				bw_map_key_put(e, maps[i], &v);
			}
			bw_map_value_put(e, s, maps[i], &c->arg[value]);
		}
		break;
	case BW_SP_MAP_POP:
		bw_call_map_pop(e, s, c);
		break;
	case BW_SP_STORAGE_GET:
		n = bw_call_maps(e, &c->arg[1], maps);
		c->ret = (struct bw_val){ 0 };
		for (uint32_t i = 0; i < n; i++) {
			if (c->arg[3].kind == BW_VAL_PTR)
				bw_map_value_put(e, s, maps[i], &c->arg[3]);
			p = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAPVAL, maps[i], 0), 0);
			p.flags = BW_VAL_NULLABLE;
			bw_val_join(&e->d, &c->ret, &p, false);
		}
		break;
	case BW_SP_LOCAL_STORAGE:
	case BW_SP_ARENA_ALLOC:
		n = bw_call_maps(e, &c->arg[1], maps);
		c->ret = (struct bw_val){ 0 };
		for (uint32_t i = 0; i < n; i++) {
			p = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAPVAL, maps[i], 0), 0);
			bw_val_join(&e->d, &c->ret, &p, false);
		}
		if (c->c->special == BW_SP_ARENA_ALLOC) {
			bw_count(e, BW_COUNT_ARENA);
			c->ret.flags |= BW_VAL_NULLABLE;
		}
		break;
	case BW_SP_PROBE_READ:
		bw_call_probe_read(e, s, c);
		break;
	case BW_SP_EVENT_OUTPUT:
		bw_call_packet_bytes(e, s, c);
		break;
	case BW_SP_RB_RESERVE:
		bw_call_reserve(e, s, c, &c->arg[2], &c->ret);
		break;
	case BW_SP_RB_SUBMIT:
		bw_record_flush(e, s, &c->arg[1]);
		break;
	case BW_SP_RB_DISCARD:
		bw_call_record_drop(e, s, &c->arg[1]);
		break;
	case BW_SP_RB_RESERVE_DYNPTR:
		bw_call_reserve(e, s, c, &c->arg[2], &v);
		if (c->arg[4].kind == BW_VAL_PTR) {
			v.flags = 0;
			bw_dynptr_set(e, s, &c->arg[4], &v);
		}
		break;
	case BW_SP_RB_SUBMIT_DYNPTR:
		p = bw_dynptr_get(e, s, &c->arg[1]);
		p.carry |= (uint16_t)BW_CARRY_BIT(BW_CARRY_DYNPTR);
		bw_record_flush(e, s, &p);
		break;
	case BW_SP_RB_DISCARD_DYNPTR:
		p = bw_dynptr_get(e, s, &c->arg[1]);
		bw_call_record_drop(e, s, &p);
		break;
	case BW_SP_TAIL_CALL:
		rec = bw_rec_here(e, BW_REC_TAIL_CALL, 0, c->map);
		if (rec)
			bw_val_join(&e->d, &rec->val, &c->arg[3], false);
		break;
	case BW_SP_PACKET_LOAD:
	case BW_SP_PACKET_LOAD_REL:
		bw_call_packet_load(e, s, c, c->c->special == BW_SP_PACKET_LOAD_REL);
		break;
	case BW_SP_PACKET_STORE:
		bw_call_packet_write(e, s, c, &c->arg[2], &c->arg[3], bw_len_of(&c->arg[4]));
		break;
	case BW_SP_CSUM_REPLACE:
	case BW_SP_CSUM:
		bw_count(e, BW_COUNT_CSUM);
		break;
	case BW_SP_RESIZE:
		bw_count(e, BW_COUNT_RESIZE);
		break;
	case BW_SP_REDIRECT:
		bw_call_redirect(e, s, c, strcmp(c->name, "clone_redirect") ? &c->arg[1] : &c->arg[2], BW_NONE);
		break;
	case BW_SP_REDIRECT_MAP:
		n = (uint32_t)(strchr(c->c->args, 'm') - c->c->args) + 2;
		bw_call_redirect(e, s, c, n < 6 ? &c->arg[n] : &c->arg[1], c->map);
		c->ret = bw_val_scalar(0, 4);
		break;
	case BW_SP_WRITE_USER:
		len = bw_len_of(&c->arg[3]);
		rec = bw_rec_here(e, BW_REC_USER_WRITE, c->id, 0);
		v = bw_mem_gather(e, s, &c->arg[2], len);
		if (rec) {
			bool rodata;

			bw_val_join(&e->d, &rec->val, &v, true);
			if (rec->val2.kind == BW_VAL_NONE)
				rec->val2 = c->arg[1];
			else
				bw_val_join(&e->d, &rec->val2, &c->arg[1], false);
			rec->len = len;
			bw_call_literal(e, s, &c->arg[2], len, &rec->lit, &rodata);
		}
		break;
	case BW_SP_OVERRIDE:
	case BW_SP_SET_RETVAL:
	case BW_SP_SIGNAL:
		p = c->arg[c->c->special == BW_SP_OVERRIDE || c->id < 0 ? 2 : 1];
		rec = bw_rec_here(e, c->c->special == BW_SP_SIGNAL ? BW_REC_SIGNAL : BW_REC_OVERRIDE, c->id, 0);
		if (rec)
			bw_val_join(&e->d, &rec->val, &p, false);
		break;
	case BW_SP_SYS_BPF:
		rec = bw_rec_here(e, BW_REC_CALL, c->id, 0);
		if (rec)
			bw_val_join(&e->d, &rec->val, &c->arg[1], false);
		break;
	case BW_SP_TRACE_PRINTK:
		if (!strcmp(c->name, "trace_printk")) {
			for (unsigned int i = 3; i <= 5; i++)
				if (c->arg[i].kind == BW_VAL_PTR && e->d.budget.failed == false) {
					const struct bw_region *g = bw_dom_only(&e->d, c->arg[i].ref);

					if (g && g->kind != BW_REGION_CTX && g->kind != BW_REGION_MAP && g->kind != BW_REGION_EXT) {
						v = bw_mem_gather(e, s, &c->arg[i], (struct bw_length){ 0, MAX_PRINTED });
						bw_val_join(&e->d, &c->data, &v, true);
						c->len = (struct bw_length){ 0, MAX_PRINTED };
					} else if (g && g->kind == BW_REGION_EXT) {
						/* %s reads kernel or user strings by itself. */
						v = bw_call_read_outside(e, s, c, &c->arg[i], (struct bw_length){ 0, MAX_PRINTED }, 0);
						bw_val_join(&e->d, &c->data, &v, true);
						c->len = (struct bw_length){ 0, MAX_PRINTED };
					}
				}
		} else {
			print_args(e, s, c, &c->arg[3], bw_len_of(&c->arg[4]));
		}
		break;
	case BW_SP_STRNCMP:
		if (c->id > 0)
			compare_strings(e, s, c, 1, 3, bw_len_of(&c->arg[2]));
		else
			compare_strings(e, s, c, 1, 2, c->c->args[2] == '.' ? bw_len_of(&c->arg[3]) : (struct bw_length){ 1, 256 });
		break;
	case BW_SP_FOR_EACH_MAP:
		bw_count(e, BW_COUNT_LOOP);
		bw_call_for_each(e, s, c);
		break;
	case BW_SP_LOOP: {
		struct bw_val args[6] = { 0 };

		bw_count(e, BW_COUNT_LOOP);
		args[1] = bw_val_scalar(0, loop_last(e, &c->arg[1]));
		args[2] = c->arg[3];
		bw_call_back(e, s, &c->arg[2], args);
		break;
	}
	case BW_SP_FIND_VMA: {
		struct bw_val args[6] = { 0 };
		struct bw_call_args t = *c;

		bw_call_struct_ret(e, &t, "task_struct", false);
		args[1] = t.ret;
		bw_call_struct_ret(e, &t, "vm_area_struct", false);
		args[2] = t.ret;
		args[3] = c->arg[4];
		bw_call_back(e, s, &c->arg[3], args);
		break;
	}
	case BW_SP_USER_DRAIN: {
		struct bw_val args[6] = { 0 };
		struct bw_desc d = { .space = BW_SPACE_KERNEL, .classes = S(MAP_VALUE),
				     .detail = bw_dom_str(&e->d, c->map >= 0 ? bw_map_name(e, c->map) : "user ring buffer") };

		args[1] = bw_val_ptr(bw_ext_set(e, &d), 0);
		args[2] = c->arg[3];
		bw_call_back(e, s, &c->arg[2], args);
		break;
	}
	case BW_SP_TIMER_CALLBACK:
	case BW_SP_WQ_CALLBACK:
		bw_call_timer(e, s, c);
		break;
	case BW_SP_RBTREE_ADD: {
		struct bw_val args[6] = { 0 };

		args[1] = args[2] = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_HEAP, 0, 0), 0);
		bw_call_back(e, s, &c->arg[3], args);
		break;
	}
	case BW_SP_DYNPTR_FROM_MEM:
		bw_call_arg(c, 'D', &p);
		v = c->arg[1];
		v.flags &= (uint8_t)~BW_VAL_NULLABLE;
		bw_dynptr_set(e, s, &p, &v);
		break;
	case BW_SP_DYNPTR_FROM_PACKET:
		v = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_PACKET, 0, 0), 0);
		bw_dynptr_set(e, s, &c->arg[3], &v);
		break;
	case BW_SP_DYNPTR_FROM_FILE: {
		struct bw_desc d = { .space = BW_SPACE_KERNEL, .classes = S(FILE_CONTENT), .detail = bw_dom_str(&e->d, "file content") };

		v = bw_val_ptr(bw_ext_set(e, &d), 0);
		bw_dynptr_set(e, s, &c->arg[3], &v);
		break;
	}
	case BW_SP_DYNPTR_READ:
		p = bw_dynptr_get(e, s, &c->arg[3]);
		p = bw_dynptr_moved(&p, &c->arg[4]);
		v = bw_call_copy(e, s, &c->arg[1], &p, bw_len_of(&c->arg[2]));
		break;
	case BW_SP_DYNPTR_WRITE:
		p = bw_dynptr_get(e, s, &c->arg[1]);
		p = bw_dynptr_moved(&p, &c->arg[2]);
		{
			const struct bw_region *g = p.kind == BW_VAL_PTR ? bw_dom_only(&e->d, p.ref) : NULL;

			if (g && g->kind == BW_REGION_PACKET) {
				struct bw_val off = bw_val_scalar(p.lo, p.hi);

				bw_effect(e, BW_EFFECT_PACKET_WRITE);
				bw_call_packet_write(e, s, c, &off, &c->arg[3], bw_len_of(&c->arg[4]));
			} else {
				v = bw_mem_gather(e, s, &c->arg[3], bw_len_of(&c->arg[4]));
				v.carry |= v.taint ? (uint16_t)BW_CARRY_BIT(BW_CARRY_DYNPTR) : 0;
				bw_mem_scatter(e, s, &p, bw_len_of(&c->arg[4]), &v);
			}
		}
		break;
	case BW_SP_DYNPTR_DATA:
		p = bw_dynptr_get(e, s, &c->arg[1]);
		c->ret = bw_dynptr_moved(&p, &c->arg[2]);
		c->ret.flags |= BW_VAL_NULLABLE;
		break;
	case BW_SP_DYNPTR_SLICE:
		p = bw_dynptr_get(e, s, &c->arg[1]);
		c->ret = bw_dynptr_moved(&p, &c->arg[2]);
		if (c->arg[3].kind == BW_VAL_PTR) {
			v = bw_mem_gather(e, s, &c->ret, bw_len_of(&c->arg[4]));
			bw_mem_scatter(e, s, &c->arg[3], bw_len_of(&c->arg[4]), &v);
		}
		c->ret.flags |= BW_VAL_NULLABLE;
		break;
	case BW_SP_DYNPTR_CLONE:
		p = bw_dynptr_get(e, s, &c->arg[1]);
		bw_dynptr_set(e, s, &c->arg[2], &p);
		break;
	case BW_SP_DYNPTR_ADJUST:
		p = bw_dynptr_get(e, s, &c->arg[1]);
		p = bw_dynptr_moved(&p, &c->arg[2]);
		bw_mem_write(e, s, &c->arg[1], 0, 8, &p);
		break;
	case BW_SP_DYNPTR_COPY:
		if (!strncmp(c->name, "bpf_crypto", 10)) {
			p = bw_dynptr_get(e, s, &c->arg[2]);
			v = bw_mem_gather(e, s, &p, BW_LEN_ANY);
			v.flags &= (uint8_t)~BW_VAL_DIRECT;
			p = bw_dynptr_get(e, s, &c->arg[3]);
			bw_mem_scatter(e, s, &p, BW_LEN_ANY, &v);
		} else {
			p = bw_dynptr_get(e, s, &c->arg[3]);
			p = bw_dynptr_moved(&p, &c->arg[4]);
			v = bw_mem_gather(e, s, &p, bw_len_of(&c->arg[5]));
			p = bw_dynptr_get(e, s, &c->arg[1]);
			p = bw_dynptr_moved(&p, &c->arg[2]);
			bw_mem_scatter(e, s, &p, bw_len_of(&c->arg[5]), &v);
		}
		break;
	case BW_SP_DYNPTR_FILL:
		bw_call_dynptr_fill(e, s, c);
		break;
	case BW_SP_GET_TASK:
		bw_call_struct_ret(e, c, "task_struct", false);
		break;
	case BW_SP_TASK_PT_REGS: {
		struct bw_arg a = { BW_ARG_PTREGS, 0, "regs", "pt_regs" };

		c->ret = bw_arg_value(e, &a, 0);
		break;
	}
	case BW_SP_GET_FUNC_ARG:
	case BW_SP_GET_FUNC_RET: {
		struct bw_arg a;
		int i = c->c->special == BW_SP_GET_FUNC_RET ? -1 : bw_val_is_const(&c->arg[2]) ? (int)(c->arg[2].lo & 15) : 0;

		bw_attach_arg(e->at, i, &a);
		v = bw_arg_value(e, &a, i);
		bw_mem_write(e, s, &c->arg[i < 0 ? 2 : 3], 0, 8, &v);
		break;
	}
	case BW_SP_KPTR_XCHG:
		c->ret = bw_mem_read(e, s, &c->arg[1], 0, 8);
		bw_mem_write(e, s, &c->arg[1], 0, 8, &c->arg[2]);
		if (c->ret.kind == BW_VAL_PTR)
			c->ret.flags |= BW_VAL_NULLABLE;
		break;
	case BW_SP_FIRST_ARG:
		c->ret = c->arg[1];
		break;
	case BW_SP_THROW:
		bw_count(e, BW_COUNT_EXCEPTION);
		e->threw = true;
		e->trace[e->depth].threw = true;
		return false;
	case BW_SP_ITER_NUM_NEXT:
		bw_count(e, BW_COUNT_LOOP);
		c->ret = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_FUNC, -1, 0), 0);
		c->ret.flags = BW_VAL_NULLABLE;
		break;
	case BW_SP_OBJ_NEW:
		c->ret = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_HEAP, 0, 0), 0);
		c->ret.flags = BW_VAL_NULLABLE;
		break;
	case BW_SP_HID_DATA: {
		struct bw_desc d = { .space = BW_SPACE_KERNEL, .classes = S(KEYSTROKES), .detail = bw_dom_str(&e->d, "hid report") };

		c->ret = bw_val_ptr(bw_ext_set(e, &d), 0);
		c->ret.flags = BW_VAL_NULLABLE;
		break;
	}
	default:
		break;
	}
	return true;
}

/* Specials that write their outputs themselves. */
bool bw_call_writes_itself(enum bw_special sp)
{
	return sp == BW_SP_PROBE_READ || sp == BW_SP_PACKET_LOAD || sp == BW_SP_PACKET_LOAD_REL || sp == BW_SP_DYNPTR_READ ||
	       sp == BW_SP_MAP_POP || sp == BW_SP_GET_FUNC_ARG || sp == BW_SP_GET_FUNC_RET || sp == BW_SP_DYNPTR_SLICE;
}
