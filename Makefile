# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# bpfwarden. `make help` lists what can be asked of it.
# Sources are found by their place: common/**/*.c, auditor/**/*.c, guard/**/*.c, bpf/*.bpf.c, bpf/{api,block}/*.bpf.c, tests/unit/test_*.c,
# tests/fuzz/fuzz_*.c, tests/integration/*, tests/vm/t/*. Adding a file needs no change here.

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:

BUILD ?= build
CC = gcc
CLANG ?= clang
LLVM_STRIP ?= llvm-strip
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr
UNIT_DIR ?= /lib/systemd/system
DESTDIR ?=
KERNEL ?= 6.1
VERSION := 0.1.0

Q := $(if $(V),,@)

# ---- flags --------------------------------------------------------------------------------------------------------
WARN = -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wwrite-strings -Wshadow -Wpointer-arith \
       -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare
ifdef DEVELOPER
WARN += -Werror
endif
OPT ?= -O2 -g
HARDEN = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
LDHARDEN = -pie -Wl,-z,relro,-z,now
ifdef SAN
OPT = -O1 -g -fno-omit-frame-pointer
HARDEN = -fsanitize=address,undefined -fno-sanitize-recover=undefined -fPIE
LDHARDEN = -pie -fsanitize=address,undefined
endif
CPPFLAGS += -I. -I$(BUILD) -D_GNU_SOURCE -DBW_VERSION='"$(VERSION)"'
CFLAGS += -std=gnu11 $(OPT) $(WARN) $(HARDEN)
LDFLAGS += $(LDHARDEN)
PKGS = libbpf libelf libcjson libcrypto sqlite3 libseccomp libcap zlib libbrotlidec capstone libhs libssl libcurl rdkafka
CFLAGS += $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
STATIC_PKGS = libbpf libelf libcrypto sqlite3 libseccomp libcap zlib libhs
LIBS = -Wl,--as-needed $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -lpthread

ARCH_INCLUDE := /usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)
BPF_CFLAGS = -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers \
	     -Wno-sign-compare -Wno-address-of-packed-member -D__BPF__ -D__TARGET_ARCH_x86 -I. -I$(ARCH_INCLUDE) -fno-stack-protector
ifdef DEVELOPER
BPF_CFLAGS += -Werror
endif

# ---- what there is ------------------------------------------------------------------------------------------------
COMMON_SRC := $(sort $(shell find common -name '*.c'))
AUDITOR_SRC := $(sort $(shell find auditor -name '*.c' 2>/dev/null))
GUARD_SRC := $(sort $(shell find guard -name '*.c' 2>/dev/null))
BPF_SRC := $(sort $(wildcard bpf/*.bpf.c))
API_BPF_SRC := $(sort $(wildcard bpf/api/*.bpf.c))
BLOCK_BPF_SRC := $(sort $(wildcard bpf/block/*.bpf.c))
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
SAMPLE_SRC := $(sort $(shell find tests/samples -name '*.bpf.c' 2>/dev/null))
TOOL_SRC := $(sort $(wildcard tests/tools/*.c))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
COMMON_OBJ := $(call obj,$(COMMON_SRC))
AUDITOR_LIB_OBJ := $(call obj,$(filter-out auditor/main.c auditor/inventory_main.c auditor/cmd/%.c,$(AUDITOR_SRC)))
AUDITOR_CMD_OBJ := $(call obj,$(filter auditor/main.c auditor/cmd/%.c,$(AUDITOR_SRC)))
GUARD_LIB_OBJ := $(call obj,$(filter-out guard/main.c,$(GUARD_SRC)))
GUARD_MAIN_OBJ := $(call obj,$(filter guard/main.c,$(GUARD_SRC)))
BPF_OBJ := $(patsubst bpf/%.bpf.c,$(BUILD)/bpf/%.bpf.o,$(BPF_SRC))
API_BPF_OBJ := $(patsubst bpf/%.bpf.c,$(BUILD)/bpf/%.bpf.o,$(API_BPF_SRC))
BLOCK_BPF_OBJ := $(patsubst bpf/%.bpf.c,$(BUILD)/bpf/%.bpf.o,$(BLOCK_BPF_SRC))
UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT_SRC))
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_SRC))
SAMPLE_OBJ := $(patsubst tests/samples/%.bpf.c,$(BUILD)/samples/%.bpf.o,$(SAMPLE_SRC))
# The Go tool needs a Go compiler and Debian's golang-github-cilium-ebpf-dev; without them its tests are skipped by name.
GO_SRC := /usr/share/gocode
TOOL_GO := $(if $(and $(shell command -v go),$(wildcard $(GO_SRC)/src/github.com/cilium/ebpf/features)),$(BUILD)/tools/goload)
TOOL_BIN := $(patsubst tests/tools/%.c,$(BUILD)/tools/%,$(TOOL_SRC)) $(TOOL_GO)
PROGRAMS := $(BUILD)/bpfwarden $(BUILD)/bpfwardend $(BUILD)/bpfwarden-inventory

.PHONY: all programs deps run demo test test-quick test-unit test-san test-vm test-matrix fuzz bench soak lint install man deb clean help \
	samples tools tests-build static test-systemd
all: $(PROGRAMS) $(BPF_OBJ) $(API_BPF_OBJ) $(BLOCK_BPF_OBJ)
samples: $(SAMPLE_OBJ)
tools: $(TOOL_BIN)
tests-build: all $(UNIT_BIN) samples tools

help:
	@sed -n 's/^## //p' Makefile

# ---- host code ----------------------------------------------------------------------------------------------------
$(GUARD_LIB_OBJ) $(GUARD_MAIN_OBJ): | $(BUILD)/guard.skel.h $(BUILD)/api.skel.h
$(BUILD)/obj/auditor/block/cgroup.o: | $(BUILD)/block.skel.h
$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo '  CC   ' $@
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# Rules are compiled in; rules/audit-*.json (the auditor's) and rules/pii-*.json (personal data) are their source.
RULE_FILES := $(sort $(wildcard rules/audit-*.json))
PII_FILES := $(sort $(wildcard rules/pii-*.json))
$(BUILD)/obj/auditor/checks/rule.o: $(BUILD)/auditor/checks/rules_embedded.h
$(BUILD)/obj/guard/api/pii_rules.o: $(BUILD)/guard/api/pii_embedded.h
$(BUILD)/auditor/checks/rules_embedded.h: $(RULE_FILES)
$(BUILD)/guard/api/pii_embedded.h: $(PII_FILES)
$(BUILD)/auditor/checks/rules_embedded.h $(BUILD)/guard/api/pii_embedded.h:
	@mkdir -p $(@D)
	$(Q){ echo 'static const struct { const char *name, *text; } bw_$(if $(findstring pii_embedded,$@),pii,rules)_embedded[] = {'; for f in $^; do \
		echo "{ \"$$f\","; sed 's/\\/\\\\/g; s/"/\\"/g; s/^[ \t]*/"/; s/$$/\\n"/' $$f; echo '},'; done; echo '};'; } > $@.tmp && mv $@.tmp $@

