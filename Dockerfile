# Every image of ours. Targets: portal, label-studio-dev, data-programming, data-programming-gpu, modelling, scale, deploy,
# mlflow-server and label-studio-web; and `demo`, a test. Each starts from `core`, whose layer they share; layers go from what changes seldom to
# what changes often: base, packages, source.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# uv installs the pinned versions; it is mounted into the steps that need it and stays out of the images.
FROM ${PYTHON_IMAGE} AS uv
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/uv && /opt/uv/bin/pip install --quiet --disable-pip-version-check uv==0.13.9

FROM ${PYTHON_IMAGE} AS base
# HOME is a tmpfs where the root file system is read-only; USER, because APP_UID may be a number without a
# name; bytecode is compiled at build time, because a user who is not root could not write it, and every start
# would compile anew.
ENV PATH=/opt/venv/bin:$PATH VIRTUAL_ENV=/opt/venv PYTHONPATH=/app ADAPTML_ROOT=/app HOME=/tmp USER=app \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_SYSTEM_CERTS=1 UV_NO_PROGRESS=1 UV_CACHE_DIR=/root/.cache/uv
RUN groupadd -g 1000 app && useradd -u 1000 -g app -d /tmp -M app && python -m venv --without-pip /opt/venv
WORKDIR /app

# The project's version and command. What is copied from here is the same until one of them changes.
FROM base AS own
RUN --mount=type=bind,source=pyproject.toml,target=/tmp/pyproject.toml \
    --mount=type=bind,source=docker/own-distribution.py,target=/tmp/own-distribution.py \
    python /tmp/own-distribution.py /tmp/pyproject.toml /opt/own

FROM base AS core
# --no-deps: the files name everything, with hashes, and what they do not name, such as torch, may not come in.
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/image-core.txt,target=/tmp/requirements.txt \
    --mount=type=bind,source=docker/slim-packages.sh,target=/tmp/slim.sh \
    /opt/uv pip install --quiet --no-deps --require-hashes --requirement /tmp/requirements.txt \
 && /tmp/slim.sh
COPY --from=own /opt/own/ /opt/venv/
# A new named volume takes the mode of the folder that it covers, and containers run as whoever started the
# stack (APP_UID); /app/.env.dev is where the settings with the database's password are mounted.
RUN install -d -m 1777 /unlabeled_data /annotations /media /votes /predictions /mlruns /dp_mlruns /portal /uploads /workbench \
 && touch /app/.env.dev

FROM core AS mlflow-server
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/mlflow-server.txt,target=/tmp/requirements.txt \
    --mount=type=bind,source=docker/slim-packages.sh,target=/tmp/slim.sh \
    /opt/uv pip install --quiet --no-deps --require-hashes --requirement /tmp/requirements.txt \
 && /tmp/slim.sh
COPY docker/entry-mlflow-server.sh docker/health-mlflow-server.py docker/gc-mlflow-server.py /app/
USER 1000:1000
EXPOSE 5000
CMD ["/app/entry-mlflow-server.sh"]

FROM core AS label-studio-dev
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/image-label-studio-dev.txt,target=/tmp/requirements.txt \
    --mount=type=bind,source=docker/slim-packages.sh,target=/tmp/slim.sh \
    /opt/uv pip install --quiet --no-deps --require-hashes --requirement /tmp/requirements.txt \
 && /tmp/slim.sh
COPY docker/health-worker.py /app/
COPY adaptml adaptml
COPY labelstudio labelstudio
COPY portal portal
COPY tasks tasks
COPY example_data example_data
RUN python -m compileall -q adaptml labelstudio portal example_data
# Files that a person names begin where they may be written.
WORKDIR /annotations
USER 1000:1000
CMD ["adaptml", "worker"]

FROM core AS data-programming
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/image-data-programming.txt,target=/tmp/requirements.txt \
    --mount=type=bind,source=docker/slim-packages.sh,target=/tmp/slim.sh \
    /opt/uv pip install --quiet --no-deps --require-hashes --requirement /tmp/requirements.txt \
 && /tmp/slim.sh
COPY docker/health-worker.py /app/
COPY adaptml adaptml
COPY dataprogramming dataprogramming
COPY portal portal
COPY tasks tasks
COPY example_data example_data
RUN python -m compileall -q adaptml dataprogramming portal example_data
ENV GIT_PYTHON_REFRESH=quiet
USER 1000:1000
CMD ["adaptml", "worker"]

# The same with PyTorch, for the label model on a graphics card. The default package index has the build for CUDA, which
# names the gigabytes that it needs by itself: that is why it has no file of pinned requirements.
FROM data-programming AS data-programming-gpu
ARG TORCH=torch==2.13.0
USER root
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    /opt/uv pip install --quiet "$TORCH"
USER 1000:1000

FROM core AS modelling
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/image-modelling.txt,target=/tmp/requirements.txt \
    --mount=type=bind,source=docker/slim-packages.sh,target=/tmp/slim.sh \
    /opt/uv pip install --quiet --no-deps --require-hashes --requirement /tmp/requirements.txt \
 && /tmp/slim.sh
