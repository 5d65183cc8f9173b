# Makes the bundles where the host has no Node: build-images.sh builds this, and copies the dist folders out of it.
ARG NODE_IMAGE=node:24-bookworm-slim

# Only what npm reads, so that the next stage is taken from the cache until one of these files changes.
FROM ${NODE_IMAGE} AS manifests
COPY . /all
RUN set -eu; \
    mkdir /manifests; \
    cd /all; \
    for file in package.json package-lock.json */package.json */*/package.json; do \
      if [ -f "$file" ]; then mkdir -p "/manifests/$(dirname "$file")"; cp "$file" "/manifests/$file"; fi; \
    done

FROM ${NODE_IMAGE} AS bundles
WORKDIR /repo
COPY --from=manifests /manifests/ ./
# Without install scripts: they would compile optional natives and unpack test servers. `npm ci` insists that the lock
# file names every platform's optional packages, which some registries do not have; `npm install` takes what is locked.
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || \
    npm install --no-save --ignore-scripts --no-audit --no-fund
COPY . .
# Names of programs, as build.mjs takes them; all of them if empty.
ARG PROGRAMS=
# One folder with all that was made, at the paths it has in the repository.
RUN set -eu; \
    node build.mjs ${PROGRAMS}; \
    mkdir /bundles; \
    for dist in gateway/dist scripts/*/dist demo/dist; do \
      if [ -d "$dist" ]; then mkdir -p "/bundles/$dist"; cp -R "$dist/." "/bundles/$dist/"; fi; \
    done
# Never run: `docker create` asks for a command.
CMD ["node", "--version"]
