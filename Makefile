# gallop: one non-recursive Makefile.
#
#   make                build/gallop            make demo      everything, from packages to results
#   make test           all tests               make check     those that need no root
#   make bench          what it costs           make lint      style, static checks
#   make kernels        other kernels than this one, in an emulator
#   make accuracy       how right estimates are make soak      an hour under changing load
#   make install        DESTDIR= PREFIX= BINDIR= MANDIR= honoured
#   make dist           a static binary, a tarball and a Debian package, the same wherever they are made
#   make check-dist     that they are, and a container image as the Dockerfile makes it
#
# Switches: O=DIR (output directory), V=1 (show commands), DEBUG=1, SAN=address,undefined, STATIC=1,
# ARCH=arm64 (for another machine than this one: see 'for another machine').
# Outputs are only in $(O). Dependencies are exact (-MMD -MP); changed flags rebuild.

ARCH := $(shell uname -m)
O ?= build$(if $(CROSS),/$(ARCH))
V ?= 0
DEBUG ?= 0
SAN ?=
STATIC ?= 0
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
CC ?= gcc
CLANG ?= clang
BPFTOOL ?= bpftool
LLVM_STRIP ?= llvm-strip
VERSION := 0.1.0
DATE := 2026-11-25

# Debian keeps bpftool in sbin, which is not on everybody's PATH.
export PATH := $(PATH):/usr/sbin:/sbin

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

ifeq ($(V),1)
  Q :=
  msg = @:
else
  Q := @
  msg = @printf '  %-8s %s\n' "$(1)" "$(patsubst $(O)/%,%,$(2))"
endif

# --- flags ---------------------------------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Werror
# Cutting text to a buffer is what snprintf is used for; clang doesn't know the warning.
WARN += $(if $(findstring clang,$(CC)),,-Wno-format-truncation)
CPPFLAGS_ALL := -D_GNU_SOURCE -DGALLOP_VERSION='"$(VERSION)"' -DGALLOP_DATE='"$(DATE)"' -I. -Iuser -I$(O) $(CPPFLAGS)
CFLAGS_ALL := -std=gnu11 -g -fno-strict-aliasing $(WARN) $(CFLAGS)
LDFLAGS_ALL := $(LDFLAGS)
ifeq ($(DEBUG),1)
  CFLAGS_ALL += -Og -DGALLOP_DEBUG=1
else
  CFLAGS_ALL += -O2 -D_FORTIFY_SOURCE=2
endif
ifneq ($(SAN),)
  CFLAGS_ALL += -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer -U_FORTIFY_SOURCE
  LDFLAGS_ALL += -fsanitize=$(SAN)
endif

# --- for another machine -------------------------------------------------------------------------
#
# make ARCH=arm64: with Debian's cross compiler ('tools/install-deps arm64'), and libraries of that machine that are
# fetched and not installed. Always static, as only the libraries' archives are fetched; by default in build/arm64.

MACHINE := $(patsubst arm64,aarch64,$(patsubst amd64,x86_64,$(ARCH)))
CROSS := $(if $(filter-out $(shell uname -m),$(MACHINE)),$(MACHINE)-linux-gnu)
DEBIAN_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,amd64,$(MACHINE)))
AR := ar
ifneq ($(CROSS),)
  CC := $(CROSS)-gcc
  AR := $(CROSS)-ar
  override STATIC := 1
  CROSS_ROOT := $(O)/.root
  CPPFLAGS_ALL += -isystem $(CROSS_ROOT)/usr/include -isystem $(CROSS_ROOT)/usr/include/$(CROSS)
  LDFLAGS_ALL += -L$(CROSS_ROOT)/usr/lib/$(CROSS)
endif

# libbpf is always linked statically: a binary built here must run where libbpf is older.
STATIC_LIBS := -lbpf -lsqlite3 -lelf -lz -lncursesw -ltinfo -lcap-ng -lm -lpthread -ldl
ifeq ($(STATIC),1)
  LDFLAGS_ALL += -static
  LIBS := $(STATIC_LIBS)
