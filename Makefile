# Two commands do all the set-up: make demo, make test.

GO       ?= go
BIN      := bin/cleversender
FUZZTIME ?= 20s
BENCH    ?= import append rebuild send track export erase

.PHONY: build demo test test-crash test-cluster test-stress check bench fuzz golden clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/cleversender

# make demo EXIT=1 ends after the story, with exit code 0 when everything held.
demo: build
	$(BIN) demo $(if $(EXIT),--exit)

# EVENTSTOREDB_URL names a real EventStoreDB for the log's tests to run on too.
# The race detector needs a C compiler, the dashboard's tests need Chromium, what
# is kept in PostgreSQL needs PostgreSQL, and signed mail goes through a real
# server where it can be installed. What the race detector has found it says at
# once; otherwise every process that a test starts would end a second late.
test:
	.ci/need gcc chromium postfix python3-dkim postgresql
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=10 $(GO) test -race ./...

# A campaign whose server is killed (kill -9) ten times on the way; the last lines say what came of it.
CRASH ?= -crash.recipients 100000 -crash.kills 10
test-crash:
	$(GO) test -count 1 -v -timeout 30m -run TestCrash ./cmd/cleversender $(CRASH)

# Three nodes on one PostgreSQL, killed, paused and cut off on the way; the last lines say what came of it.
CLUSTER ?= -cluster.recipients 100000 -cluster.blows 15
test-cluster:
	.ci/need postgresql
	$(GO) test -count 1 -v -timeout 30m -run 'TestCluster$$' ./cmd/cleversender $(CLUSTER)

# People change their minds at random while a campaign is sent, a hundred times over.
test-stress:
	$(GO) test -count 1 -v -run TestRevocationStress ./adapters/sending -stress.seeds 100

check:
	.ci/check

# One JSON object a line. make bench BENCH=import SIZE=100000
bench: build
	@for name in $(BENCH); do $(BIN) bench $$name --json $(if $(SIZE),--size $(SIZE)) || exit 1; done

# Every fuzz test for FUZZTIME.
fuzz:
	.ci/fuzz $(FUZZTIME)

# Golden files of new event versions, and the demo's contact list. What exists
# of an event's golden files is never changed.
golden:
	$(GO) test ./domain/catalog ./cmd/cleversender/demo -update

clean:
	rm -rf bin
