ARG BASE_IMAGE=python:3.11-slim
FROM ${BASE_IMAGE}

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore \
    LONGTAIL_CACHE=/cache
WORKDIR /srv/longtail

# what changes rarely comes first: torch, then everything else, then the program
COPY requirements.txt ./
COPY tools/install_torch.py tools/
RUN python tools/install_torch.py && python -m pip install --quiet -r requirements.txt

COPY . .
RUN useradd --uid 10001 --create-home longtail && mkdir /cache && chown longtail:longtail /cache
USER longtail
VOLUME /cache
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["python", "-m", "core", "serve", "--address", "0.0.0.0"]
