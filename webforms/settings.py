"""Typed settings, read once from the environment; a wrong value stops the start in words."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

Network = IPv4Network | IPv6Network
MINIMUM_SECRET = 32
MEGABYTE = 1024 * 1024
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


class Misused(Exception):
    """What was asked for cannot even be tried as things stand; says why in one sentence."""


class WrongSetting(Misused):
    """A setting that cannot be used; the message names it and says what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an installation may decide."""

    data: Path
    database_url: str
    secret_key: str
    #: master key of the sealed numbers (identity, accounts, phones); losing it loses them
    vault_key: str
    #: cookies only over TLS and HSTS; off only where the demo is served on 127.0.0.1
    https: bool = False
    #: addresses of reverse proxies in front of us: how many `X-Forwarded-For` hops to trust
    proxies: int = 0
    #: host names the site answers to; none: whatever the request says (only behind a proxy that
    #: checks it, as links in posters and notices are made of it)
    hosts: tuple[str, ...] = ()
    idle: timedelta = timedelta(minutes=30)
    session_lifetime: timedelta = timedelta(hours=12)
    #: networks that may ask for health and metrics besides this machine
    monitors: tuple[Network, ...] = ()
    #: who shows this may ask from anywhere
    monitor_token: str = ""
    #: a line for every request
    access_log: bool = False
    #: lines for a reader of machines; else for people
    json_logs: bool = True
    #: a new version and a jump need a second system administrator; off only for an office of one
    four_eyes: bool = True
    upload_limit: int = 32 * 1024 * 1024
    language: str = "zh_CN"
    #: argon2 cost; tests lower it
    argon2_memory_kib: int = 19 * 1024
    argon2_rounds: int = 2
    testing: bool = False

    @property
    def is_sqlite(self) -> bool:
        """Whether one process has the database to itself."""
        return self.database_url.startswith("sqlite")

    @property
    def alone_in(self) -> tuple[Path, ...]:
        """Folders that one process has to itself: the data's and the SQLite file's."""
        if not self.is_sqlite:
            return ()
        file = self.database_url.partition("///")[2].partition("?")[0]
        beside = {Path(file).resolve().parent} if file and file != ":memory:" else set()
        return tuple(sorted({self.data, *beside}))

    @property
    def files(self) -> Path:
        """Where the bytes of attachments lie."""
        return self.data / "files"

    def changed(self, **values: object) -> Settings:
        """The same settings with some values replaced."""
        return replace(self, **values)  # type: ignore[arg-type]  # names are checked by `replace`


def from_environment(
    environ: Mapping[str, str] | None = None, *, data: Path | None = None
) -> Settings:
    """Settings from `NUANLIU_…` variables. Raises WrongSetting.

    `NUANLIU_DATA` (folder, default `./var`), `NUANLIU_DATABASE` (SQLAlchemy URL, default SQLite in
    the data folder), `NUANLIU_SECRET` and `NUANLIU_VAULT_KEY` (default: made once and kept there),
    `NUANLIU_HTTPS`, `NUANLIU_FOUR_EYES` (default: on), `NUANLIU_HOSTS` (names, comma between),
    `NUANLIU_PROXIES`,
    `NUANLIU_IDLE_MINUTES`, `NUANLIU_UPLOAD_MB`, `NUANLIU_MONITOR_FROM` (networks, comma between)
    and `NUANLIU_MONITOR_TOKEN` for health and metrics, `NUANLIU_ACCESS_LOG`, `NUANLIU_LOG`
    (`json` or `text`).
    """
    env = os.environ if environ is None else environ
    folder = (data or Path(env.get("NUANLIU_DATA", "var"))).resolve()
    prepare_folder(folder)
    return Settings(
        data=folder,
        database_url=env.get("NUANLIU_DATABASE") or f"sqlite:///{folder / 'nuanliu.db'}",
        secret_key=_secret(env, folder, "NUANLIU_SECRET", "secret"),
        vault_key=_secret(env, folder, "NUANLIU_VAULT_KEY", "vault-key"),
        https=_switch(env, "NUANLIU_HTTPS"),
        hosts=tuple(one.strip() for one in env.get("NUANLIU_HOSTS", "").split(",") if one.strip()),
        monitors=_networks(env, "NUANLIU_MONITOR_FROM"),
        monitor_token=_token(env, "NUANLIU_MONITOR_TOKEN"),
        access_log=_switch(env, "NUANLIU_ACCESS_LOG"),
        four_eyes=_switch(env, "NUANLIU_FOUR_EYES", "1"),
        json_logs=_choice(env, "NUANLIU_LOG", ("json", "text")) == "json",
        proxies=_number(env, "NUANLIU_PROXIES", 0, least=0, most=5),
        idle=timedelta(minutes=_number(env, "NUANLIU_IDLE_MINUTES", 30, least=1, most=720)),
        upload_limit=_number(env, "NUANLIU_UPLOAD_MB", default=32, least=1, most=1024)
        * 1024
        * 1024,
    )


def prepare_folder(folder: Path) -> None:
    """Make the data folder, readable for its owner only. Raises WrongSetting."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "files").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise WrongSetting(f"数据目录 {folder} 无法建立：{error.strerror}") from error


def _secret(env: Mapping[str, str], folder: Path, variable: str, file: str) -> str:
    given = env.get(variable)
    if given is not None:
        if len(given) < MINIMUM_SECRET:
            raise WrongSetting(f"{variable} 至少要 {MINIMUM_SECRET} 个字符")
        return given
    kept = folder / file
    try:
        # O_EXCL: two first starts at once must not each keep a secret of their own.
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return kept.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        fresh = secrets.token_urlsafe(48)
        stream.write(fresh)
    return fresh


def _token(env: Mapping[str, str], name: str) -> str:
    given = env.get(name, "").strip()
    if given and len(given) < MINIMUM_SECRET:
        raise WrongSetting(f"{name} 至少要 {MINIMUM_SECRET} 个字符")
    return given


def _networks(env: Mapping[str, str], name: str) -> tuple[Network, ...]:
    try:
        return tuple(
            ip_network(one.strip(), strict=False)
            for one in env.get(name, "").split(",")
            if one.strip()
        )
    except ValueError as error:
        raise WrongSetting(f"{name} 应为网段，如 10.1.0.0/16，逗号分隔") from error


def _choice(env: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    given = env.get(name, "").strip().lower() or choices[0]
    if given not in choices:
        raise WrongSetting(f"{name} 应为 {' 或 '.join(choices)}，而不是“{given}”")
    return given


def _switch(env: Mapping[str, str], name: str, default: str = "") -> bool:
    text = env.get(name, "").strip().lower() or default
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise WrongSetting(f"{name} 应为 1 或 0，而不是“{text}”")


def _number(env: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or not least <= int(text) <= most:
        raise WrongSetting(f"{name} 应为 {least} 到 {most} 之间的整数，而不是“{text}”")
    return int(text)
