# docker build -t netinterf .
# docker run --rm -v "$PWD:/captures:ro" netinterf scan /captures/visit.pcap
#
# One stage builds the wheel and installs it with what it needs, each by its hash; the other has neither compiler nor source.
ARG PYTHON=3.13

FROM docker.io/library/python:${PYTHON}-slim AS build
ARG EXTRAS=geo,zstd
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_REQUIRE_HASHES=1 PIP_CONSTRAINT=/source/.ci/constraints.txt
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY .ci/constraints.txt .ci/
RUN python -m venv /build && python -m venv --without-pip /opt/netinterf && \
    for name in pip hatchling shtab; do \
        sed -n "/^$name==/,/[^\\\\]\$/p" .ci/constraints.txt > /build/wanted && /build/bin/pip install -r /build/wanted; \
    done
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY netinterf netinterf
RUN /build/bin/python -m hatchling build -t wheel -d /wheel && wheel=$(echo /wheel/*.whl) && \
    echo "netinterf[$EXTRAS] @ file://$wheel --hash=sha256:$(sha256sum "$wheel" | cut -d ' ' -f 1)" > /wheel/wanted && \
    /build/bin/pip --python /opt/netinterf/bin/python install -r /wheel/wanted

FROM docker.io/library/python:${PYTHON}-slim
COPY --from=build /opt/netinterf /opt/netinterf
ENV PATH=/opt/netinterf/bin:$PATH PYTHONDONTWRITEBYTECODE=1
WORKDIR /captures
USER 65534:65534
ENTRYPOINT ["netinterf"]
CMD ["--help"]
