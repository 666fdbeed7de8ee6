# shellcheck shell=bash
# Helm and the runner of the chart's unit tests, built from source into the cache, once a version.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$ROOT/test/cluster/lib/common.sh"
source "$ROOT/test/cluster/lib/tools.sh"
PATH=$ROOT/node_modules/.bin:$PATH

HELM_UNITTEST=1.1.2

# Its go.mod has replacements, which `go install` refuses from outside.
make_helm_unittest() {
  local module
  module=$(go mod download -json "github.com/helm-unittest/helm-unittest@v$HELM_UNITTEST" |
    sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  CGO_ENABLED=0 go -C "$module" build -trimpath -ldflags '-s -w' -o "$PWD/helm-unittest" ./cmd/helm-unittest
}

need_helm() {
  mkdir -p "$BIN"
  built "helm-$HELM" '2 minutes' make_helm
}

need_helm_unittest() {
  mkdir -p "$BIN"
  built "helm-unittest-$HELM_UNITTEST" '2 minutes' make_helm_unittest
}
