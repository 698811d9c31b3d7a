# The server as an image: docker build --target cpu -t faced:cpu .   (or --target gpu -t faced:gpu)
# Nothing is fetched when it runs: networks and packages are in it. docs/containers.md tells how to run it.

FROM debian:trixie-slim AS cpu-base
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libglib2.0-0t64 python3 \
    && rm -rf /var/lib/apt/lists/*

# CUDA and cuDNN themselves come as Python packages, in the versions that ONNX Runtime was built for.
FROM nvidia/cuda:13.0.1-base-ubuntu24.04 AS gpu-base
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libglib2.0-0t64 python3 \
    && rm -rf /var/lib/apt/lists/*

FROM cpu-base AS cpu-build
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv
WORKDIR /src
COPY deploy/install.sh pyproject.toml README.md LICENSE RESPONSIBLE_USE.md ./
COPY clients ./clients
COPY models ./models
COPY proto ./proto
COPY service ./service
RUN sh install.sh /opt/faced cpu,web

FROM gpu-base AS gpu-build
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv
WORKDIR /src
COPY deploy/install.sh pyproject.toml README.md LICENSE RESPONSIBLE_USE.md ./
COPY clients ./clients
COPY models ./models
COPY proto ./proto
COPY service ./service
RUN sh install.sh /opt/faced gpu,web

FROM cpu-base AS cpu
COPY --from=cpu-build /opt/faced /opt/faced
COPY deploy/user.sh /tmp/user.sh
RUN sh /tmp/user.sh
ENV PATH=/opt/faced/bin:/usr/local/bin:/usr/bin:/bin FACED_HOST=0.0.0.0 FACED_LOG_FORMAT=json FACED_CACHE_DIR=/var/cache/faced
USER faced
# Compiles the loops over pixels, so that the first start has not to. They are kept in the volume, and made anew on
# another kind of CPU; the rest of the file system may be read-only.
RUN faced bench serve --frames 1
VOLUME /var/cache/faced
EXPOSE 50051 8080 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s CMD ["faced", "health"]
ENTRYPOINT ["faced", "serve"]

FROM gpu-base AS gpu
COPY --from=gpu-build /opt/faced /opt/faced
COPY deploy/user.sh /tmp/user.sh
RUN sh /tmp/user.sh
ENV PATH=/opt/faced/bin:/usr/local/bin:/usr/bin:/bin FACED_HOST=0.0.0.0 FACED_LOG_FORMAT=json FACED_CACHE_DIR=/var/cache/faced
ENV FACED_DEVICE=cuda NVIDIA_DRIVER_CAPABILITIES=compute,utility NVIDIA_VISIBLE_DEVICES=all
USER faced
# As above; no GPU is at hand while an image is made, so the CPU does it.
RUN faced bench serve --frames 1
VOLUME /var/cache/faced
EXPOSE 50051 8080 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s CMD ["faced", "health"]
ENTRYPOINT ["faced", "serve"]
