# shellcheck shell=bash
# Builds without a Docker engine: buildah, on stand-ins for the base images, into an archive in the cache.

# archive_image NAME ARCHIVE
archive_image() {
  install_packages buildah debootstrap debian-archive-keyring
  if [[ $1 != server ]]; then load_base PYTHON_BASE; fi
  if [[ $1 != sandbox ]]; then load_base NODE_BASE; fi
  say "building vivarium-$1:$VERSION"
  logged "$IMAGES/$1.log" buildah_build "$1" "$2"
}

buildah_build() {
  local secrets=() bundle=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
  [[ ! -f $bundle ]] || secrets=(--secret "id=ca,src=$bundle")
  in_storage bud --pull-never --layers --isolation chroot --format docker "${secrets[@]}" \
    --build-arg "VERSION=$VERSION" --ignorefile "images/$1/Dockerfile.dockerignore" \
    --file "images/$1/Dockerfile" --tag "vivarium-$1:$VERSION" "$ROOT"
  rm -f "$IMAGES/vivarium-$1"-*.tar
  in_storage push "vivarium-$1:$VERSION" "docker-archive:$2.partial:docker.io/library/vivarium-$1:$VERSION"
  mv "$2.partial" "$2"
}

# With mounts of its own, so that none is left behind.
in_storage() {
  (cd "$ROOT" && unshare --mount buildah --root "$IMAGES/storage" --runroot "$IMAGES/run" "$@")
}

# load_base PYTHON_BASE|NODE_BASE: once, and again when the recipe has changed
load_base() {
  local name=${!1} made
  made=$IMAGES/$1-$(sha256sum <"$ROOT/images/lib/bases.sh" | cut -c1-12)
  [[ ! -f $made ]] || return 0
  say "making a stand-in for $name (about 1 minute)"
  if [[ ! -d $IMAGES/$DEBIAN ]]; then logged "$IMAGES/debian.log" make_debian; fi
  logged "$IMAGES/$1.log" "make_${1,,}" "$IMAGES/base.tar"
  logged "$IMAGES/$1.log" in_storage pull "docker-archive:$IMAGES/base.tar"
  rm "$IMAGES/base.tar"
  rm -f "$IMAGES/$1"-*
  touch "$made"
}
