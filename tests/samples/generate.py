#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Writes flow/g_*.bpf.c and their rows of EXPECT.tsv (below the marker line): planted flows, one step apart from near misses.

A program is SOURCE -> CARRIER -> CHANNEL. For each source class and each channel that makes sense with its program type
there are programs in several carriers, rotated so that each carrier meets each channel and each source; one of them has a
near miss beside it, in which the bytes are cleared on the way. g_hooks_* reach each source class from other hooks.
The output depends on nothing but this file: run it again after a change and commit what it wrote.
"""
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
MARK = "# ---- written by generate.py below this line ----"
SPDX = "// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause\n"
N = 16  # bytes of every planted record

# ---- sources: class, section, type of the context, code that fills DST, a user address for writes ----------------------


class Source:
    def __init__(self, short, cls, section, ctx, fill, user=None, family="trace"):
        self.short, self.cls, self.section, self.ctx, self.fill = short, cls, section, ctx, fill
        self.user, self.family = user, family


REGS, ENTER = "struct pt_regs *ctx", "struct tp_enter *ctx"
SKB, XDP = "struct __sk_buff *ctx", "struct xdp_md *ctx"
SOURCES = [
    Source("tls", "tls-plaintext", "uprobe/libssl.so.3:SSL_write", REGS,
           "bpf_probe_read_user(DST, 16, (void *)PT_REGS_PARM2(ctx));", "(void *)PT_REGS_PARM2(ctx)"),
    Source("user", "user-memory", "uprobe//usr/local/bin/app:handle_record", REGS,
           "bpf_probe_read_user(DST, 16, (void *)PT_REGS_PARM1(ctx));", "(void *)PT_REGS_PARM2(ctx)"),
    Source("sysbuf", "syscall-buffer", "tracepoint/syscalls/sys_enter_write", ENTER,
           "bpf_probe_read_user(DST, 16, (void *)ctx->args[1]);", "(void *)ctx->args[1]"),
    Source("args", "exec-args", "tracepoint/syscalls/sys_enter_execve", ENTER,
           "{ const char *a = NULL; bpf_probe_read_user(&a, sizeof(a), (void *)(ctx->args[1] + 8)); "
           "bpf_probe_read_user_str(DST, 16, a); }", "(void *)ctx->args[0]"),
    Source("keys", "keystrokes", "kprobe/input_handle_event", REGS,
           "*(u32 *)(DST) = (PT_REGS_PARM3(ctx) << 1) | (PT_REGS_PARM4(ctx) & 1);"),
    Source("tty", "tty", "kprobe/pty_write", REGS, "bpf_probe_read_kernel(DST, 16, (void *)PT_REGS_PARM2(ctx));"),
    Source("content", "file-content", "kprobe/vfs_write", REGS,
           "bpf_probe_read_user(DST, 16, (void *)PT_REGS_PARM2(ctx));", "(void *)PT_REGS_PARM2(ctx)"),
    Source("name", "file-name", "tracepoint/syscalls/sys_enter_openat", ENTER,
           "bpf_probe_read_user_str(DST, 16, (void *)ctx->args[1]);", "(void *)ctx->args[1]"),
    Source("cred", "credentials", "uprobe/libpam.so.0:pam_set_item", REGS,
           "bpf_probe_read_user(DST, 16, (void *)PT_REGS_PARM3(ctx));", "(void *)PT_REGS_PARM1(ctx)"),
    Source("env", "environment", "tracepoint/syscalls/sys_enter_execve", ENTER,
           "{ const char *a = NULL; bpf_probe_read_user(&a, sizeof(a), (void *)ctx->args[2]); "
           "bpf_probe_read_user_str(DST, 16, a); }", "(void *)ctx->args[0]"),
    Source("dns", "dns", "uprobe/libc.so.6:getaddrinfo", REGS,
           "bpf_probe_read_user_str(DST, 16, (void *)PT_REGS_PARM1(ctx));", "(void *)PT_REGS_PARM1(ctx)"),
    Source("kmem", "kernel-memory", "kprobe/kmem_cache_free", REGS,
           "bpf_probe_read_kernel(DST, 16, (void *)PT_REGS_PARM2(ctx));"),
    Source("kptr", "kernel-pointer", "kprobe/kmem_cache_free", REGS, "*(u64 *)(DST) = PT_REGS_PARM2(ctx);"),
    Source("meta", "process-metadata", "tracepoint/syscalls/sys_enter_read", ENTER,
           "bpf_get_current_comm(DST, 16);", "(void *)ctx->args[1]"),
    Source("payload", "packet-payload", "tc", SKB, "bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF, DST, 16);", family="tc"),
    Source("header", "packet-header", "tc", SKB, "bpf_skb_load_bytes(ctx, IP_OFF, DST, 16);", family="tc"),
    Source("xpayload", "packet-payload", "xdp", XDP,
           "{ u8 *pkt = (void *)(long)ctx->data + UDP_PAYLOAD_OFF; "
           "if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS; __builtin_memcpy(DST, pkt, 16); }", family="xdp"),
    Source("xheader", "packet-header", "xdp", XDP,
           "{ u8 *pkt = (void *)(long)ctx->data + IP_OFF; "
           "if ((void *)(pkt + 16) > (void *)(long)ctx->data_end) return XDP_PASS; __builtin_memcpy(DST, pkt, 16); }", family="xdp"),
]

# ---- channels: code that puts out 16 bytes at P; families of programs that can -------------------------------------------
CHANNELS = {
    "ringbuf": ("bpf_ringbuf_output(&g_ring, P, 16, 0);", "trace tc xdp"),
    "perf": ("bpf_perf_event_output(ctx, &g_perf, BPF_F_CURRENT_CPU, P, 16);", "trace tc xdp"),
    "map": ("bpf_map_update_elem(&g_map, &g_zero, P, BPF_ANY);", "trace tc xdp"),
    "pinned-map": ("bpf_map_update_elem(&g_pinned, &g_zero, P, BPF_ANY);", "trace tc xdp"),
    "trace-pipe": ('bpf_printk("%llx", *(u64 *)(P));', "trace tc xdp"),
    "return-value": ("ret = *(u32 *)(P);", "trace tc"),
    "signal": ("if (sample_armed) bpf_send_signal(*(u32 *)(P));", "trace"),
    "user-write": ("if (sample_armed) bpf_probe_write_user(UADDR, P, 16);", "trace"),
    "return-override": ("if (sample_armed) bpf_override_return(ctx, *(u64 *)(P));", "trace"),
    "packet-write": ("if (sample_armed) bpf_skb_store_bytes(ctx, TCP_PAYLOAD_OFF + 64, P, 16, 0);", "tc"),
}
NEEDS_CTX = {"perf", "return-override", "packet-write"}
# Carriers by rotation. ringbuf-memory and dynptr have forms of their own for the ring buffer.
CARRIERS = ["stack", "map-value", "global-data", "subprogram", "callback", "tail-call", "dynptr", "percpu-scratch", "map-key",
            "cross-program", "local-storage", "ringbuf-memory"]


def fits(src, ch, carrier):
    _, families = CHANNELS[ch]
    if src.family not in families.split():
        return False
    if ch == "user-write" and not src.user:
        return False
    if ch == "return-override" and not src.ctx.startswith("struct pt_regs"):
        return False
    if carrier == "ringbuf-memory" and ch != "ringbuf":
        return False
    if carrier in ("callback", "map-key") and (ch in NEEDS_CTX or ch == "return-value"):
        return False
    if carrier == "local-storage" and src.family != "trace":
        return False
    if carrier in ("tail-call", "cross-program") and ch == "user-write":
        return True
    return True


def put(ch, p, src):
    return CHANNELS[ch][0].replace("UADDR", src.user or "0").replace("(P)", f"({p})").replace(" P,", f" {p},")


class Program:
    """The text of one planted flow (or near miss) and the name of the program that holds the sink."""

    def __init__(self, name, src, ch, carrier, wiped, number):
        self.name, self.sink = name, name
        self.decl, self.pre, self.post = [], [], []
        ret = ["int ret = 0;"] if ch == "return-value" else []
        end = "return ret;" if ch == "return-value" else "return 0;"
        fill = lambda dst: src.fill.replace("DST", dst)
        wipe = lambda p: [f"__builtin_memset({p}, 0, 16);"] if wiped else []
        sink = lambda p: put(ch, p, src)
        m = f"c_{name}"
        zero = "u32 zero = 0;"
        body = None
        if carrier == "stack":
            body = ret + ["u8 b[16] __attribute__((aligned(8))) = {};", fill("b")] + wipe("b") + [sink("b"), end]
        elif carrier == "ringbuf-memory":
            body = ["u8 *r = bpf_ringbuf_reserve(&g_ring, 16, 0);", "if (!r)", "\treturn 0;",
                    "__builtin_memset(r, 0, 16);", fill("r").replace("return XDP_PASS;", "{ bpf_ringbuf_discard(r, 0); return XDP_PASS; }")]
            body += wipe("r") + ["bpf_ringbuf_submit(r, 0);", end]
        elif carrier == "map-value":
            self.decl.append(f"HASH({m}, u32, struct rec, 64);")
            body = ret + [zero, "struct rec b = {}, *v;", fill("b.b"), f"bpf_map_update_elem(&{m}, &zero, &b, BPF_ANY);",
                          f"v = bpf_map_lookup_elem(&{m}, &zero);", "if (v)", "\t" + self.guard(sink("v->b")), end]
        elif carrier == "percpu-scratch":
            self.decl.append(f"PERCPU({m}, struct rec);")
            body = ret + [zero, f"struct rec *v = bpf_map_lookup_elem(&{m}, &zero);", "if (!v)", "\treturn 0;",
                          fill("v->b"), sink("v->b"), end]
        elif carrier == "global-data":
            self.decl.append(f"static struct rec {m};")
            body = ret + [fill(f"{m}.b"), sink(f"{m}.b"), end]
        elif carrier == "subprogram":
            if number % 2:  # the callee is the sink
                kind = "long" if ch == "return-value" else "void"
                last = ["return ret;"] if ch == "return-value" else []
                self.decl.append(self.function(f"static __noinline {kind} {name}_put({src.ctx}, u8 *p)", ret + [sink("p")] + last))
                call = f"ret = {name}_put(ctx, b.b);" if ch == "return-value" else f"{name}_put(ctx, b.b);"
                body = ret + ["struct rec b = {};", fill("b.b")] + wipe("b.b") + [call, end]
            else:  # the callee is the source
                take = fill("p").replace("return XDP_PASS;", "return;")
                self.decl.append(self.function(f"static __noinline void {name}_take({src.ctx}, u8 *p)", [take]))
                body = ret + ["struct rec b = {};", f"{name}_take(ctx, b.b);"] + wipe("b.b") + [sink("b.b"), end]
        elif carrier == "callback":
            use = sink("st->r.b").replace(src.user or "\0", "(void *)st->uaddr")
            self.decl.append(f"struct {name}_st {{\n\tstruct rec r;\n\tu64 uaddr;\n}};")
            self.decl.append(self.function(f"static long {name}_cb(u32 i, void *arg)", [f"struct {name}_st *st = arg;", "", use, "return 1;"]))
            body = [f"struct {name}_st st = {{}};"]
            if ch == "user-write":
                body.append(f"st.uaddr = (u64){src.user};")
            body += [fill("st.r.b")] + wipe("st.r.b") + [f"bpf_loop(1, {name}_cb, &st, 0);", end]
        elif carrier == "map-key":
            self.decl.append(f"HASH({m}, struct rec, u8, 64);")
            use = sink("key->b").replace(src.user or "\0", "*(void **)arg")
            self.decl.append(self.function(f"static long {name}_cb(void *map, struct rec *key, u8 *value, void *arg)", [use, "return 0;"]))
            body = ["struct rec b = {};", "u8 one = 1;", f"u64 uaddr = {'(u64)' + src.user if ch == 'user-write' else '0'};",
                    fill("b.b"), f"bpf_map_update_elem(&{m}, &b, &one, BPF_ANY);",
                    f"bpf_for_each_map_elem(&{m}, {name}_cb, &uaddr, 0);", end]
        elif carrier == "dynptr":
            if ch == "ringbuf":
                body = ["struct bpf_dynptr d;", "struct rec b = {};", fill("b.b")] + wipe("b.b") + [
                    "bpf_ringbuf_reserve_dynptr(&g_ring, 16, 0, &d);", "bpf_dynptr_write(&d, 0, b.b, 16, 0);",
                    "bpf_ringbuf_submit_dynptr(&d, 0);", end]
            else:
                self.decl.append(f"PERCPU({m}, struct rec);")
                body = ret + ["struct bpf_dynptr d;", zero, "struct rec b = {};",
                              f"struct rec *v = bpf_map_lookup_elem(&{m}, &zero);", "if (!v)", "\treturn 0;", fill("b.b"),
                              "bpf_dynptr_from_mem(v, 16, 0, &d);", "bpf_dynptr_write(&d, 0, b.b, 16, 0);",
                              "__builtin_memset(&b, 0, sizeof(b));", "bpf_dynptr_read(b.b, 16, &d, 0, 0);", sink("b.b"), end]
        elif carrier == "local-storage":
            self.decl.append(f"struct {{\n\t__uint(type, BPF_MAP_TYPE_TASK_STORAGE);\n\t__uint(map_flags, BPF_F_NO_PREALLOC);\n"
                             f"\t__type(key, int);\n\t__type(value, struct rec);\n}} {m} SEC(\".maps\");")
            body = ret + [f"struct rec *v = bpf_task_storage_get(&{m}, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);",
                          "if (!v)", "\treturn 0;", fill("v->b"), sink("v->b"), end]
        elif carrier in ("tail-call", "cross-program"):
            self.sink = name + "_b"
            scratch = f"PERCPU({m}, struct rec);" if number % 2 else f"HASH({m}, u32, struct rec, 4);"
            self.decl.append(scratch)
            store = (["struct rec *v = bpf_map_lookup_elem(&MAP, &zero);", "if (!v)", "\treturn 0;", fill("v->b")] if number % 2 else
                     ["struct rec b = {};", fill("b.b"), "bpf_map_update_elem(&MAP, &zero, &b, BPF_ANY);"])
            store = [s.replace("MAP", m) for s in store]
            if carrier == "tail-call":
                self.decl.append(f"int {name}_b({src.ctx});" if number % 3 else "")
                if number % 3:  # the object itself says who is called
                    self.decl.append(f"struct {{\n\t__uint(type, BPF_MAP_TYPE_PROG_ARRAY);\n\t__uint(max_entries, 1);\n"
                                     f"\t__uint(key_size, sizeof(u32));\n\t__array(values, int({src.ctx}));\n"
                                     f"}} t_{name} SEC(\".maps\") = {{\n\t.values = {{ [0] = (void *)&{name}_b }},\n}};")
                else:
                    self.decl.append(f"PROG_ARRAY(t_{name}, 1);")
                store.append(f"bpf_tail_call(ctx, &t_{name}, 0);")
            body = [zero] + store + ["return 0;"]
            self.post = [self.program(src, name + "_b", ret + [zero, f"struct rec *v = bpf_map_lookup_elem(&{m}, &zero);", "if (v)",
                                                               "\t" + self.guard(sink("v->b")), end])]
        self.text = "\n\n".join([d for d in self.decl if d] + [self.program(src, name, body)] + self.post)

    @staticmethod
    def guard(stmt):
        return "{ " + stmt + " }" if stmt.startswith("if ") else stmt

    @staticmethod
    def function(head, lines):
        decl = re.compile(r"(const |static |struct |union |u8 |u32 |u64 |int |char |__be16 )[^()]*?[a-z0-9_\]] *(=|;|__attribute__)|struct \w+ \*?\w+ = ")
        n = next((i for i, l in enumerate(lines) if not decl.match(l)), len(lines))
        if 0 < n < len(lines) and lines[n]:
            lines = lines[:n] + [""] + lines[n:]
        return head + "\n{\n" + "".join("\t" + l + "\n" if l else "\n" for l in lines) + "}"

    def program(self, src, name, lines):
        return f'SEC("{src.section}")\n' + self.function(f"int {name}({src.ctx})", lines)


PRELUDE = """#include "{header}"

