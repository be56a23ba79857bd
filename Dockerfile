# The image of the application: `truehue serve`, with the web interface built in.

FROM node:24-trixie-slim AS interface
WORKDIR /src/consult_ui
COPY consult_ui/package.json consult_ui/package-lock.json consult_ui/.npmrc ./
RUN npm ci
COPY consult_ui/ ./
RUN npm run build

FROM python:3.13-slim-trixie AS install
# For the packet loop in C, which goes into the wheel. Debian keeps one version of each.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev
WORKDIR /src
COPY requirements.lock requirements-tools.lock ./
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-tools.lock \
 && python -m venv --without-pip /opt/truehue \
 && uv pip sync --no-cache --python /opt/truehue/bin/python --require-hashes requirements.lock
COPY . .
COPY --from=interface /src/consult_ui/dist consult_ui/dist
RUN python -m hatchling build -t wheel -d /tmp/wheel \
 && uv pip install --no-cache --python /opt/truehue/bin/python --no-deps /tmp/wheel/*.whl

FROM python:3.13-slim-trixie
COPY --from=install /opt/truehue /opt/truehue
# A named volume takes the owner of the folder that it covers: /turn is coturn's.
RUN useradd --system --uid 10001 --no-create-home truehue \
 && install -d -o truehue -m 700 /data \
 && install -d -o 65534 -g 65534 -m 700 /turn
ENV PATH=/opt/truehue/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TRUEHUE_DATA=/data
USER 10001
VOLUME /data
EXPOSE 8080/tcp 40000/udp
ENTRYPOINT ["truehue"]
CMD ["serve"]
