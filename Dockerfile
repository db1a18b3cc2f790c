# Builds the image of one gateway:  docker build --tag grantkeeper .
# Runs any of its commands:         docker run --rm grantkeeper node dist/src/cli/main.js keys
#
# The base image is pinned by version. To pin its content as well, append the digest that
# `docker buildx imagetools inspect node:26.10.0-trixie-slim` prints to both FROM lines: node:26.10.0-trixie-slim@sha256:…
# Alpine does not work: sodium-native has no binary for musl.

FROM node:26.10.0-trixie-slim AS build
WORKDIR /app
# Alone, so that a change of the sources does not install everything again.
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build
RUN npm prune --omit=dev

FROM node:26.10.0-trixie-slim
LABEL org.opencontainers.image.title="Grantkeeper" \
      org.opencontainers.image.description="An API gateway that holds OAuth grants and API keys for frontends" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /app
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
# The embedded store, for a gateway without REDIS_URL. Nothing else is written, so the root file system can be read-only.
RUN mkdir -m 700 /var/lib/grantkeeper && chown 1000:1000 /var/lib/grantkeeper
VOLUME /var/lib/grantkeeper
# Numeric, so that Kubernetes can check that it is not root (runAsNonRoot). The image names it "node".
USER 1000:1000
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATA_DIR=/var/lib/grantkeeper
EXPOSE 3000
# Alive, not ready: a restart does not repair Redis. Any response will do: below a path in PUBLIC_URL it is a 404.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --start-interval=1s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then(() => process.exit(0), () => process.exit(1))"]
# The process itself gets the signal, and shuts down gracefully. Allow SHUTDOWN_DELAY + SHUTDOWN_TIMEOUT + 18 s: docker stop -t 30
STOPSIGNAL SIGTERM
CMD ["node", "dist/src/cli/main.js", "start"]