SAMPLE_SWITCH;
LICENSE;

struct rec {{
	u8 b[16] __attribute__((aligned(8)));
}};
RINGBUF(g_ring, 1 << 16);
PERFBUF(g_perf);
HASH(g_map, u32, struct rec, 16);
struct {{
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, struct rec);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
}} g_pinned SEC(".maps");
static const u32 g_zero __attribute__((unused));

"""


def split_lines(text):
    """One statement a line, so that a finding's source line says something."""
    out = []
    for line in text.split("\n"):
        m = re.match(r"^(\t+)\{ (.*) \}$", line)
        if not m:
            out.append(line)
            continue
        indent, inner = m.groups()
        out.append(indent + "{")
        for s in re.split(r"(?<=;) ", inner):
            out.append(indent + "\t" + s)
        out.append(indent + "}")
    return "\n".join(out)


# Wiping needs a strong update: only where the bytes sit in memory that the analysis knows exactly.
WIPABLE = {"stack", "ringbuf-memory", "subprogram", "callback", "dynptr"}


def matrix():
    files, rows = {}, []
    number = 0
    for s, src in enumerate(SOURCES):
        obj = f"g_{src.short}"
        parts = []
        for c, ch in enumerate(CHANNELS):
            possible = [k for k in CARRIERS if fits(src, ch, k)]
            if not possible:
                continue
            # All carriers for the ring buffer; three elsewhere, moving on with source and channel.
            turn = (s * 5 + c * 3) % len(possible)
            chosen = possible if ch == "ringbuf" else [possible[(turn + i) % len(possible)] for i in range(3)]
            for carrier in dict.fromkeys(chosen):
                number += 1
                name = f"{src.short}_{ch}_{carrier}".replace("-", "_")
                name = name.replace("ringbuf_memory", "mem").replace("percpu_scratch", "percpu").replace("global_data", "global")
                name = name.replace("return_override", "override").replace("cross_program", "cross").replace("local_storage", "local")
                p = Program(name, src, ch, carrier, False, number)
                parts.append(p.text)
                rows.append([obj, p.sink, "flow", src.cls, ch, carrier, "generated", "-", "16 bytes"])
                if ch == "ringbuf" and carrier in WIPABLE and carrier != "dynptr" or (ch != "ringbuf" and carrier in WIPABLE - {"dynptr"}):
                    q = Program("no_" + name, src, ch, carrier, True, number)
                    parts.append(q.text)
                    rows.append([obj, q.sink, "noflow", src.cls, ch, carrier, "near-miss", "-", "cleared on the way"])
        files[obj] = f"// Planted flows from {src.cls} ({src.section}) through each channel in several carriers. Written by generate.py.\n" + \
            PRELUDE.format(header="net.h" if src.family in ("tc", "xdp") else "sample.h") + \
            "\n\n".join(split_lines(p) for p in parts) + "\n"
    return files, rows


