# Two images from one file:
#   docker build --target bot    -t talewright-bot .      slim, without torch
#   docker build --target worker -t talewright-worker .   torch's CUDA build from PyPI; runs on a CPU too
# The CUDA libraries come with torch's wheel: the host needs only NVIDIA's driver and container toolkit.

FROM python:3.12-slim AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --create-home --uid 10001 talewright && mkdir /data && chown talewright /data
WORKDIR /app

FROM base AS bot
COPY pyproject.toml README.md LICENSE ./
COPY bot ./bot
# The worker's package is metadata here (its subcommands say which extra they need), so only the bot is copied.
RUN pip install .
USER talewright
ENV DATABASE=/data/talewright.sqlite3
VOLUME /data
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["talewright", "bot", "--check-health"]
# Exec form: the process is PID 1 and receives SIGTERM; the bot installs its own handler and closes in order.
ENTRYPOINT ["talewright", "bot"]

FROM base AS worker
COPY pyproject.toml README.md LICENSE ./
COPY bot ./bot
COPY models ./models
RUN pip install '.[worker]'
USER talewright
# The model cache of a hub model outlives the container when /data is a volume.
ENV HF_HOME=/data/huggingface WORKER_HOST=0.0.0.0 WORKER_PORT=8765
VOLUME /data
EXPOSE 8765
HEALTHCHECK --interval=15s --timeout=5s --start-period=300s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8765/health', timeout=4)"]
ENTRYPOINT ["talewright", "worker"]
