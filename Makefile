# Every target works on a fresh machine: what it needs, it installs or builds, and says so.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vivarium
export PATH := $(CURDIR)/node_modules/.bin:$(CACHE)/bin:$(PATH):$(CACHE)/cluster/bin

RELEASE   ?= vivarium
NAMESPACE ?= vivarium

.PHONY: help run test check bench cluster cluster-down images install generate verify deps sandbox-deps

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

run: deps sandbox-deps ## Start the server on 127.0.0.1:8000, run one execution through MCP, keep serving
	@scripts/ensure uv >/dev/null || echo "warning: there is no uv: here the server refuses requirements" >&2
	@node scripts/run.ts

test: deps sandbox-deps ## Everything, from lint to end-to-end tests on a real cluster
	@scripts/ensure openssl uv >/dev/null
	@node test/all.ts

check: deps ## Types, lint and unit tests
	@node test/all.ts --fast

bench: deps ## Measure it beside what one would use instead, half an hour: bench/REPORT.md (BENCH=quick: a first look)
	@scripts/ensure python3-venv
	@node bench/main.ts $(if $(filter quick,$(BENCH)),--quick)

cluster: ## Start a cluster for tests (kind, or built from source) and print its KUBECONFIG
	@test/cluster/up

cluster-down: ## Stop that cluster and leave nothing behind
	@test/cluster/down

images: ## Build the images and load them into the cluster
	@images/build

install: ## Install the chart into the current cluster, wait, print the MCP URL
	@scripts/install $(RELEASE) $(NAMESPACE)

generate: deps ## Write what is generated: tables, chart parts, manifests
	@scripts/generate

verify: generate ## Generate, then fail if anything differs from what is committed
	git diff --exit-code

deps: node_modules/.package-lock.json

node_modules/.package-lock.json: package-lock.json
	@scripts/ensure npm
	@echo "==> installing the packages of package-lock.json"
	@npm ci --no-fund --no-audit --loglevel=error
	@touch $@

sandbox-deps:
	@scripts/ensure bwrap python3 >/dev/null
