# shellcheck shell=bash
# Stand-ins for the base images that the Dockerfiles name, for machines that reach no image registry:
# Debian's own Python, and the Node that npm ships, under the same names.

DEBIAN=trixie
NODE=24.21.0
NPM=11.21.2
PYTHON_BASE=docker.io/library/python:3.13-slim-trixie
NODE_BASE=docker.io/library/node:24-trixie-slim

make_debian() {
  local root=$IMAGES/$DEBIAN.partial
  rm -rf "$root"
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$DEBIAN" "$root"
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
  mv "$root" "$IMAGES/$DEBIAN"
}

make_python_base() { archive_base "$PYTHON_BASE" "$1" "$IMAGES/$DEBIAN"; }

make_node_base() {
  local root=$IMAGES/node
  rm -rf "$root"
  cp -a "$IMAGES/$DEBIAN" "$root"
  npm install --prefix "$IMAGES/npm" --no-save --no-audit --no-fund "node@$NODE" "npm@$NPM"
  install "$IMAGES/npm/node_modules/node/bin/node" "$root/usr/local/bin/node"
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -a "$IMAGES/npm/node_modules/npm" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  archive_base "$NODE_BASE" "$1" "$root"
  rm -rf "$root" "$IMAGES/npm"
}

# archive_base NAME OUT ROOT
archive_base() {
  tar -cf "$2.rootfs" --numeric-owner --one-file-system -C "$3" .
  docker_archive "$2.rootfs" "$1" '{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}' "$2"
  rm "$2.rootfs"
}