# ---- the same source classes from other hooks ---------------------------------------------------------------------------
# (program, class, section, signature, statements that leave 16 bytes in b.b)
T = "struct task_struct *t = (void *)bpf_get_current_task();"
HOOKS_TRACE = [
    ("gnutls_send", "tls-plaintext", "uprobe/libgnutls.so.30:gnutls_record_send", "BPF_KPROBE({}, void *s, const void *data, size_t n)",
     ["bpf_probe_read_user(b.b, 16, data);"]),
    ("nss_write", "tls-plaintext", "uprobe/libnspr4.so:PR_Write", "BPF_KPROBE({}, void *fd, const void *data, int n)",
     ["bpf_probe_read_user(b.b, 16, data);"]),
    ("ssl_write_ex", "tls-plaintext", "uprobe/libssl.so.3:SSL_write_ex", "BPF_KPROBE({}, void *s, const void *data, size_t n, size_t *w)",
     ["bpf_probe_read_user(b.b, 16, data);"]),
    ("go_conn_write", "tls-plaintext", "uprobe//usr/local/bin/app:crypto/tls.(*Conn).Write", "{}(struct pt_regs *ctx)",
     ["bpf_probe_read_user(b.b, 16, (void *)ctx->bx);"]),
    ("old_read_helper", "tls-plaintext", "uprobe/libssl.so.3:SSL_write", "BPF_KPROBE({}, void *s, const void *data, int n)",
     ["bpf_probe_read(b.b, 16, data);"]),
    ("ks_write", "syscall-buffer", "ksyscall/write", "BPF_KSYSCALL({}, unsigned int fd, const char *data, size_t n)",
     ["bpf_probe_read_user(b.b, 16, data);"]),
    ("raw_write", "syscall-buffer", "raw_tp/sys_enter", "{}(struct bpf_raw_tracepoint_args *ctx)",
     ["struct pt_regs *regs = (void *)ctx->args[0];", "", "if (ctx->args[1] != 1)", "\treturn 0;",
      "bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2_CORE(regs));"]),
    ("btf_write", "syscall-buffer", "tp_btf/sys_enter", "BPF_PROG({}, struct pt_regs *regs, long id)",
     ["if (id != 1)", "\treturn 0;", "bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM2_CORE(regs));"]),
    ("tp_sendto", "syscall-buffer", "tracepoint/syscalls/sys_enter_sendto", "{}(struct tp_enter *ctx)",
     ["bpf_probe_read_user(b.b, 16, (void *)ctx->args[1]);"]),
    ("tp_sendmsg", "syscall-buffer", "tracepoint/syscalls/sys_enter_sendmsg", "{}(struct tp_enter *ctx)",
     ["u64 iov = 0, base = 0;", "", "bpf_probe_read_user(&iov, 8, (void *)(ctx->args[1] + 16));",
      "bpf_probe_read_user(&base, 8, (void *)iov);", "bpf_probe_read_user(b.b, 16, (void *)base);"]),
    ("tp_writev", "syscall-buffer", "tracepoint/syscalls/sys_enter_writev", "{}(struct tp_enter *ctx)",
     ["u64 base = 0;", "", "bpf_probe_read_user(&base, 8, (void *)ctx->args[1]);", "bpf_probe_read_user(b.b, 16, (void *)base);"]),
    ("mm_args", "exec-args", "raw_tp/sched_process_exec", "{}(struct bpf_raw_tracepoint_args *ctx)",
     [T, "", "bpf_probe_read_user(b.b, 16, (void *)BPF_CORE_READ(t, mm, arg_start));"]),
    ("mm_env", "environment", "raw_tp/sched_process_exec", "{}(struct bpf_raw_tracepoint_args *ctx)",
     [T, "", "bpf_probe_read_user(b.b, 16, (void *)BPF_CORE_READ(t, mm, env_start));"]),
    ("execveat_args", "exec-args", "tracepoint/syscalls/sys_enter_execveat", "{}(struct tp_enter *ctx)",
     ["char *a = NULL;", "", "bpf_probe_read_user(&a, 8, (void *)(ctx->args[2] + 8));", "bpf_probe_read_user_str(b.b, 16, a);"]),
    ("readline_ret", "keystrokes", "uretprobe//bin/bash:readline", "BPF_KRETPROBE({}, const char *line)",
     ["bpf_probe_read_user_str(b.b, 16, line);"]),
    ("input_event_probe", "keystrokes", "kprobe/input_event", "BPF_KPROBE({}, void *dev, unsigned int type, unsigned int code, int value)",
     ["*(u32 *)b.b = code;"]),
    ("flip_string", "tty", "kprobe/tty_insert_flip_string_fixed_flag",
     "BPF_KPROBE({}, void *port, const unsigned char *chars, char flag, size_t n)", ["bpf_probe_read_kernel(b.b, 16, chars);"]),
    ("n_tty_receive", "tty", "kprobe/n_tty_receive_buf", "BPF_KPROBE({}, void *tty, const unsigned char *cp, const char *fp, int n)",
     ["bpf_probe_read_kernel(b.b, 16, cp);"]),
    ("kernel_write_probe", "file-content", "kprobe/kernel_write", "BPF_KPROBE({}, void *file, const void *data, size_t n)",
     ["bpf_probe_read_kernel(b.b, 16, data);"]),
    ("dentry_name", "file-name", "kprobe/vfs_unlink", "BPF_KPROBE({}, void *idmap, struct inode *dir, struct dentry *dentry)",
     ["bpf_probe_read_kernel_str(b.b, 16, BPF_CORE_READ(dentry, d_name.name));"]),
    ("file_path_name", "file-name", "kprobe/vfs_read", "BPF_KPROBE({}, struct file *file)",
     ["bpf_probe_read_kernel_str(b.b, 16, BPF_CORE_READ(file, f_path.dentry, d_name.name));"]),
    ("unlink_path", "file-name", "tracepoint/syscalls/sys_enter_unlinkat", "{}(struct tp_enter *ctx)",
     ["bpf_probe_read_user_str(b.b, 16, (void *)ctx->args[1]);"]),
    ("bprm_name", "file-name", "raw_tp/sched_process_exec", "{}(struct bpf_raw_tracepoint_args *ctx)",
     ["struct linux_binprm *bprm = (void *)ctx->args[2];", "", "bpf_probe_read_kernel_str(b.b, 16, BPF_CORE_READ(bprm, filename));"]),
    ("add_key_payload", "credentials", "tracepoint/syscalls/sys_enter_add_key", "{}(struct tp_enter *ctx)",
     ["bpf_probe_read_user(b.b, 16, (void *)ctx->args[2]);"]),
    ("crypt_password", "credentials", "uprobe/libcrypt.so.1:crypt", "BPF_KPROBE({}, const char *phrase, const char *salt)",
     ["bpf_probe_read_user_str(b.b, 16, phrase);"]),
    ("task_cred", "credentials", "kprobe/do_exit", "{}(struct pt_regs *ctx)",
     [T, "const struct cred *c = BPF_CORE_READ(t, cred);", "", "bpf_probe_read_kernel(b.b, 16, c);"]),
    ("gethostbyname_arg", "dns", "uprobe/libc.so.6:gethostbyname", "BPF_KPROBE({}, const char *name)",
     ["bpf_probe_read_user_str(b.b, 16, name);"]),
    ("current_task_ptr", "kernel-pointer", "kprobe/do_exit", "{}(struct pt_regs *ctx)", ["*(u64 *)b.b = bpf_get_current_task();"]),
    ("regs_ip", "kernel-pointer", "kprobe/do_exit", "{}(struct pt_regs *ctx)", ["*(u64 *)b.b = ctx->ip;"]),
    ("kernel_stack", "kernel-pointer", "kprobe/do_exit", "{}(struct pt_regs *ctx)", ["bpf_get_stack(ctx, b.b, 16, 0);"]),
    ("task_bytes", "kernel-memory", "kprobe/do_exit", "{}(struct pt_regs *ctx)", ["bpf_probe_read_kernel(b.b, 16, (void *)PT_REGS_PARM2(ctx));"]),
    ("pid_uid", "process-metadata", "kprobe/do_exit", "{}(struct pt_regs *ctx)",
     ["*(u64 *)b.b = bpf_get_current_pid_tgid();", "*(u64 *)(b.b + 8) = bpf_get_current_uid_gid();"]),
    ("task_comm", "process-metadata", "kprobe/do_exit", "{}(struct pt_regs *ctx)",
     [T, "", "bpf_probe_read_kernel(b.b, 16, BPF_CORE_READ(t, group_leader, comm));"]),
    ("cgroup_ids", "process-metadata", "kprobe/do_exit", "{}(struct pt_regs *ctx)",
     ["*(u64 *)b.b = bpf_get_current_cgroup_id();", "*(u64 *)(b.b + 8) = bpf_get_current_ancestor_cgroup_id(1);"]),
    ("sock_addrs", "packet-header", "kprobe/tcp_connect", "BPF_KPROBE({}, struct sock *sk)",
     ["*(u32 *)b.b = BPF_CORE_READ(sk, __sk_common.skc_daddr);", "*(u16 *)(b.b + 4) = BPF_CORE_READ(sk, __sk_common.skc_dport);"]),
    ("copy_from_user_s", "user-memory", "uprobe.s//usr/local/bin/app:handle_record", "BPF_KPROBE({}, const void *data)",
     ["bpf_copy_from_user(b.b, 16, data);"]),
]
PAIRS_TRACE = [  # entry keeps a pointer, the return reads it: (name, class, entry, return, argument's position)
    ("ssl_read_pair", "tls-plaintext", "uprobe/libssl.so.3:SSL_read", "uretprobe/libssl.so.3:SSL_read", 2, "user"),
    ("ssl_read_ex_pair", "tls-plaintext", "uprobe/libssl.so.3:SSL_read_ex", "uretprobe/libssl.so.3:SSL_read_ex", 2, "user"),
    ("gnutls_recv_pair", "tls-plaintext", "uprobe/libgnutls.so.30:gnutls_record_recv", "uretprobe/libgnutls.so.30:gnutls_record_recv", 2, "user"),
    ("vfs_read_pair", "file-content", "kprobe/vfs_read", "kretprobe/vfs_read", 2, "user"),
    ("kernel_read_pair", "file-content", "kprobe/kernel_read", "kretprobe/kernel_read", 2, "kernel"),
]
NET_FILL = {"payload": ("packet-payload", "UDP_PAYLOAD_OFF"), "header": ("packet-header", "IP_OFF")}
HOOKS_NET = []
for _k, (_cls, _off) in NET_FILL.items():
    for _sec, _n in (("socket", "sock"), ("tc", "cls"), ("action", "act")):
        HOOKS_NET.append((f"{_n}_{_k}", _cls, _sec, "{}(struct __sk_buff *ctx)", [f"bpf_skb_load_bytes(ctx, {_off}, b.b, 16);"]))
    HOOKS_NET.append((f"cg_{_k}", _cls, "cgroup_skb/egress", "{}(struct __sk_buff *ctx)",
                      [f"bpf_skb_load_bytes(ctx, {_off} - IP_OFF, b.b, 16);"]))
    HOOKS_NET.append((f"direct_{_k}", _cls, "tc", "{}(struct __sk_buff *ctx)",
                      [f"u8 *pkt = (void *)(long)ctx->data + {_off};", "", "if ((void *)(pkt + 16) > (void *)(long)ctx->data_end)",
                       "\treturn 0;", "__builtin_memcpy(b.b, pkt, 16);"]))
    HOOKS_NET.append((f"xdp_load_{_k}", _cls, "xdp", "{}(struct xdp_md *ctx)", [f"bpf_xdp_load_bytes(ctx, {_off}, b.b, 16);"]))
