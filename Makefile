# The project's own commands. `make demo` and `make test` need Go and git only; see README.md.
SHELL   := /bin/bash
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
GO      := go
# gcc is only needed for the race detector.
RACE     = $(shell command -v gcc >/dev/null 2>&1 && echo -race)

.PHONY: build demo test test-deps lint fuzz bench dist lab-full tidy-check

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/phalops ./cmd/phalops

demo: build
	./bin/phalops demo $(ARGS)

# Installs nothing unless CI=true; names what it skips and why.
test: $(if $(filter true,$(CI)),test-deps)
	@if [ -z "$(RACE)" ]; then echo "gcc is missing: testing without the race detector (make test-deps installs it)"; fi
	$(GO) vet ./...
	$(GO) test $(RACE) -timeout 20m ./...
	@if [ "$(CI)" != true ]; then scripts/skipped.sh; fi

test-deps:
	scripts/test-deps.sh

lint:
	$(GO) tool -modfile=tools/go.mod golangci-lint run ./...

# Two minutes for each parser of foreign bytes.
fuzz:
	scripts/fuzz.sh 2m

# Targets stand beside the results (docs/benchmarks.md); about ten minutes. polkadot-js is measured where make test-deps has put it.
bench:
	$(GO) run ./bench
	$(GO) test -run '^$$' -bench . -benchmem $$(grep -rl --include='*_test.go' '^func Benchmark' internal | xargs -n1 dirname | sort -u | sed 's|^|./|')

# Every real-machine crash boundary; long.
lab-full:
	PHALOPS_LAB=full $(GO) test -timeout 60m -run Lab ./...

dist:
	scripts/dist.sh $(VERSION)

tidy-check:
	$(GO) mod tidy -diff && $(GO) mod verify
