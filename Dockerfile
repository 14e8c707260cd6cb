# Every image of ours. Targets: label-studio-dev, data-programming, modelling, deploy, mlflow-server and
# label-studio-web. Each starts from `core`, whose layer they share; layers go from what changes seldom to
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

FROM base AS core
# --no-deps: the files name everything, and nothing that they do not name may come in, such as CUDA for torch.
# Test suites, sources and Arrow's network service are a sixth of their size, and nothing here uses them.
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/image-core.txt,target=/tmp/requirements.txt \
    /opt/uv pip install --quiet --no-deps --requirement /tmp/requirements.txt \
 && cd /opt/venv/lib/python3*/site-packages \
 && rm -rf pandas/tests numpy/f2py/tests numpy/lib/tests numpy/random/tests numpy/ma/tests sklearn/datasets/images \
 && find scipy sklearn -type d -name tests -prune -exec rm -rf {} + \
 && find numpy/_core/tests -type f ! -name '*_natype*' ! -name '__init__*' -delete \
 && find . \( -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -name '*.a' \) -delete \
 && rm -rf pyarrow/tests pyarrow/include pyarrow/src pyarrow/*flight* pyarrow/_pyarrow_cpp_tests* sqlalchemy/testing \
 && python -c 'import pandas, pyarrow.parquet, pyarrow.dataset, scipy.sparse, sklearn.linear_model' \
 && printf '#!/opt/venv/bin/python\nfrom adaptml.cli import main\n\nmain()\n' > /opt/venv/bin/adaptml \
 && chmod 755 /opt/venv/bin/adaptml
# A new named volume takes the mode of the folder that it covers, and containers run as whoever started the
# stack (APP_UID); /app/.env.dev is where the settings with the database's password are mounted.
RUN install -d -m 1777 /unlabeled_data /annotations /predictions /mlruns /dp_mlruns \
 && touch /app/.env.dev

FROM core AS mlflow
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/image-mlflow-server.txt,target=/tmp/requirements.txt \
    /opt/uv pip install --quiet --no-deps --requirement /tmp/requirements.txt

FROM mlflow AS mlflow-server
COPY docker/entry-mlflow-server.sh docker/health-mlflow-server.py /app/
USER 1000:1000
EXPOSE 5000
CMD ["/app/entry-mlflow-server.sh"]

FROM core AS label-studio-dev
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/image-label-studio-dev.txt,target=/tmp/requirements.txt \
    /opt/uv pip install --quiet --no-deps --requirement /tmp/requirements.txt
COPY docker/health-worker.py /app/
COPY adaptml adaptml
COPY labelstudio labelstudio
COPY tasks tasks
COPY example_data example_data
RUN python -m compileall -q adaptml labelstudio example_data
# Files that a person names begin where they may be written.
WORKDIR /annotations
USER 1000:1000
CMD ["sleep", "infinity"]

FROM mlflow AS data-programming
# torch: from the CPU wheel in wheels/, or from the index that TORCH_INDEX names. The default index has
# CUDA builds, so that without either the build stops instead of making an image of 5 GB. torch alone comes
# from there: PyTorch's index also has other packages, in other versions than the pinned ones.
ARG TORCH_INDEX=
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=wheels,target=/wheels \
    --mount=type=bind,source=requirements/image-data-programming.txt,target=/tmp/requirements.txt \
    if [ -z "$TORCH_INDEX" ] && ! ls /wheels/torch-*.whl >/dev/null 2>&1; then \
      echo 'no CPU build of torch: expected a wheel in wheels/ or TORCH_INDEX (PyTorch says its address on its' \
           'own pages); set TORCH_INDEX in .env.dev' >&2; exit 1; fi \
 && /opt/uv pip install --quiet --no-deps --find-links /wheels ${TORCH_INDEX:+--default-index "$TORCH_INDEX"} \
      "$(grep '^torch==' /tmp/requirements.txt)" \
 && cd /opt/venv/lib/python3*/site-packages \
 && if ! grep -q '^cuda.* = None' torch/version.py; then \
      echo 'torch is a CUDA build: expected a CPU build from wheels/ or TORCH_INDEX; fix it in .env.dev' >&2; exit 1; fi \
 && rm -rf torch/test torch/include torch/bin/protoc* \
 && /opt/uv pip install --quiet --no-deps --requirement /tmp/requirements.txt \
 && python -c 'import torch'
COPY docker/health-worker.py /app/
COPY adaptml adaptml
COPY dataprogramming dataprogramming
COPY tasks tasks
COPY example_data example_data
RUN python -m compileall -q adaptml dataprogramming example_data
ENV GIT_PYTHON_REFRESH=quiet
USER 1000:1000
CMD ["sleep", "infinity"]

FROM mlflow AS modelling
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/image-modelling.txt,target=/tmp/requirements.txt \
    /opt/uv pip install --quiet --no-deps --requirement /tmp/requirements.txt
COPY docker/health-worker.py /app/
COPY adaptml adaptml
COPY modelling modelling
COPY tasks tasks
RUN python -m compileall -q adaptml modelling
ENV GIT_PYTHON_REFRESH=quiet
USER 1000:1000
CMD ["sleep", "infinity"]

FROM core AS deploy
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/image-deploy.txt,target=/tmp/requirements.txt \
    /opt/uv pip install --quiet --no-deps --requirement /tmp/requirements.txt
COPY docker/health-http.py /app/
COPY adaptml adaptml
COPY modelling modelling
RUN mkdir tasks && python -m compileall -q adaptml modelling
USER 1000:1000
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "--factory", "modelling.app.api_key:keyed_app", \
     "--host", "0.0.0.0", "--port", "8000", "--no-access-log", "--timeout-graceful-shutdown", "10"]

# Label Studio pins versions that ours cannot share, so it has a stage of its own.
FROM base AS label-studio-web
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements/labelstudio-server.txt,target=/tmp/requirements.txt \
    /opt/uv pip install --quiet --no-deps --requirement /tmp/requirements.txt
# Nothing is told to anybody, and nobody signs up unasked. SENTRY_DSN must be set to nothing, not left unset.
ENV COLLECT_ANALYTICS=false SENTRY_DSN= FRONTEND_SENTRY_DSN= LATEST_VERSION_CHECK=false \
    CORS_ALLOW_ALL_ORIGINS=false LOCAL_FILES_SERVING_ENABLED=false \
    LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK=true LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN=true \
    fflag_feat_utc_210_prediction_validation_15082025=true
# An empty database after its migrations, which would take a first start 40 s.
RUN LABEL_STUDIO_BASE_DATA_DIR=/tmp/template label-studio version >/dev/null \
 && install -D -m 644 /tmp/template/label_studio.sqlite3 /opt/template/label_studio.sqlite3 \
 && rm -rf /tmp/template /tmp/.config /tmp/.local /tmp/.cache && install -d -m 1777 /data
COPY docker/entry-label-studio-web.sh docker/health-label-studio-web.py /app/
ENV LABEL_STUDIO_BASE_DATA_DIR=/data
USER 1000:1000
EXPOSE 8080
CMD ["/app/entry-label-studio-web.sh"]