HOOKS_NET += [
    ("msg_data", "packet-payload", "sk_msg", "{}(struct sk_msg_md *ctx)",
     ["u8 *p = ctx->data;", "", "if ((void *)(p + 16) > ctx->data_end)", "\treturn SK_PASS;", "__builtin_memcpy(b.b, p, 16);"]),
    ("skb_verdict", "packet-payload", "sk_skb/stream_verdict", "{}(struct __sk_buff *ctx)", ["bpf_skb_load_bytes(ctx, 0, b.b, 16);"]),
    ("connect_addr", "packet-header", "cgroup/connect4", "{}(struct bpf_sock_addr *ctx)",
     ["*(u32 *)b.b = ctx->user_ip4;", "*(u32 *)(b.b + 4) = ctx->user_port;"]),
    ("sockops_addr", "packet-header", "sockops", "{}(struct bpf_sock_ops *ctx)",
     ["*(u32 *)b.b = ctx->remote_ip4;", "*(u32 *)(b.b + 4) = ctx->remote_port;"]),
    ("tuple_ctx", "packet-header", "tc", "{}(struct __sk_buff *ctx)", ["*(u32 *)b.b = ctx->protocol;", "bpf_skb_load_bytes_relative(ctx, 12, b.b + 4, 8, BPF_HDR_START_NET);"]),
    ("dns_question", "dns", "tc", "{}(struct __sk_buff *ctx)",
     ["__be16 port = 0;", "", "bpf_skb_load_bytes(ctx, L4_OFF + 2, &port, 2);", "if (port != bpf_htons(53))", "\treturn 0;",
      "bpf_skb_load_bytes(ctx, UDP_PAYLOAD_OFF + sizeof(struct dnshdr), b.b, 16);"]),
]
HOOKS_TRAMPOLINE = [
    ("fexit_read", "file-content", "fexit/vfs_read", "BPF_PROG({}, struct file *f, char *buf, size_t n, s64 *pos, long ret)",
     ["bpf_probe_read_user(b.b, 16, buf);"]),
    ("fentry_write", "file-content", "fentry/vfs_write", "BPF_PROG({}, struct file *f, const char *buf, size_t n)",
     ["bpf_probe_read_user(b.b, 16, buf);"]),
    ("fentry_syswrite", "syscall-buffer", "fentry/__x64_sys_write", "BPF_PROG({}, const struct pt_regs *regs)",
     ["bpf_probe_read_user(b.b, 16, (void *)regs->si);"]),
    ("fentry_pty", "tty", "fentry/pty_write", "BPF_PROG({}, void *tty, const u8 *buf, size_t n)", ["bpf_probe_read_kernel(b.b, 16, buf);"]),
    ("fentry_kbd", "keystrokes", "fentry/kbd_event", "BPF_PROG({}, void *h, unsigned int type, unsigned int code, int value)",
     ["*(u32 *)b.b = code;"]),
    ("d_path_open", "file-name", "fentry/filp_close", "BPF_PROG({}, struct file *f)", ["bpf_d_path(&f->f_path, (char *)b.b, 16);"]),
    ("lsm_cred", "credentials", "lsm/cred_prepare", "BPF_PROG({}, struct cred *new, const struct cred *old, int gfp, int ret)",
     ["*(u32 *)b.b = old->uid.val;", "*(u64 *)(b.b + 8) = old->cap_effective.val;"]),
    ("lsm_bprm", "file-name", "lsm/bprm_check_security", "BPF_PROG({}, struct linux_binprm *bprm, int ret)",
     ["bpf_probe_read_kernel_str(b.b, 16, bprm->filename);"]),
    ("fentry_kptr", "kernel-pointer", "fentry/do_exit", "BPF_PROG({}, long code)", ["*(u64 *)b.b = (u64)bpf_get_current_task_btf();"]),
]
# (program, class, channel, carrier, text): one of a kind
SPECIAL = [
    ("iter_args", "exec-args", "file-write", "stack", "iter.s/task", """
SEC("iter.s/task")
int iter_args(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct rec b = {};

	if (!t)
		return 0;
	bpf_copy_from_user_task(b.b, 16, (void *)BPF_CORE_READ(t, mm, arg_start), t, 0);
	bpf_seq_write(ctx->meta->seq, &b, sizeof(b));
	return 0;
}"""),
    ("iter_env", "environment", "file-write", "stack", "iter.s/task", """
SEC("iter.s/task")
int iter_env(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct rec b = {};

	if (!t)
		return 0;
	bpf_copy_from_user_task(b.b, 16, (void *)BPF_CORE_READ(t, mm, env_start), t, 0);
	bpf_seq_write(ctx->meta->seq, &b, sizeof(b));
	return 0;
}"""),
    ("iter_comm", "process-metadata", "file-write", "register", "iter/task", """
SEC("iter/task")
int iter_comm(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;

	if (t)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d %s", t->tgid, t->comm);
	return 0;
}"""),
    ("iter_pointer", "kernel-pointer", "file-write", "stack", "iter/task", """
SEC("iter/task")
int iter_pointer(struct bpf_iter__task *ctx)
{
	u64 p = (u64)ctx->task;

	bpf_seq_write(ctx->meta->seq, &p, sizeof(p));
	return 0;
}"""),
    ("iter_file", "file-name", "file-write", "stack", "iter/task_file", """
SEC("iter/task_file")
int iter_file(struct bpf_iter__task_file *ctx)
{
	struct file *f = ctx->file;
	struct rec b = {};

	if (!f)
		return 0;
	bpf_probe_read_kernel_str(b.b, 16, BPF_CORE_READ(f, f_path.dentry, d_name.name));
	bpf_seq_write(ctx->meta->seq, &b, sizeof(b));
	return 0;
}"""),
    ("iter_tcp", "packet-header", "file-write", "stack", "iter/tcp", """
SEC("iter/tcp")
int iter_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	u32 a[2];

	if (!sk)
		return 0;
	a[0] = sk->skc_rcv_saddr;
	a[1] = sk->skc_daddr;
	bpf_seq_write(ctx->meta->seq, a, sizeof(a));
	return 0;
}"""),
    ("sys_user", "user-memory", "bpf-syscall", "stack", "syscall", """
SEC("syscall")
int sys_user(struct request *ctx)
{
	union bpf_attr attr;

	__builtin_memset(&attr, 0, sizeof(attr));
	bpf_copy_from_user(&attr, 64, (void *)ctx->data);
	return bpf_sys_bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)) ? 1 : 0;
}"""),
    ("sys_meta", "process-metadata", "bpf-syscall", "stack", "syscall", """
SEC("syscall")
int sys_meta(struct request *ctx)
{
	union bpf_attr attr;

	__builtin_memset(&attr, 0, sizeof(attr));
	attr.start_id = bpf_get_current_pid_tgid();
	return bpf_sys_bpf(BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr)) ? 1 : 0;
}"""),
    ("clone_payload", "packet-payload", "packet-redirect", "register", "tc", """
SEC("tc")
int clone_payload(struct __sk_buff *skb)
{
	return bpf_clone_redirect(skb, 3, 0) ? TC_ACT_SHOT : TC_ACT_OK;
}"""),
    ("redirect_payload", "packet-payload", "packet-redirect", "register", "tc", """
SEC("tc")
int redirect_payload(struct __sk_buff *skb)
{
	return bpf_redirect(3, 0);
}"""),
    ("tx_payload", "packet-payload", "packet-redirect", "register", "xdp", """
SEC("xdp")
int tx_payload(struct xdp_md *ctx)
{
	return XDP_TX;
}"""),
    ("devmap_payload", "packet-payload", "packet-redirect", "register", "xdp", """
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u32));
} s_ports SEC(".maps");

SEC("xdp")
int devmap_payload(struct xdp_md *ctx)
{
	return bpf_redirect_map(&s_ports, 0, 0);
}"""),
    ("skb_to_perf", "packet-payload", "perf", "register", "tc", """
SEC("tc")
int skb_to_perf(struct __sk_buff *skb)
{
	u64 n = skb->len, mark = 7;

	bpf_perf_event_output(skb, &g_perf, BPF_F_CURRENT_CPU | (n & 0xffff) << 32, &mark, sizeof(mark));
	return TC_ACT_OK;
}"""),
    ("packet_and_back", "packet-payload", "ringbuf", "packet", "tc", """
SEC("tc")
int packet_and_back(struct __sk_buff *skb)
{
	struct rec b = {};

	bpf_skb_load_bytes(skb, UDP_PAYLOAD_OFF + 32, &b, sizeof(b));
	bpf_skb_store_bytes(skb, UDP_PAYLOAD_OFF, &b, sizeof(b), 0);
	__builtin_memset(&b, 0, sizeof(b));
	bpf_skb_load_bytes(skb, UDP_PAYLOAD_OFF, &b, sizeof(b));
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return TC_ACT_OK;
}"""),
    ("sysctl_meta", "process-metadata", "file-write", "stack", "cgroup/sysctl", """
SEC("cgroup/sysctl")
int sysctl_meta(struct bpf_sysctl *ctx)
{
	char text[16] = {};

	*(u64 *)text = bpf_get_current_uid_gid();
	if (ctx->write)
		bpf_sysctl_set_new_value(ctx, text, sizeof(text));
	return 1;
}"""),
    ("queue_key", "syscall-buffer", "map", "stack", "tracepoint/syscalls/sys_enter_write", """
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 8);
	__uint(value_size, sizeof(struct rec));
} s_queue SEC(".maps");

SEC("tracepoint/syscalls/sys_enter_write")
int queue_key(struct tp_enter *ctx)
{
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, (void *)ctx->args[1]);
	bpf_map_push_elem(&s_queue, &b, 0);
	return 0;
}"""),
    ("bloom_key", "credentials", "map", "stack", "uprobe/libpam.so.0:pam_set_item", """
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_HASH);
		__uint(max_entries, 4);
		__type(key, u32);
		__type(value, struct rec);
	});
} s_outer SEC(".maps");

SEC("uprobe/libpam.so.0:pam_set_item")
int bloom_key(struct pt_regs *ctx)
{
	u32 zero = 0;
	struct rec b = {};
	void *inner = bpf_map_lookup_elem(&s_outer, &zero);

	if (!inner)
		return 0;
	bpf_probe_read_user(b.b, 16, (void *)PT_REGS_PARM3(ctx));
	bpf_map_update_elem(inner, &zero, &b, BPF_ANY);
	return 0;
}"""),
    ("atomic_word", "keystrokes", "map", "global-data", "kprobe/input_handle_event", """
u64 s_codes;

SEC("kprobe/input_handle_event")
int atomic_word(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&s_codes, PT_REGS_PARM3(ctx));
	return 0;
}"""),
    ("snprintf_word", "credentials", "ringbuf", "stack", "uprobe/libpam.so.0:pam_set_item", """
SEC("uprobe/libpam.so.0:pam_set_item")
int snprintf_word(struct pt_regs *ctx)
{
	static const char fmt[] = "%llx";
	char text[24] = {};
	u64 v = 0;

	bpf_probe_read_user(&v, sizeof(v), (void *)PT_REGS_PARM3(ctx));
	bpf_snprintf(text, sizeof(text), fmt, &v, sizeof(v));
	bpf_ringbuf_output(&g_ring, text, sizeof(text), 0);
	return 0;
}"""),
    ("timer_put", "file-name", "ringbuf", "callback", "tracepoint/syscalls/sys_enter_openat", """
struct later {
	struct bpf_timer timer;
	struct rec r;
};
ARRAY(s_timers, struct later, 1);

static int timer_cb(void *map, u32 *key, struct later *l)
{
	bpf_ringbuf_output(&g_ring, &l->r, sizeof(l->r), 0);
	return 0;
}

SEC("sockops")
int timer_put(struct bpf_sock_ops *ctx)
{
	u32 zero = 0;
	struct later *l = bpf_map_lookup_elem(&s_timers, &zero);

	if (!l)
		return 0;
	bpf_timer_init(&l->timer, &s_timers, 1);
	bpf_timer_set_callback(&l->timer, timer_cb);
	*(u32 *)l->r.b = ctx->remote_ip4;
	bpf_timer_start(&l->timer, 1000, 0);
	return 0;
}"""),
    ("shift_by_secret", "tls-plaintext", "ringbuf", "register", "uprobe/libssl.so.3:SSL_write", """
SEC("uprobe/libssl.so.3:SSL_write")
int shift_by_secret(struct pt_regs *ctx)
{
	u64 v = 0, one = 1;
	u8 c = 0;

	bpf_probe_read_user(&c, 1, (void *)PT_REGS_PARM2(ctx));
	v = one << (c & 63);
	bpf_ringbuf_output(&g_ring, &v, sizeof(v), 0);
	return 0;
}"""),
]
SPECIAL_CLASS = {"timer_put": "packet-header"}
SPECIAL_NOTE = {
    "snprintf_word": "formatted text",
    "bloom_key": "inner map of a map of maps",
    "timer_put": "timer callback",
    "shift_by_secret": "shift count",
}


