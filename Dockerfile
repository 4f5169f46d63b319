# The gateway with its plugins. Bare Debian 12 and Ubuntu bases work, and so do python:*-slim ones.
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${BASE_IMAGE} AS build
# Where pip finds its index and certificates if not as usual; see docs/container.md.
ARG PIP_CONFIG_FILE
WORKDIR /src
COPY tools/system tools/python tools/
RUN tools/system run && python3 -m venv /opt/grid-gateway
ENV PATH=/opt/grid-gateway/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY constraints.txt ./
RUN pip install -q --no-deps --require-hashes -r constraints.txt
COPY . .
RUN pip wheel -q --no-build-isolation --no-deps -w /wheels . plugins/*/ \
    && pip install -q --no-deps /wheels/*.whl \
    && pip uninstall -q -y setuptools pip \
    && find /opt/grid-gateway -depth -type d -name tests -path '*/site-packages/numpy/*' -exec rm -r {} + \
    && cd / && gateway --version

FROM ${BASE_IMAGE}
RUN command -v python3 >/dev/null \
    || { apt-get -q update \
    && apt-get -q -y install --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /usr/share/doc/* /usr/share/man/*; }
COPY --from=build /opt/grid-gateway /opt/grid-gateway
COPY configs /usr/share/grid-gateway
RUN groupadd --gid 10001 gateway \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/grid-gateway --no-create-home \
        --shell /usr/sbin/nologin --no-log-init gateway \
    && install -d -o 10001 -g 10001 -m 750 /var/lib/grid-gateway \
    && install -d /etc/grid-gateway

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="grid-gateway" \
    org.opencontainers.image.description="Utility-side SCADA gateway: reads the field, keeps every event, translates to open grid standards." \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"

# Nothing but the volume is written to. One BLAS thread, because the gateway multiplies no matrices
# and each idle thread costs memory.
ENV PATH=/opt/grid-gateway/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 OPENBLAS_NUM_THREADS=1
VOLUME /var/lib/grid-gateway
WORKDIR /var/lib/grid-gateway
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["gateway", "health", "/var/lib/grid-gateway"]
ENTRYPOINT ["gateway"]
CMD ["run", "/etc/grid-gateway/gateway.yaml", "--data", "/var/lib/grid-gateway"]
