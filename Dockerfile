# memden as a container that takes the place of memcached's: the same user, port, entry point and
# name of the program. docs/deploying.md has details.
#
#   docker build -t memden .
#   docker run --read-only --cap-drop ALL -p 127.0.0.1:11211:11211 memden -m 256 -c 4096

FROM denoland/deno:debian-2.9.6 AS build
WORKDIR /src
COPY deno.json deno.lock main.ts ./
COPY lib ./lib
COPY scripts ./scripts
RUN deno task compile

FROM debian:trixie-slim
LABEL org.opencontainers.image.title="memden" \
      org.opencontainers.image.description="A drop-in memcached server, written in TypeScript" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --system --gid 11211 memcache \
 && useradd --system --uid 11211 --gid memcache --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin memcache
COPY --from=build /src/build/memden /usr/local/bin/memden
COPY deploy/docker/entrypoint.sh /usr/local/bin/docker-entrypoint.sh
# The entry point starts memcached, so that pkill finds the process by that name.
RUN ln -s memden /usr/local/bin/memcached \
 && ln -s usr/local/bin/docker-entrypoint.sh /entrypoint.sh

# A number: from a name Kubernetes cannot see that it is not root.
USER 11211:11211
EXPOSE 11211
# Address of the server for the health check: host:port, or the path of a Unix socket.
ENV MEMDEN_PING=127.0.0.1:11211
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s \
  CMD memden ping "$MEMDEN_PING"
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["memcached"]