def hooks(title, table, header, pairs=()):
    parts, rows = [], []
    for name, cls, section, sig, lines in table:
        decls = [l for l in lines[:lines.index("")]] if "" in lines else []
        rest = lines[lines.index("") + 1:] if "" in lines else lines
        ret = "1" if section.startswith(("cgroup", "sk_msg", "sk_skb")) else "0"
        if section.startswith("xdp"):
            ret = "XDP_PASS"
        body = decls + ["struct rec b = {};", ""] + rest + ["bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);", f"return {ret};"]
        if ret == "1":
            body = [l.replace("return 0;", "return 1;") for l in body]
        parts.append(f'SEC("{section}")\n' + Program.function("int " + sig.format(name), body))
        rows.append([name, "flow", cls, "ringbuf", "stack", section.split(":")[-1]])
    for name, cls, enter, leave, position, space in pairs:
        parts.append(f"""HASH(c_{name}, u64, u64, 64);

SEC("{enter}")
int {name}_a(struct pt_regs *ctx)
{{
	u64 id = bpf_get_current_pid_tgid(), p = PT_REGS_PARM{position}(ctx);

	bpf_map_update_elem(&c_{name}, &id, &p, BPF_ANY);
	return 0;
}}

SEC("{leave}")
int {name}_b(struct pt_regs *ctx)
{{
	u64 id = bpf_get_current_pid_tgid(), *p = bpf_map_lookup_elem(&c_{name}, &id);
	struct rec b = {{}};

	if (!p)
		return 0;
	bpf_probe_read_{space}(b.b, 16, (void *)*p);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}}""")
        rows.append([name + "_b", "flow", cls, "ringbuf", "map-value", "the pointer is kept from entry to return"])
    text = f"// {title} Written by generate.py.\n" + PRELUDE.format(header=header) + "\n\n".join(parts) + "\n"
    return text, rows


