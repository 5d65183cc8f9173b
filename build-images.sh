#!/usr/bin/env bash
# Builds the images: the gateway's, and one per folder of scripts/ that has a Dockerfile. Needs Docker, nothing else.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: ./build-images.sh [options] [name ...]

Builds <prefix>gateway:<tag> and <prefix><name>:<tag> for each folder of scripts/ with a Dockerfile, or only those named
("gateway" is a name too). Where there is no Node 20.19 or newer with npm, the bundles are made inside a container.

  --prefix PREFIX      of the image names          (IMAGE_PREFIX, default ingesta-)
  --tag TAG            of the images               (IMAGE_TAG, default latest)
  --node-image IMAGE   the Node to build upon      (NODE_IMAGE, default node:24-bookworm-slim)
  --ca-bundle FILE     PEM certificates that npm trusts besides its own, where the network has its own authority
  --network NETWORK    network of the build steps, as in `docker build --network`
  --help               this text

examples
  ./build-images.sh
  ./build-images.sh mysql postgresql
  ./build-images.sh --prefix pharmavida-ingesta- --tag 1.4.0
USAGE
}

say() { printf '%s\n' "$*" >&2; }
fail() { say "build-images: $*"; exit 1; }
refuse() { say "build-images: $*"; exit 64; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
prefix=${IMAGE_PREFIX:-ingesta-}
tag=${IMAGE_TAG:-latest}
node_image=${NODE_IMAGE:-node:24-bookworm-slim}
ca_bundle=
network=
names=()

while [ $# -gt 0 ]; do
  case $1 in
    --prefix | --tag | --node-image | --ca-bundle | --network)
      if [ $# -lt 2 ] || [ -z "$2" ]; then refuse "$1 needs a value (see --help)"; fi
      case $1 in
        --prefix) prefix=$2 ;;
        --tag) tag=$2 ;;
        --node-image) node_image=$2 ;;
        --ca-bundle) ca_bundle=$2 ;;
        --network) network=$2 ;;
      esac
      shift 2
      ;;
    -h | --help) usage; exit 0 ;;
    -*) refuse "unknown option $1 (see --help)" ;;
    *) names+=("$1"); shift ;;
  esac
done

# --- what there is to build

valid_name() {
  # In other locales [a-z] has capitals and accents too.
  local LC_ALL=C
  [[ $1 =~ ^[a-z][a-z0-9-]*$ ]] && [ "$1" != runs ] && [ "$1" != health ]
}

folder_of() { if [ "$1" = gateway ]; then printf '%s\n' "$root/gateway"; else printf '%s\n' "$root/scripts/$1"; fi; }