$(BUILD)/libcommon.a: $(COMMON_OBJ)
$(BUILD)/libauditor.a: $(AUDITOR_LIB_OBJ)
$(BUILD)/libguard.a: $(GUARD_LIB_OBJ)
%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/bpfwarden: $(AUDITOR_CMD_OBJ) $(BUILD)/libguard.a $(BUILD)/libauditor.a $(BUILD)/libcommon.a
	@echo '  CC   ' $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/bpfwardend: $(GUARD_MAIN_OBJ) $(BUILD)/libguard.a $(BUILD)/libauditor.a $(BUILD)/libcommon.a
	@echo '  CC   ' $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# The inventory alone, statically linked: no library of the host that could lie to it. Sanitizers do not link statically.
$(BUILD)/bpfwarden-inventory: $(call obj,auditor/inventory_main.c) $(BUILD)/libcommon.a
	@echo '  CC   ' $@
	$(Q)$(CC) $(if $(SAN),$(LDFLAGS),-static-pie $(filter-out -pie,$(LDFLAGS))) -o $@ $^ $(shell $(PKG_CONFIG) --static --libs libbpf)

# The auditor alone, in one file that needs no library of the image it runs in. Debian has no static libcjson; librdkafka's static library
# carries the same code.
$(BUILD)/static/cJSON.o:
	@mkdir -p $(@D)
	$(Q)cd $(@D) && ar x $(firstword $(wildcard /usr/lib/*/librdkafka.a)) cJSON.o
$(BUILD)/static/bpfwarden: $(AUDITOR_CMD_OBJ) $(BUILD)/libguard.a $(BUILD)/libauditor.a $(BUILD)/libcommon.a $(BUILD)/static/cJSON.o
	@echo '  CC   ' $@
	$(Q)$(CC) -static-pie $(filter-out -pie,$(LDFLAGS)) -o $@.tmp $^ -Wl,--start-group $(shell $(PKG_CONFIG) --static --libs $(STATIC_PKGS)) \
		-Wl,--end-group -lstdc++ -lm 2>$@.log || { cat $@.log >&2; exit 1; }
	$(Q)strip $@.tmp && mv $@.tmp $@

# ---- BPF code: one object per concern, linked into three, shipped as skeletons: the guard's own programs, the probes of API
# visibility, which are loaded apart, and what bpfwarden block cuts off with ---------------------------------------------------------------
$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	@echo '  BPF  ' $@
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@
$(BUILD)/guard.bpf.o: $(BPF_OBJ)
$(BUILD)/api.bpf.o: $(API_BPF_OBJ)
$(BUILD)/block.bpf.o: $(BLOCK_BPF_OBJ)
$(BUILD)/guard.bpf.o $(BUILD)/api.bpf.o $(BUILD)/block.bpf.o:
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen object $@ $^
$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@

# Samples keep their line information: findings point at source lines.
$(BUILD)/samples/%.bpf.o: tests/samples/%.bpf.c
	@mkdir -p $(@D)
	@echo '  BPF  ' $@
	$(Q)$(CLANG) $(filter-out -mcpu=v3,$(BPF_CFLAGS)) $(or $(shell sed -n 's|^// *sample-cflags: *||p' $<),-mcpu=v3) -Itests/samples \
		-MMD -MP -MF $(@:.o=.d) -c $< -o $@

# ---- tests --------------------------------------------------------------------------------------------------------
TEST_LIBS = $(shell $(PKG_CONFIG) --libs cmocka libnghttp2 2>/dev/null)
$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libguard.a $(BUILD)/libauditor.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	@echo '  CC   ' $@
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -Wno-write-strings -o $@ $< $(filter %.a,$^) $(TEST_LIBS) $(LIBS)
# A tool may say "// tool-cflags: -static" and "// tool-pkgs: libbpf" (what it links, instead of everything), and "// tool-libs: guard"
# when it is made of the guard's parts; sanitizers do not link statically. "// tool-alone: -m32 -static" are all its flags: nothing of
# ours is linked.
tool_says = $(shell sed -n 's|^// *$(1): *||p' $(2))
tool_libs = $(if $(call tool_says,tool-pkgs,$(1)),$(shell $(PKG_CONFIG) --static --libs $(call tool_says,tool-pkgs,$(1))),$(LIBS))
$(patsubst tests/tools/%.c,$(BUILD)/tools/%,$(shell grep -ls '^// tool-libs: guard' $(TOOL_SRC) /dev/null)): $(BUILD)/libguard.a $(BUILD)/libauditor.a
$(BUILD)/tools/%: tests/tools/%.c $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	@echo '  CC   ' $@
	$(Q)$(if $(call tool_says,tool-alone,$<),$(CC) -O1 -Wall -MMD -MP -MF $@.d -o $@ $< $(call tool_says,tool-alone,$<),\
		$(CC) $(CPPFLAGS) $(CFLAGS) $(if $(SAN),,$(call tool_says,tool-cflags,$<)) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< \
		$(filter-out %/libcommon.a,$(filter %.a,$^)) $(BUILD)/libcommon.a $(call tool_libs,$<))
# The guard's delivery without the guard.
$(BUILD)/tools/bwdeliver: tests/tools/bwdeliver.c $(BUILD)/libguard.a $(BUILD)/libauditor.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	@echo '  CC   ' $@
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(filter %.a,$^) $(LIBS)
$(BUILD)/tools/goload: tests/tools/goload/main.go
	@mkdir -p $(@D)
	@echo '  GO   ' $@
	$(Q)GO111MODULE=off CGO_ENABLED=0 GOPATH=$(GO_SRC) GOFLAGS= GOCACHE=$(abspath $(BUILD))/go-cache go build -trimpath -o $@ $<
# Coverage-guided builds: clang, everything instrumented, in a tree of their own (make fuzz).
$(BUILD)/fuzz/%: tests/fuzz/%.c $(BUILD)/libguard.a $(BUILD)/libauditor.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	@echo '  CC   ' $@
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -fsanitize=fuzzer -o $@ $< $(filter %.a,$^) $(LIBS)

## make deps          install what building, running and testing needs (Debian packages; root)
deps:
	@packaging/deps
## make run           build and start the guard in the foreground, in the best tier of this host (root; ^C ends it)
run: deps
	@$(MAKE) --no-print-directory all
	@mkdir -p $(BUILD)/state
	$(BUILD)/bpfwardend --foreground --state-dir $(BUILD)/state --policy rules/observe.json --api on $(RUN_ARGS)
## make demo          a 60-second demonstration in a virtual machine
demo: deps
	@$(MAKE) --no-print-directory all tools samples
	@tests/vm/demo
## make test          everything that runs within a coffee break, ends with "N passed, N failed, N skipped" (root)
test: deps
	@$(MAKE) --no-print-directory tests-build
	@BUILD=$(BUILD) tests/run-all
test-quick: tests-build
	@BUILD=$(BUILD) tests/run-all quick
## make test-vm KERNEL=6.1   the tests in a virtual machine with that kernel
test-vm: tests-build
	@tests/vm/matrix $(KERNEL)
## make test-matrix   the same over every supported kernel
test-matrix: tests-build
	@tests/vm/matrix
## make test-systemd  the packages on a Debian system with systemd, in a virtual machine (root; KERNEL=6.12 if not said)
test-systemd: tests-build man
	@tests/vm/systemd $(if $(filter command line,$(origin KERNEL)),$(KERNEL),6.12)
## make fuzz          run each fuzz target (FUZZ_RUNS executions each)
fuzz:
	@tests/fuzz/run
## make bench         print the measurements, as ratios within one run
bench: tests-build
	@tests/bench/run
## make soak          the long forms of tests: 1,000 kills of the delivery, 100 of the whole guard, a backlog of 1 GB (root, about half an hour)
soak: tests-build
	@BUILD=$(BUILD) TEST_TIMEOUT=3600 BW_DELIVER_KILLS=1000 BW_DELIVER_SYNCS=80 BW_GUARD_KILLS=60 BW_GUARD_SYNCS=40 BW_SPOOL_KILLS=1000 BW_BACKLOG_MB=1000 \
		tests/integration/run $(addprefix tests/integration/t/,deliver_kill guard_kill spool_kill backlog)
## make lint          layout, style and include rules
lint:
	@tests/lint/run
## make man           the manual pages, from the tables that parse the options (needs scdoc)
man: $(BUILD)/man/bpfwarden.1 $(BUILD)/man/bpfwardend.8 $(BUILD)/man/bpfwarden-inventory.8
$(BUILD)/man/bpfwarden.1: $(BUILD)/bpfwarden
	@mkdir -p $(@D)
	$(Q)$(BUILD)/bpfwarden manual | scdoc > $@
$(BUILD)/man/%.8: packaging/man/%.8.scd
	@mkdir -p $(@D)
	$(Q)scdoc < $< > $@
## make install       into DESTDIR/PREFIX: programs, rules, unit file, completions, documents; manual pages where scdoc is
install: all $(if $(shell command -v scdoc),man)
	install -D -m 0755 $(BUILD)/bpfwarden $(DESTDIR)$(PREFIX)/bin/bpfwarden
	install -D -m 0755 $(BUILD)/bpfwardend $(DESTDIR)$(PREFIX)/sbin/bpfwardend
	install -D -m 0755 $(BUILD)/bpfwarden-inventory $(DESTDIR)$(PREFIX)/sbin/bpfwarden-inventory
	for f in $(wildcard rules/*.json rules/schema/*.json); do install -D -m 0644 $$f $(DESTDIR)$(PREFIX)/share/bpfwarden/$$f; done
	for f in bpfwardend bpfwardend-arm; do install -D -m 0644 packaging/systemd/$$f.service $(DESTDIR)$(UNIT_DIR)/$$f.service; done
	install -D -m 0755 packaging/initramfs/bpfwarden $(DESTDIR)$(PREFIX)/share/initramfs-tools/scripts/init-bottom/bpfwarden
	for f in service timer; do install -D -m 0644 packaging/systemd/bpfwarden-block.$$f $(DESTDIR)$(UNIT_DIR)/bpfwarden-block.$$f; done
	install -D -m 0644 $(BUILD)/block.bpf.o $(DESTDIR)$(PREFIX)/lib/bpfwarden/block.bpf.o
	install -D -m 0644 packaging/systemd/bpfwarden.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/bpfwarden.conf
	install -D -m 0644 packaging/systemd/network.conf $(DESTDIR)$(PREFIX)/share/doc/bpfwardend/network.conf
	install -D -m 0644 docs/config.md $(DESTDIR)$(PREFIX)/share/doc/bpfwardend/config.md
	for f in docs/*.md rules/README.md; do install -D -m 0644 $$f $(DESTDIR)$(PREFIX)/share/doc/bpfwarden-doc/$$f; done
	install -D -m 0644 README.md $(DESTDIR)$(PREFIX)/share/doc/bpfwarden-doc/README.md
	for f in $(wildcard packaging/siem/README.md packaging/siem/*/*); do install -D -m 0644 $$f $(DESTDIR)$(PREFIX)/share/doc/bpfwarden-doc/$$f; done
	mkdir -p $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(BUILD)/bpfwarden completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/bpfwarden
	$(BUILD)/bpfwarden completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_bpfwarden
	$(BUILD)/bpfwarden completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/bpfwarden.fish
	for s in 1 8; do for f in $(BUILD)/man/*.$$s; do [ ! -f $$f ] || install -D -m 0644 $$f $(DESTDIR)$(PREFIX)/share/man/man$$s/$${f##*/}; done; done
## make static        build/static/bpfwarden: the auditor without shared libraries, for CI images
static: $(BUILD)/static/bpfwarden
## make deb           Debian packages in build/deb (needs debhelper, scdoc)
deb:
	@packaging/deb
## make clean         remove the build folder
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -path $(BUILD)/deb -prune -o -name '*.d' -type f -print 2>/dev/null)