COPY docker/health-worker.py /app/
COPY adaptml adaptml
COPY modelling modelling
COPY portal portal
COPY tasks tasks
RUN python -m compileall -q adaptml modelling portal
ENV GIT_PYTHON_REFRESH=quiet
USER 1000:1000
CMD ["adaptml", "worker"]

# A scheduler and its workers, which do the steps of three rooms.
FROM core AS scale
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/image-scale.txt,target=/tmp/requirements.txt \
    --mount=type=bind,source=docker/slim-packages.sh,target=/tmp/slim.sh \
    /opt/uv pip install --quiet --no-deps --require-hashes --requirement /tmp/requirements.txt \
 && /tmp/slim.sh
COPY docker/health-scale.py /app/
COPY adaptml adaptml
COPY dataprogramming dataprogramming
COPY modelling modelling
RUN mkdir tasks && python -m compileall -q adaptml dataprogramming modelling
USER 1000:1000
# By the module: the processes that a worker starts import what was started first, which must not start anything then.
CMD ["python", "-m", "adaptml.cli", "scale", "worker", "tls://dask-scheduler:8786"]

FROM core AS deploy
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/image-deploy.txt,target=/tmp/requirements.txt \
    --mount=type=bind,source=docker/slim-packages.sh,target=/tmp/slim.sh \
    /opt/uv pip install --quiet --no-deps --require-hashes --requirement /tmp/requirements.txt \
 && /tmp/slim.sh
COPY docker/health-http.py /app/
COPY adaptml adaptml
COPY modelling modelling
RUN mkdir tasks && python -m compileall -q adaptml modelling
USER 1000:1000
EXPOSE 8000
CMD ["python", "-m", "modelling.app"]

# The page. Rules run elsewhere: it has no room's library.
FROM core AS portal
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/image-portal.txt,target=/tmp/requirements.txt \
    --mount=type=bind,source=docker/slim-packages.sh,target=/tmp/slim.sh \
    /opt/uv pip install --quiet --no-deps --require-hashes --requirement /tmp/requirements.txt \
 && /tmp/slim.sh
COPY docker/health-portal.py /app/
COPY adaptml adaptml
COPY portal portal
COPY modelling modelling
COPY tasks tasks
COPY example_data example_data
RUN python -m compileall -q adaptml portal modelling example_data
USER 1000:1000
EXPOSE 8050
CMD ["adaptml", "ui", "--host", "0.0.0.0", "--port", "8050", "--no-browser"]

# What `make demo` installs, and nothing else, for the test that runs the example here; no container of the stack is
# made from it.
FROM base AS demo
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/demo.txt,target=/tmp/requirements.txt \
    /opt/uv pip install --quiet --no-deps --require-hashes --requirement /tmp/requirements.txt
COPY --from=own /opt/own/ /opt/venv/
COPY adaptml adaptml
COPY labelstudio labelstudio
COPY dataprogramming dataprogramming
COPY modelling modelling
COPY tasks tasks
COPY example_data example_data
USER 1000:1000
CMD ["python", "-m", "example_data.demo", "--home", "/tmp/home"]

# Label Studio pins versions that ours cannot share, so it has a stage of its own.
FROM base AS label-studio-web
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/labelstudio-server.txt,target=/tmp/requirements.txt \
    /opt/uv pip install --quiet --no-deps --require-hashes --requirement /tmp/requirements.txt
# Nothing is told to anybody, nobody signs up unasked, no file is served but those in /files, and no address inside a network
# is asked on an annotator's word. SENTRY_DSN must be set to nothing, not left unset.
ENV COLLECT_ANALYTICS=false SENTRY_DSN= FRONTEND_SENTRY_DSN= LATEST_VERSION_CHECK=false \
    CORS_ALLOW_ALL_ORIGINS=false LOCAL_FILES_SERVING_ENABLED=true LOCAL_FILES_DOCUMENT_ROOT=/files \
    SSRF_PROTECTION_ENABLED=true ML_BLOCK_LOCAL_IP=true \
    LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK=true LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN=true \
    fflag_feat_utc_210_prediction_validation_15082025=true
# An empty database after its migrations, which would take a first start 40 s.
RUN LABEL_STUDIO_BASE_DATA_DIR=/tmp/template label-studio version >/dev/null \
 && install -D -m 644 /tmp/template/label_studio.sqlite3 /opt/template/label_studio.sqlite3 \
 && rm -rf /tmp/template /tmp/.config /tmp/.local /tmp/.cache && install -d -m 1777 /data /files/media
COPY docker/entry-label-studio-web.sh docker/health-label-studio-web.py /app/
ENV LABEL_STUDIO_BASE_DATA_DIR=/data
USER 1000:1000
EXPOSE 8080
CMD ["/app/entry-label-studio-web.sh"]
