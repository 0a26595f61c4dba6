"""The recipes under `deploy/` and the compose file, read as data: no container engine runs here."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from webforms import cli

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
OURS = ("web1", "web2", "worker1", "worker2", "upgrade")
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
#: keys of the compose specification that are used here
KEYS = {
    "image", "build", "restart", "environment", "volumes", "read_only", "tmpfs", "cap_drop",
    "security_opt", "command", "depends_on", "healthcheck", "stop_grace_period", "ports", "shm_size",
}  # fmt: skip


def known_variables() -> set[str]:
    """Every variable of the environment that some source reads."""
    sources = [p for room in ("webforms", "notifications") for p in (ROOT / room).rglob("*.py")]
    return set(
        re.findall(r"NUANLIU_[A-Z_]+", "\n".join(p.read_text(encoding="utf-8") for p in sources))
    )


def option_names(command: str) -> set[str]:
    found = cli.cli.get_command(click.Context(cli.cli), command)
    assert found is not None, command
    return {name for each in found.params for name in each.opts}


def test_there_are_two_webs_two_workers_a_database_and_a_proxy():
    assert set(SERVICES) == {*OURS, "postgres", "proxy"}
    assert all(SERVICES[name]["command"][0] == "serve" for name in ("web1", "web2"))
    assert all(SERVICES[name]["command"][0] == "worker" for name in ("worker1", "worker2"))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_says_only_what_the_specification_knows(name):
    service = SERVICES[name]

    assert set(service) <= KEYS
    for other, how in service.get("depends_on", {}).items():
        assert other in SERVICES
        assert how["condition"] in {
            "service_started", "service_healthy", "service_completed_successfully",
        }  # fmt: skip
        if how["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert source in COMPOSE["volumes"] or (ROOT / source).exists()


@pytest.mark.parametrize("name", [n for n in sorted(SERVICES) if n not in {"upgrade", "proxy"}])
def test_a_service_that_stays_says_how_it_is(name):
    check = SERVICES[name]["healthcheck"]

    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_a_command_that_is_there_with_settings_that_are_read(name):
    service = SERVICES[name]
    command, *options = service["command"]

    assert {each for each in options if each.startswith("--")} <= option_names(command)
    ours = {each for each in service["environment"] if each.startswith("NUANLIU_")}
    assert ours <= known_variables()
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True


def test_only_the_proxy_is_reached_from_outside():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_no_secret_is_written_down():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")

    for name in ("POSTGRES_PASSWORD", "NUANLIU_SECRET", "NUANLIU_VAULT_KEY"):
        assert re.search(rf"\$\{{{name}:\?", text), name
    example = (DEPLOY / "env.example").read_text(encoding="utf-8")
    for name in (
        "POSTGRES_PASSWORD",
        "NUANLIU_SECRET",
        "NUANLIU_VAULT_KEY",
        "NUANLIU_MONITOR_TOKEN",
    ):
        assert re.search(rf"^{name}=$", example, re.MULTILINE), name


def test_every_variable_of_the_compose_file_is_in_the_example():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    example = (DEPLOY / "env.example").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{([A-Z_]+)", text)) - {"NUANLIU_VERSION"}

    assert {name for name in asked if f"{name}=" not in example} == set()
    named = set(re.findall(r"NUANLIU_[A-Z_]+", example)) - {"NUANLIU_SITE"}
    assert named <= known_variables()


@pytest.mark.parametrize("file", ["Caddyfile", "nginx.conf"])
def test_the_proxies_hide_what_is_for_machines(file):
    text = (DEPLOY / file).read_text(encoding="utf-8")

    assert all(word in text for word in ("healthz", "readyz", "metrics", "404"))
    assert text.count("{") == text.count("}")


def test_the_proxy_of_the_compose_file_knows_both_webs():
    assert "reverse_proxy web1:8000 web2:8000" in (DEPLOY / "Caddyfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_a_command_that_is_there_as_nobody_special(unit):
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str
    read.read_string(unit.read_text(encoding="utf-8"))
    service = read["Service"]
    program, command, *options = service["ExecStart"].split()

    assert program == "/opt/nuanliu/bin/nuanliu"
    assert {each for each in options if each.startswith("--")} <= option_names(command)
    assert service["User"] == "nuanliu"
    assert service["EnvironmentFile"] == "/etc/nuanliu/env"
    assert service["NoNewPrivileges"] == "yes"
    assert "Install" in read


def test_there_is_a_unit_for_each_kind():
    assert [unit.name for unit in UNITS] == ["nuanliu-web@.service", "nuanliu-worker@.service"]


def test_the_shell_recipe_can_be_read_by_a_shell():
    subprocess.run(["sh", "-n", DEPLOY / "wheelhouse.sh"], check=True)


def test_the_image_runs_as_nobody_special_and_copies_what_is_there():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users == ["10001"]
    assert sum(line.startswith("FROM") for line in lines) == 2
    for line in lines:
        if line.startswith("COPY") and "--from" not in line:
            for name in line.split()[1:-1]:
                assert (ROOT / name).exists(), name


def test_a_forgotten_transaction_ends_in_both_recipes():
    limit = "idle_in_transaction_session_timeout"
    conf = (DEPLOY / "postgresql.conf").read_text(encoding="utf-8")

    assert f"{limit}=60s" in SERVICES["postgres"]["command"]
    assert re.search(rf"^{limit} = 60s$", conf, re.MULTILINE)
