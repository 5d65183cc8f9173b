#!/usr/bin/env bash
# Builds an image that stands in for the official Node image where none can be pulled: Debian's minimal system, and the
# Node that npm's package carries. As root, with debootstrap.
# usage: stand-in-image.sh <node version> <tag>
set -euo pipefail
version=$1 tag=$2
case $(uname -m) in aarch64) arch=arm64 ;; *) arch=x64 ;; esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

debootstrap --variant=minbase --include=ca-certificates bookworm "$tmp/root" >"$tmp/debootstrap.log" 2>&1 ||
  { tail -n 5 "$tmp/debootstrap.log" >&2; exit 1; }
rm -rf "$tmp"/root/var/cache/apt/archives/*.deb "$tmp"/root/usr/share/{doc,man,locale}

cd "$tmp"
for package in "node-linux-$arch@$version" npm@11; do
  archive=$(npm pack --silent "$package")
  folder=${package%%@*}
  mkdir "$folder"
  tar -xzf "$archive" -C "$folder" --strip-components=1
done
install -m 755 "node-linux-$arch/bin/node" root/usr/local/bin/node
mkdir -p root/usr/local/lib/node_modules
mv npm root/usr/local/lib/node_modules/npm
for program in npm npx; do
  ln -s "../lib/node_modules/npm/bin/$program-cli.js" "root/usr/local/bin/$program"
done
# The user that the official image has as well.
chroot root useradd --uid 1000 --create-home --shell /bin/bash node

id=$(tar -C root -c . | docker import -c "ENV NODE_VERSION=$version" -c 'CMD ["node"]' -)
docker tag "$id" "$tag"
docker run --rm "$tag" node --version