else
  LIBS := -Wl,-Bstatic -lbpf -Wl,-Bdynamic -lsqlite3 -lelf -lz -lncursesw -ltinfo -lcap-ng -lm
endif

BPF_ARCH_x86_64 := x86
BPF_ARCH_aarch64 := arm64
BPF_ARCH := $(BPF_ARCH_$(MACHINE))
ifeq ($(BPF_ARCH),)
  $(error gallop does not know the architecture '$(ARCH)')
endif
BPFFLAGS := -target bpf -mcpu=v3 -g -O2 -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter \
	-D__TARGET_ARCH_$(BPF_ARCH) -Ivmlinux/$(BPF_ARCH) -I.
# Their debug information is loaded with them: it must not tell where they were built.
BPFFLAGS += -fdebug-compilation-dir=.

# --- sources -------------------------------------------------------------------------------------

USER_SRCS := $(sort $(wildcard user/*/*.c))
USER_OBJS := $(USER_SRCS:%.c=$(O)/%.o)
MAIN_OBJ := $(O)/user/main.o
BPF_SRCS := $(sort $(wildcard bpf/*.bpf.c))
# The owner of the shared maps goes first: libbpf's linker wants a definition before its uses.
BPF_SRCS := bpf/maps.bpf.c $(filter-out bpf/maps.bpf.c,$(BPF_SRCS))
BPF_OBJS := $(BPF_SRCS:%.bpf.c=$(O)/%.bpf.o)
SKEL := $(O)/gallop.skel.h
UNIT_SRCS := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BINS := $(UNIT_SRCS:%.c=$(O)/%)
FUZZ_SRCS := $(sort $(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all
all: $(O)/gallop

# A changed command line rebuilds, and a file that came or went links again: a stamp changes only when
# what it holds does.
$(O)/.flags: NOW = $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) $(LIBS) $(CLANG) $(BPFFLAGS)
$(O)/.sources: NOW = $(USER_SRCS) $(BPF_SRCS)
$(O)/.flags $(O)/.sources: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(NOW))' | cmp -s - $@ || echo '$(subst ','\'',$(NOW))' > $@
.PHONY: FORCE
FORCE:

# A missing tool is named with its package, before the compiler can say something less helpful.
$(O)/.tools: tools/install-deps
	@mkdir -p $(@D)
	@for t in $(CC):gcc$(if $(CROSS),-$(MACHINE)-linux-gnu) $(CLANG):clang $(LLVM_STRIP):llvm $(BPFTOOL):bpftool; do \
		command -v $${t%%:*} >/dev/null || { \
		echo "make: '$${t%%:*}' is missing (package $${t##*:}): run 'sudo tools/install-deps$(if $(CROSS), $(DEBIAN_ARCH))'" >&2; exit 1; }; done
	@touch $@

ifneq ($(CROSS),)
$(CROSS_ROOT): tools/cross-root $(O)/.tools
	@mkdir -p $(@D)
	$(Q)root=$$(tools/cross-root $(DEBIAN_ARCH)) && ln -sfn "$$root" $@

$(USER_OBJS) $(MAIN_OBJ): | $(CROSS_ROOT)
endif

# --- rules ---------------------------------------------------------------------------------------

$(O)/%.bpf.o: %.bpf.c $(O)/.flags $(O)/.tools
	$(call msg,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPFFLAGS) -MMD -MP -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

$(O)/gallop.bpf.o: $(BPF_OBJS) $(O)/.sources Makefile
	$(call msg,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $(BPF_OBJS)

$(SKEL): $(O)/gallop.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name gallop_bpf > $@

$(filter $(O)/user/probe/%,$(USER_OBJS)): | $(SKEL)

# The HTML page, but for its data.
$(O)/page/.made: $(wildcard user/render/page/*) tools/html-page
	$(call msg,PAGE,$@)
	$(Q)tools/html-page user/render/page $(@D) && touch $@

$(O)/user/render/html_page.o: $(O)/page/.made

$(O)/%.o: %.c $(O)/.flags
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(O)/libgallop.a: $(USER_OBJS) $(O)/.sources
	$(call msg,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(USER_OBJS)

$(O)/gallop: $(MAIN_OBJ) $(O)/libgallop.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# The same objects in a file that needs nothing else.
$(O)/gallop-static: $(MAIN_OBJ) $(O)/libgallop.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -static -o $@ $^ $(STATIC_LIBS)

# Programs of the kernel's, run on the host: tests/kernel/ stands for the kernel.
$(O)/tests/unit/test_op_bpf.o $(O)/tests/unit/test_op_windows_bpf.o: CPPFLAGS_ALL += -Itests/kernel

$(O)/tests/unit/%: $(O)/tests/unit/%.o $(O)/libgallop.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

# The C half of a live test; tests/live/*.t build what they need.
$(O)/tests/live/%: $(O)/tests/live/%.o $(O)/libgallop.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

-include $(wildcard $(O)/user/*.d $(O)/user/*/*.d $(O)/bpf/*.d $(O)/tests/*/*.d)
.SECONDARY:

# --- tests ---------------------------------------------------------------------------------------
#
# Unit tests and the replay of the fuzzers' corpora run under the sanitizers, in a tree of their own. The
# corpora are replayed without them too, where memory can be measured; live tests run the real binary, as
# root.

SAN_TREE := $(O)/san
FUZZ_REPLAYS := $(FUZZ_SRCS:%.c=$(O)/%.replay)
FUZZERS := $(FUZZ_SRCS:%.c=$(O)/%)
UNIT_SCRIPTS := $(sort $(wildcard tests/unit/*.t))
# The longest first, beside which the others run.
LIVE_TESTS := tests/live/soak.t $(sort $(filter-out %/soak.t,$(wildcard tests/live/*.t)))

$(O)/tests/fuzz/%.replay: $(O)/tests/fuzz/%.o $(O)/tests/fuzz/show.o $(O)/tests/fuzz/replay.o $(O)/libgallop.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

.PHONY: test-binaries
test-binaries: $(UNIT_BINS) $(FUZZ_REPLAYS)

# Everything, on a machine that has git, make and apt: first what the tests need is installed.
.PHONY: test
test:
	tools/install-deps test
	tools/go-toolchain fetch >/dev/null
	$(MAKE) --no-print-directory -j$$(nproc) tested
	$(MAKE) --no-print-directory run-tests

SAN_TESTS := $(patsubst $(O)/%,$(SAN_TREE)/%,$(UNIT_BINS) $(FUZZ_REPLAYS))
CHECKS := $(SAN_TESTS) $(FUZZ_REPLAYS) $(UNIT_SCRIPTS)

.PHONY: san-tests
san-tests:
	$(Q)$(MAKE) --no-print-directory O=$(SAN_TREE) SAN=address,undefined test-binaries

# What the tests are of, which many CPUs build at once: they themselves count on being one or two at a time.
.PHONY: tested
tested: all san-tests $(FUZZ_REPLAYS)

.PHONY: run-tests
run-tests: tested
	$(Q)fixtures=$$(tools/go-fixtures) && \
		GALLOP=$(abspath $(O)/gallop) GALLOP_FIXTURES=$$fixtures GALLOP_TREE=$(abspath $(SAN_TREE)) \
		tests/run $(CHECKS) $(LIVE_TESTS)

# What needs no root and no Go program.
.PHONY: check
check: all san-tests $(FUZZ_REPLAYS)
	$(Q)GALLOP=$(abspath $(O)/gallop) GALLOP_TREE=$(abspath $(SAN_TREE)) tests/run $(CHECKS)

# As root. Many runs against programs that know the truth: hours, see tests/accuracy/run; fewer with ACCURACY_SEEDS=5.
.PHONY: accuracy
accuracy: all
	$(Q)GALLOP=$(abspath $(O)/gallop) GALLOP_TREE=$(abspath $(O)) tests/accuracy/run

# As root. The same that is a part of the tests, for an hour.
SOAK_SECONDS ?= 3600
.PHONY: soak
soak: all
	$(Q)GALLOP=$(abspath $(O)/gallop) SOAK_SECONDS=$(SOAK_SECONDS) tests/live/soak.t

# As root. Every table and buffer filled on purpose, those that take a minute as well; and gallop coming and going a
# thousand times in all its modes, under a program that checks its own work: half an hour.
.PHONY: stress
stress: all
	$(Q)GALLOP=$(abspath $(O)/gallop) STRESS_ALL=1 tests/live/stress.t

ROUNDS ?= 1000
.PHONY: rounds
rounds: all
	$(Q)GALLOP=$(abspath $(O)/gallop) GALLOP_TEST_ROUNDS=$(ROUNDS) HARM_MODES="auto exact maps gc op" tests/live/harm.t

# Kernels of Debian's, booted in an emulator with a static gallop: some minutes, see tests/kernels/matrix.t. Needs no root
# but to install what it needs.
KERNELS_TREE := $(O)/static
.PHONY: kernels
kernels:
	tools/install-deps kernels
	$(MAKE) --no-print-directory O=$(KERNELS_TREE) STATIC=1 all
	$(MAKE) --no-print-directory O=$(KERNELS_TREE)-arm64 ARCH=arm64 all
	$(Q)GALLOP=$(abspath $(KERNELS_TREE)/gallop) GALLOP_ARM64=$(abspath $(KERNELS_TREE)-arm64/gallop) \
		tests/kernels/matrix.t

# Each fuzzer in turn for FUZZ_SECONDS, FUZZ=name for one of them; what crashes belongs into tests/fuzz/corpus. What has
# been found to lead somewhere else is kept in $(O)/fuzz/corpus; the smallest set of that which reaches as much, of short
# inputs, is taken into the tree by `make fuzz-corpora`.
FUZZ_SECONDS ?= 3600
FUZZ_TREE := $(O)/fuzz
FUZZ ?= $(FUZZ_SRCS:tests/fuzz/fuzz_%.c=%)
FUZZ_LEN_MAX ?= 400
FUZZ_BINARY := gobin recording

$(O)/tests/fuzz/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(O)/tests/fuzz/show.o $(O)/libgallop.a
	$(call msg,FUZZER,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(LIBS)

.PHONY: fuzzers
fuzzers:
	$(Q)$(MAKE) --no-print-directory O=$(FUZZ_TREE) CC=$(CLANG) SAN=address,undefined \
		CFLAGS=-fsanitize=fuzzer-no-link $(FUZZ:%=$(FUZZ_TREE)/tests/fuzz/fuzz_%)

.PHONY: fuzz
fuzz: fuzzers
	$(Q)for f in $(FUZZ); do \
		mkdir -p $(FUZZ_TREE)/corpus/$$f; \
		$(FUZZ_TREE)/tests/fuzz/fuzz_$$f -max_total_time=$(FUZZ_SECONDS) -timeout=30 -rss_limit_mb=768 \
			-artifact_prefix=$(FUZZ_TREE)/$$f- $(FUZZ_TREE)/corpus/$$f tests/fuzz/corpus/$$f || exit 1; done

.PHONY: fuzz-corpora
fuzz-corpora: fuzzers
	$(Q)for f in $(filter-out $(FUZZ_BINARY),$(FUZZ)); do \
		$(FUZZ_TREE)/tests/fuzz/fuzz_$$f -merge=1 -max_len=$(FUZZ_LEN_MAX) tests/fuzz/corpus/$$f \
			$(FUZZ_TREE)/corpus/$$f || exit 1; done

.PHONY: bench
bench:
	tools/install-deps bench
	$(MAKE) --no-print-directory run-bench

$(O)/tests/bench/%: $(O)/tests/bench/%.o
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

.PHONY: run-bench
run-bench: all $(O)/tests/bench/empty $(O)/tests/bench/empty.bpf.o $(O)/tests/live/html_stacks
	$(Q)GALLOP=$(abspath $(O)/gallop) GALLOP_TREE=$(abspath $(O)) tests/bench/run

.PHONY: lint
lint: $(SKEL)
	$(Q)tools/lint

# --- for people ----------------------------------------------------------------------------------

.PHONY: demo
demo:
	tools/install-deps
	$(MAKE) --no-print-directory all
	$(Q)GALLOP=$(abspath $(O)/gallop) tools/demo

# All pages at once, of which gallop.1 is one.
$(O)/man/gallop.1: $(O)/gallop
	$(call msg,MAN,$@)
	$(Q)rm -rf $(@D) && mkdir -p $(@D)
	$(Q)$< man --directory $(@D)

.PHONY: install
ifneq ($(CROSS),)
install:
	@echo "make: what is built for $(MACHINE) can't be installed here ('make dist' makes a binary to copy)" >&2; exit 1
else
install: $(O)/gallop $(O)/man/gallop.1
	install -D -m 755 $(O)/gallop $(DESTDIR)$(BINDIR)/gallop
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man1 $(O)/man/*.1
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(O)/gallop completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/gallop
	$(O)/gallop completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_gallop
	$(O)/gallop completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/gallop.fish
endif

# What gallop needs to be used without root (README.md, "Without root"), on the installed binary, or else on the one built here.
# Whoever may run it then can look into every process: GROUP=adm lets only that group.
SETCAP := cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search=ep
SETCAP_BIN ?=
.PHONY: setcap
setcap: $(O)/gallop
	@command -v setcap >/dev/null || { echo "make: 'setcap' is missing (package libcap2-bin)" >&2; exit 1; }
	@set -e; bin='$(SETCAP_BIN)'; \
	[ -n "$$bin" ] || bin='$(DESTDIR)$(BINDIR)/gallop'; \
	[ -e "$$bin" ] || [ -n '$(SETCAP_BIN)' ] || bin='$(O)/gallop'; \
	$(if $(GROUP),chgrp '$(GROUP)' "$$bin"; chmod 750 "$$bin";) \
	setcap '$(SETCAP)' "$$bin"; getcap "$$bin"

# Also of pages whose command is no more.
.PHONY: uninstall
uninstall:
	rm -f $(DESTDIR)$(BINDIR)/gallop $(DESTDIR)$(MANDIR)/man1/gallop.1 $(DESTDIR)$(MANDIR)/man1/gallop-*.1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/gallop \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_gallop \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/gallop.fish

# --- to give away --------------------------------------------------------------------------------
#
# Equal sources make equal files, bit by bit, with the same compilers: no time but that of the last commit is in them, and no
# directory. DIST_MACHINES: for each a static binary; the Debian package is for the machine that builds.

DIST := $(O)/dist
DIST_MACHINES ?= $(if $(filter x86_64,$(shell uname -m)),x86_64 aarch64,$(shell uname -m))
DIST_TREES := $(DIST_MACHINES:%=$(DIST)/.%)
DIST_FLAGS := CFLAGS="-fstack-protector-strong -ffile-prefix-map=$(CURDIR)=." LDFLAGS="-Wl,-z,relro,-z,now"
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2> /dev/null || date -u -d $(DATE) +%s)

.PHONY: dist
dist:
	tools/install-deps dist
	$(MAKE) --no-print-directory dist-files

.PHONY: $(DIST_TREES)
$(DIST_TREES):
	$(Q)$(MAKE) --no-print-directory O=$@ ARCH=$(@:$(DIST)/.%=%) $(DIST_FLAGS) $@/gallop $@/gallop-static

.PHONY: dist-files
dist-files: $(DIST_TREES)
	$(Q)rm -rf $(DIST)/.root
	$(Q)$(MAKE) --no-print-directory O=$(DIST)/.$(shell uname -m) ARCH=$(shell uname -m) $(DIST_FLAGS) DESTDIR=$(DIST)/.root PREFIX=/usr install > /dev/null
	$(Q)SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) tools/dist $(VERSION) $(DIST) $(DIST_MACHINES)

.PHONY: check-dist
check-dist:
	tools/install-deps check-dist
	tools/go-toolchain fetch > /dev/null
	$(MAKE) --no-print-directory dist-files
	$(Q)GALLOP=$(abspath $(DIST)/.$(shell uname -m)/gallop-static) GALLOP_DIST=$(abspath $(DIST)) \
		tests/run tests/dist/dist.t tests/dist/image.t

.PHONY: clean
clean:
	rm -rf $(O)