known=()
if [ -f "$root/gateway/Dockerfile" ]; then known+=(gateway); fi
for dockerfile in "$root"/scripts/*/Dockerfile; do
  [ -f "$dockerfile" ] || continue
  name=$(basename "$(dirname "$dockerfile")")
  [ "$name" != gateway ] || fail "scripts/gateway cannot be a source: its image would be the gateway's; rename the folder"
  valid_name "$name" ||
    fail "scripts/$name cannot be a source: a name is ^[a-z][a-z0-9-]*\$, and not runs or health; rename the folder"
  known+=("$name")
done
[ ${#known[@]} -gt 0 ] || fail "nothing to build in $root: neither gateway/Dockerfile nor scripts/<name>/Dockerfile"

is_known() {
  local one
  for one in "${known[@]}"; do if [ "$one" = "$1" ]; then return 0; fi; done
  return 1
}

everything=
if [ ${#names[@]} -eq 0 ]; then
  everything=1
  names=("${known[@]}")
fi
for name in "${names[@]}"; do
  valid_name "$name" || refuse "'$name' is no source name: it must match ^[a-z][a-z0-9-]*\$, and not be runs or health"
  is_known "$name" || refuse "unknown source '$name': the known ones are ${known[*]}. A new one is a folder scripts/$name with a Dockerfile"
done

if [ -n "$ca_bundle" ]; then
  [ -r "$ca_bundle" ] || refuse "--ca-bundle: cannot read $ca_bundle"
  ca_bundle=$(cd "$(dirname "$ca_bundle")" && pwd -P)/$(basename "$ca_bundle")
fi

# --- Docker

command -v docker >/dev/null 2>&1 || fail "docker is not on the PATH: install Docker, https://docs.docker.com/get-docker/"
if ! answer=$(docker version --format '{{.Server.Version}}' 2>&1); then
  case $answer in
    *"permission denied"*) fail "this user may not talk to the Docker daemon: add it to the group docker, or use sudo ($answer)" ;;
    *) fail "the Docker daemon does not answer: is Docker running? ($answer)" ;;
  esac
fi

network_args=()
if [ -n "$network" ]; then network_args=(--network "$network"); fi

scratch_folder=
ca_image=
container=
clean_up() {
  if [ -n "$container" ]; then docker rm --force "$container" >/dev/null 2>&1 || true; fi
  if [ -n "$ca_image" ]; then docker image rm "$ca_image" >/dev/null 2>&1 || true; fi
  if [ -n "$scratch_folder" ]; then rm -rf "$scratch_folder"; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- the bundles, of those programs that are made of TypeScript

host_has_node() {
  command -v npm >/dev/null 2>&1 && command -v node >/dev/null 2>&1 &&
    node -e 'const [major, minor] = process.versions.node.split("."); process.exit(+major > 20 || (+major === 20 && +minor >= 19) ? 0 : 1)'
}

# DuckDB's native library goes into the gateway's image, and npm installs it for the machine that it runs on.
host_is_like_gateway() {
  local arch=arm64 libc=glibc
  if [ "$(docker version --format '{{.Server.Arch}}')" = amd64 ]; then arch=x64; fi
  case $node_image in *alpine*) libc=musl ;; esac
  node -e '
    const own = process.report.getReport().header.glibcVersionRuntime ? "glibc" : "musl";
    const here = [process.platform, process.arch, own].join();
    process.exit(here === ["linux", ...process.argv.slice(1)].join() ? 0 : 1)' "$arch" "$libc"
}

is_bundled() {
  local one
  for one in "${bundled[@]}"; do if [ "$one" = "$1" ]; then return 0; fi; done
  return 1
}

bundle_on_host() {
  say "bundles: with Node $(node --version) of this machine"
  (
    cd "$root"
    if [ -n "$ca_bundle" ]; then export NODE_EXTRA_CA_CERTS=$ca_bundle; fi
    node --input-type=module --eval 'import { ensureInstalled } from "./install.mjs"; ensureInstalled();'
  ) || fail "npm could not install the packages; on a network with its own certificate authority pass --ca-bundle FILE"
  (cd "$root" && node build.mjs "$@" >&2) || fail "node build.mjs failed"
}

bundle_in_container() {
  say "bundles: inside a container of $node_image ($why_container)"
  local base=$node_image
  scratch_folder=$(mktemp -d "${TMPDIR:-/tmp}/ingesta-build.XXXXXX")
  # The certificates go into a base image of their own, which is thrown away: the final images never see them.
  if [ -n "$ca_bundle" ]; then
    cp "$ca_bundle" "$scratch_folder/ca.pem"
    cat >"$scratch_folder/Dockerfile" <<'DOCKERFILE'
ARG NODE_IMAGE
FROM ${NODE_IMAGE}
COPY ca.pem /etc/ingesta-ca.pem
ENV NODE_EXTRA_CA_CERTS=/etc/ingesta-ca.pem
DOCKERFILE
    ca_image=ingesta-build-base:$$
    docker build --tag "$ca_image" --build-arg "NODE_IMAGE=$node_image" "$scratch_folder" >&2 ||
      fail "could not add the certificates to $node_image"
    base=$ca_image
  fi
  # The tag stays, so that the next run takes npm's step from the cache.
  docker build ${network_args[@]+"${network_args[@]}"} --tag ingesta-build-bundles --build-arg "NODE_IMAGE=$base" \
    --build-arg "PROGRAMS=$*" --file "$root/build/bundles.Dockerfile" "$root" >&2 ||
    fail "could not make the bundles in a container; npm may need --network host, or --ca-bundle FILE where the network has its own authority"
  container=$(docker create ingesta-build-bundles)
  docker cp "$container:/bundles" "$scratch_folder/" >&2
  # Through tar, not `cp -R`: modes as they are, folders merged, the same everywhere.
  (cd "$scratch_folder/bundles" && tar -cf - .) | (cd "$root" && tar -xf -)
  docker rm "$container" >/dev/null
  container=
}

bundled=()
for name in "${names[@]}"; do
  if [ -f "$(folder_of "$name")/src/main.ts" ]; then bundled+=("$name"); fi
done
# The demo's loader runs as a bundle in a plain Node image.
if [ -n "$everything" ] && [ -d "$root/demo" ]; then bundled+=(demo); fi
if [ ${#bundled[@]} -gt 0 ]; then
  why_container=
  if ! host_has_node; then why_container='no Node 20.19 or newer with npm here'
  elif is_bundled gateway && ! host_is_like_gateway; then why_container="the gateway's image is for another system than this one"
  fi
  if [ -z "$why_container" ]; then bundle_on_host "${bundled[@]}"; else bundle_in_container "${bundled[@]}"; fi
fi

# --- the images

built=()
for name in "${names[@]}"; do
  image=$prefix$name:$tag
  folder=$(folder_of "$name")
  label_args=()
  if [ "$name" != gateway ]; then label_args=(--label "ingesta.source=$name"); fi
  build_args=()
  # A Dockerfile in another language has no such argument, and would warn of it.
  if grep -Eq '^ARG[[:space:]]+NODE_IMAGE' "$folder/Dockerfile"; then build_args=(--build-arg "NODE_IMAGE=$node_image"); fi
  say "image: $image"
  docker build ${network_args[@]+"${network_args[@]}"} ${build_args[@]+"${build_args[@]}"} ${label_args[@]+"${label_args[@]}"} \
    --tag "$image" "$folder" >&2 || fail "docker build of $image failed (context $folder)"
  built+=("$image")
done

say ""
for image in "${built[@]}"; do
  bytes=$(docker image inspect --format '{{.Size}}' "$image")
  printf '%-44s %6s MB\n' "$image" "$((bytes / 1000000))"
done
