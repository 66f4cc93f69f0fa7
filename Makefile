# ldms - one executable.  `make`, `make check`, `make demo`, `make install PREFIX=/usr DESTDIR=...`
#
# Variables (command line, environment or config.mk): CC CFLAGS LDFLAGS PREFIX SYSCONFDIR DESTDIR
#   SAN=address,undefined | thread   build with sanitizers, in a build folder of its own
#   STATIC=1                         a fully static executable
#   V=1                              print the commands
#   WITH_SQLITE=no                   without the embedded store, also where it could be had
#   T=word                           `make check`: only tests with that word in their name
#   PEER=DIR TADA=HOST:PORT          `make conformance`: with the ldmsd installed there, too; report to a TADA server
#   PEER=DIR BENCH="--quick ..."     `make bench`: beside the ldmsd installed there; more options
#   N=1000 PEER=DIR SCALE="..."      `make scale`: so many producers

-include config.mk

PREFIX ?= /usr/local
SYSCONFDIR ?= $(PREFIX)/etc
CC     ?= cc
SAN    ?=
STATIC ?=
V      ?=
JOBS   ?= $(shell nproc)
T      ?=

Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)	$(2)" &&)
empty :=
space := $(empty) $(empty)
comma := ,
B := build$(if $(SAN),/$(subst $(comma),-,$(SAN)))$(if $(STATIC),/static)

