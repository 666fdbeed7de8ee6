# shellcheck shell=bash
# The same cluster where a Docker engine answers.

KIND=0.33.0

kind() {
  if type -P kind >/dev/null; then
    command kind "$@"
  else
    go run "sigs.k8s.io/kind@v$KIND" "$@"
  fi
}

kind_up() {
  mkdir -p "$STATE"
  if kind get clusters 2>/dev/null | grep -qx vivarium; then
    say "the kind cluster is up already"
    kind export kubeconfig --name vivarium --kubeconfig "$KUBECONFIG" 2>/dev/null
  else
    kind create cluster --config "$HERE/../../kind-config.yaml" --kubeconfig "$KUBECONFIG" --wait 120s
  fi
}

kind_down() {
  kind delete cluster --name vivarium --kubeconfig "$KUBECONFIG"
  rm -rf "$STATE"
}