def main():
    files, rows = matrix()
    for obj, title, table, header, pairs in (
            ("g_hooks_trace", "Source classes reached from tracing hooks.", HOOKS_TRACE, "kernel_types.h", PAIRS_TRACE),
            ("g_hooks_net", "Source classes reached from network hooks.", HOOKS_NET, "net.h", ()),
            ("g_hooks_trampoline", "Source classes reached from fentry, fexit and LSM hooks.", HOOKS_TRAMPOLINE, "kernel_types.h", ())):
        files[obj], r = hooks(title, table, header, pairs)
        rows += [[obj, p, kind, cls, ch, carrier, "generated", "-", note] for p, kind, cls, ch, carrier, note in r]
    special = "// Channels and carriers that fit few sources. Written by generate.py.\n"
    special += PRELUDE.format(header="net.h").replace('#include "net.h"\n', '#include "kernel_types.h"\n#include "net.h"\n')
    special += "struct request_in {\n\tu64 data;\n};\n\n"
    for name, cls, ch, carrier, _, text in SPECIAL:
        special += text.strip("\n").replace("struct request *", "struct request_in *") + "\n\n"
        note = SPECIAL_NOTE.get(name, "one of a kind")
        rows.append(["g_special", name, "flow", SPECIAL_CLASS.get(name, cls), ch, carrier, "generated", "-", note])
    files["g_special"] = special.rstrip("\n") + "\n"

    for obj, text in files.items():
        with open(os.path.join(HERE, "flow", obj + ".bpf.c"), "w", encoding="utf-8") as f:
            f.write(SPDX + text)
    for name in os.listdir(os.path.join(HERE, "flow")):
        if name.startswith("g_") and name[: -len(".bpf.c")] not in files:
            os.unlink(os.path.join(HERE, "flow", name))
    path = os.path.join(HERE, "EXPECT.tsv")
    with open(path, encoding="utf-8") as f:
        by_hand = f.read().split(MARK)[0].rstrip("\n") + "\n"
    with open(path, "w", encoding="utf-8") as f:
        f.write(by_hand + MARK + "\n" + "".join("\t".join(r) + "\n" for r in rows))
    print(f"{len(files)} objects, {sum(r[2] == 'flow' for r in rows)} planted flows, {sum(r[2] == 'noflow' for r in rows)} near misses")


if __name__ == "__main__":
    main()