VERSION  := $(shell cat VERSION)
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-parameter
CFLAGS   ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -I. -DLDMS_VERSION='"$(VERSION)"' -DLDMS_SYSCONFDIR='"$(SYSCONFDIR)"' $(if $(STATIC),-DLDMS_STATIC)
ALL_CFLAGS  := -std=gnu11 $(WARN) $(CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
ALL_LDFLAGS := $(LDFLAGS) $(if $(SAN),-fsanitize=$(SAN)) $(if $(filter thread,$(SAN)),-u thrd_create) $(if $(STATIC),-static)

# Libraries whose archive is there are linked in: the executable then needs only libc at run time.
archive = $(if $(wildcard $(shell $(CC) -print-file-name=lib$(1).a)),-l:lib$(1).a,-l$(1))
LIBS := $(call archive,ev) $(call archive,nettle) $(call archive,jansson) $(call archive,yaml) -lm -lpthread $(if $(STATIC),$(call archive,munge))
# The prompt of `ldms ctl` edits lines where libedit's archive is there, and reads them plainly where not.
EDIT := $(foreach l,edit tinfo bsd md,$(wildcard $(shell $(CC) -print-file-name=lib$(l).a)))
ifeq ($(words $(EDIT)),4)
CPPFLAGS += -DHAVE_LIBEDIT
LIBS     += $(EDIT)
endif
# The embedded store, and `ldms query`, where sqlite's header is there.
WITH_SQLITE ?= $(shell echo '\#include <sqlite3.h>' | $(CC) -E - >/dev/null 2>&1 && echo yes)
ifeq ($(WITH_SQLITE),yes)
CPPFLAGS += -DHAVE_SQLITE
LIBS     += $(call archive,sqlite3) -lm -ldl
endif

SRCS := $(sort $(wildcard core/base/*.c core/set/*.c core/daemon/*.c core/ctl/*.c core/maestro/*.c core/cluster/*.c xprt/*.c plugins/*.c store/*.c cmd/*.c))
OBJS := $(SRCS:%.c=$(B)/%.o)
LIB  := $(B)/libldms.a
BIN  := $(B)/ldms

UNIT_SRCS := $(sort $(wildcard tests/unit/*.c))
UNITS     := $(UNIT_SRCS:tests/unit/%.c=$(B)/tests/unit/%)
FUZZ_SRCS := $(sort $(wildcard tests/fuzz/*.c))
FUZZERS   := $(FUZZ_SRCS:tests/fuzz/%.c=$(B)/fuzz/%)
MAN       := $(wildcard man/*.[1-9])
# The programs whose place it takes when it is called by their names: links; `make install OLD_NAMES=` makes none.
OLD_NAMES ?= $(shell grep -v define cmd/old.c | grep -o 'ROW([a-z_]*)' | sed 's/ROW(\(.*\))/\1/')

.PHONY: all check conformance demo deps install clean fuzz fuzz-run bench format lint man units soak scale
all: $(BIN)

$(BIN): $(B)/ldms.o $(LIB)
	$(call say,LD,$@) $(CC) $(ALL_LDFLAGS) -o $@ $(B)/ldms.o $(LIB) $(LIBS)

$(LIB): $(OBJS)
	$(call say,AR,$@) rm -f $@ && $(AR) rcs $@ $(OBJS)

$(B)/%.o: %.c VERSION | $(B)/.deps-ok
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Say what is missing before the compiler does.
$(B)/.deps-ok: tests/deps.sh
	@mkdir -p $(B)
	@CC="$(CC)" sh tests/deps.sh have build || { echo "run: make deps (as root or with sudo)" >&2; exit 1; }
	@touch $@

deps:
	@sh tests/deps.sh install build edit test

# Brokers of Kafka in a process, where librdkafka's headers are there
KAFKA_MOCK := $(if $(shell echo '\#include <librdkafka/rdkafka_mock.h>' | $(CC) -E - >/dev/null 2>&1 && echo yes),$(B)/tests/kafka/mock)

units: $(UNITS) $(KAFKA_MOCK) $(B)/tests/soak/soak $(B)/tests/bench/producers $(B)/tests/bench/sqlite_fill
$(B)/tests/unit/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	$(call say,CCLD,$@) $(CC) $(CPPFLAGS) $(ALL_CFLAGS) -Itests/unit -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(LIB) -lcmocka $(LIBS)

$(B)/tests/kafka/mock: tests/kafka/mock.c
	@mkdir -p $(@D)
	$(call say,CCLD,$@) $(CC) $(CPPFLAGS) -std=gnu11 $(WARN) -O2 -o $@ $< -lrdkafka

# Masses of peers against one daemon; the cycles run on a sanitized one.  SOAK="--connections 10000 ..."
SOAK ?=
$(B)/tests/soak/soak: tests/soak/soak.c $(LIB)
	@mkdir -p $(@D)
	$(call say,CCLD,$@) $(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(LIB) $(LIBS)
soak: all $(B)/tests/soak/soak
	@$(MAKE) --no-print-directory SAN=address,undefined all
	@LDMS_BUILD="$(B)" python3 tests/soak/soak.py $(SOAK)

# One aggregator of N producers, and two levels of them, beside an installed ldmsd: SCALE="--only two ..."
N     ?= 10000
SCALE ?=
$(B)/tests/bench/producers: tests/bench/producers.c $(LIB)
	@mkdir -p $(@D)
	$(call say,CCLD,$@) $(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -Wl,--wrap=set_copy -o $@ $< $(LIB) $(LIBS)
$(B)/tests/bench/sqlite_fill: tests/bench/sqlite_fill.c $(LIB)
	@mkdir -p $(@D)
	$(call say,CCLD,$@) $(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(LIB) $(LIBS)
scale: all $(B)/tests/bench/producers
	@LDMS_BUILD="$(B)" python3 tests/bench/scale.py -n $(N) $(if $(PEER),--peer $(PEER)) $(SCALE)

check:
	@sh tests/deps.sh install build edit test
	@! sh tests/vm.sh wanted || sh tests/deps.sh install vm || echo "going on without the small virtual machine"
	@sh tests/deps.sh install cluster || true
	@sh tests/deps.sh install sinks || true
	@sh tests/deps.sh install kafka || true
	@$(MAKE) --no-print-directory -j$(JOBS) all units
	@SAN="$(SAN)" BUILD="$(B)" T="$(T)" sh tests/check.sh

# LDMS's own tests, ours in every role, and each role played by an installed ldmsd: make conformance PEER=/usr/local
# TADA=HOST:PORT tells a TADA server
conformance: all
	@LDMS_BUILD="$(B)" python3 tests/integration/conformance.py $(if $(PEER),--peer $(PEER)) $(if $(TADA),--tada $(TADA))

demo:
	@sh tests/deps.sh install build edit
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@BUILD="$(B)" sh tests/demo.sh

# libFuzzer targets want clang; `make fuzz-run RUNS=5000000` runs each that often on its corpus.
RUNS ?= 20000
FUZZ_SAN   := fuzzer,address,undefined
FUZZ_CC    := clang $(CPPFLAGS) -std=gnu11 -g -O1 -Itests/fuzz -fsanitize=$(FUZZ_SAN) -fno-sanitize-recover=undefined
FUZZ_OBJS  := $(SRCS:%.c=$(B)/fuzz/obj/%.o)
.SECONDARY: $(FUZZ_OBJS)
fuzz: $(FUZZERS)
$(B)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZCC,$<) $(FUZZ_CC) -MMD -MP -c -o $@ $<
$(B)/fuzz/%: tests/fuzz/%.c $(FUZZ_OBJS)
	$(call say,FUZZ,$@) $(FUZZ_CC) -MMD -MP -o $@ $< $(FUZZ_OBJS) $(LIBS)
fuzz-run: fuzz
	@RUNS=$(RUNS) BUILD="$(B)" sh tests/fuzz/run.sh

# What it costs, beside an installed ldmsd: make bench PEER=/usr/local; BENCH="--quick --only samplers"
PEER  ?=
BENCH ?=
bench: all
	@LDMS_BUILD="$(B)" python3 tests/bench/bench.py $(if $(PEER),--peer $(PEER)) $(BENCH)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man $(DESTDIR)$(PREFIX)/include/ldms
	install -m 644 plugins/sampler.h $(DESTDIR)$(PREFIX)/include/ldms/
	install -m 644 store/plugin.h $(DESTDIR)$(PREFIX)/include/ldms/store.h
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/ldms
	for n in $(OLD_NAMES); do ln -sf ldms $(DESTDIR)$(PREFIX)/bin/$$n; done
	for m in $(MAN); do s=$${m##*.}; install -d $(DESTDIR)$(PREFIX)/share/man/man$$s; install -m 644 $$m $(DESTDIR)$(PREFIX)/share/man/man$$s/; done

format:
	clang-format -i $$(git ls-files '*.[ch]')

# The parts of the manuals that the tables of verbs, samplers and stores make
man: all
	@sh man/refresh.sh "$(CURDIR)/$(BIN)"

lint:
	@for m in $(MAN); do mandoc -Tlint -W warning $$m || exit 1; done

clean:
	rm -rf build

-include $(OBJS:.o=.d) $(UNITS:=.d) $(FUZZ_OBJS:.o=.d) $(FUZZERS:=.d) $(B)/tests/soak/soak.d $(B)/tests/bench/producers.d
