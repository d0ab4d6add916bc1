# One node of Kaiku. Nothing but Debian's packages is needed:
#   docker build -t kaiku .
# docs/deployment.md says how to run it, what the build arguments do, and what of it is reproducible.

ARG BASE=debian:bookworm-slim

# Debian's own image asks for security updates; one that was made by debootstrap does not.
FROM ${BASE} AS base
ARG SOURCE_DATE_EPOCH=0
RUN grep -rqs debian-security /etc/apt/sources.list /etc/apt/sources.list.d || { \
      echo 'deb http://deb.debian.org/debian-security bookworm-security main' >/etc/apt/sources.list.d/security.list \
   && touch -d "@$SOURCE_DATE_EPOCH" /etc/apt/sources.list.d/security.list /etc/apt/sources.list.d; }

# --- build: the two programs, and the names of the packages whose libraries they need -------------------------------------
FROM base AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /src
COPY deploy/local/install-packages deploy/local/
RUN echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe-io && deploy/local/install-packages build
COPY . .
# Where ccache may find what was compiled before, such as redis://127.0.0.1:6379 with `--network host`; empty: nowhere.
ARG CCACHE_REMOTE_STORAGE=
ARG SOURCE_DATE_EPOCH=0
RUN export LANG=C.UTF-8 CCACHE_REMOTE_ONLY=true CCACHE_BASEDIR=/src CCACHE_NOHASHDIR=true \
 && cmake --preset release -DKAIKU_BUILD_TESTS=OFF && cmake --build --preset release --target kaikud kaiku \
 && install -D -s -t /out/root/usr/bin build/release/kaikud build/release/kaiku \
 && install -D -m 644 LICENSE /out/root/usr/share/doc/kaiku/copyright \
 && find /out/root -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} + \
 && objdump -p /out/root/usr/bin/* | awk -v of="$(g++ -print-multiarch)" '$1 == "NEEDED" {print "*/lib/" of "/" $2}' \
  | sort -u | xargs dpkg -S | cut -d: -f1 | sort -u >/out/libraries

# --- the image: these packages, the programs --------------------------------------------------------------------------------
FROM base
ARG SOURCE_DATE_EPOCH=0
COPY deploy/image/fill /image/
COPY --from=build /out/libraries /image/
RUN /image/fill libraries
COPY --from=build /out/root /
RUN /image/fill programs

LABEL org.opencontainers.image.title="Kaiku" \
      org.opencontainers.image.description="One node of a replicated file store" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="BSD-3-Clause" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"

# Beyond loopback a node wants to know who may speak to it: KAIKU_PEER_SECRET_FILE or certificates, and KAIKU_AUTH_FILE.
# Until it is told, it ends with a line that says so.
ENV KAIKU_DATA=/data KAIKU_HTTP=0.0.0.0:8000 KAIKU_PEERS=0.0.0.0:9000
# Any user will do whose group is 0.
USER 10001:0
VOLUME /data
EXPOSE 8000 9000
# Alive, not ready: what restarts the unhealthy should not restart nodes that wait for each other.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["kaiku", "--wait", "0", "health", "live"]
# The lead is handed over, what is under way is finished, within 10 s.
STOPSIGNAL SIGTERM
ENTRYPOINT ["kaikud"]
