"""The model editor: load, check, keep as a draft, publish. The gate is the engine's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from flask import Response, jsonify, request, url_for
from lxml import etree
from werkzeug.wrappers import Response as WerkzeugResponse

from engine import Finding, Package, drawing, errors
from webforms.admin import seats
from webforms.admin.blueprint import blueprint
from webforms.database import engine
from webforms.shell import roles, security
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext

MAXIMUM_XML = 4 * 1024 * 1024
SEVERITIES = {"error": 0, "warning": 1}


@blueprint.get("/admin/definitions/<key>/modeler")
@requires(roles.SYSTEM_ADMIN)
def modeler(key: str) -> str:
    """The editor on the draft, where there is one, else on the latest version."""
    latest = engine().repository.latest(key)
    package = engine().repository.package(latest.id)
    security.allow_style_attributes()
    return render(
        "admin/modeler.html",
        definition={"name": latest.title, "key": key, "version": latest.version},
        xml=drawing.editable(_current_xml(package)).decode("utf-8"),
        catalogue=_catalogue(package),
        urls={
            "validate": url_for("admin.modeler_validate", key=key),
            "draft": url_for("admin.modeler_draft", key=key),
            "publish": url_for("admin.modeler_publish", key=key),
            "back": url_for("admin.definition", key=key),
        },
        needs_second=engine().confirmations.are_needed,
    )


@blueprint.get("/admin/definitions/<key>/xml")
@requires(roles.SYSTEM_ADMIN)
def definition_xml(key: str) -> Response:
    """The model as a file to keep."""
    answer = Response(_current_xml(_package(key)), mimetype="application/xml")
    answer.headers["Content-Disposition"] = f'attachment; filename="{key}.bpmn"'
    return answer


@blueprint.post("/admin/definitions/<key>/modeler/validate")
@requires(roles.SYSTEM_ADMIN)
def modeler_validate(key: str) -> Response:
    """Everything the gate has to say, by element."""
    findings = engine().repository.examine(_edited(key))
    return jsonify(message=_verdict(findings), findings=_told(findings))


@blueprint.post("/admin/definitions/<key>/modeler/draft")
@requires(roles.SYSTEM_ADMIN)
def modeler_draft(key: str) -> Response:
    """Keep the model as it is, right or wrong; nothing runs on a draft."""
    package = _package(key)
    engine().repository.save_draft(key, package.bpmn, _posted_xml(), current_actor())
    return jsonify(message=gettext("草稿已保存"), findings=[])


@blueprint.post("/admin/definitions/<key>/modeler/discard")
@requires(roles.SYSTEM_ADMIN)
def modeler_discard(key: str) -> WerkzeugResponse:
    """Forget the draft."""
    engine().repository.discard_drafts(key)
    return see_other("admin.definition", key=key)


@blueprint.post("/admin/definitions/<key>/modeler/publish")
@requires(roles.SYSTEM_ADMIN)
def modeler_publish(key: str) -> tuple[Response, int] | Response:
    """Publish as a new version, or let a second administrator do so; refused with every reason.

    Running cases stay on their versions.
    """
    edited, actor = _edited(key), current_actor()
    try:
        if engine().confirmations.are_needed:
            return _ordered(edited)
        published = engine().repository.deploy(edited, actor)
    except errors.DeploymentRefused as error:
        findings = [one for one in error.findings if isinstance(one, Finding)]
        return jsonify(message=error.message, findings=_told(findings)), 422
    except (errors.InvalidInput, errors.InvalidState) as error:
        return jsonify(message=error.message, findings=[]), error.http_status
    engine().repository.discard_drafts(key)
    return jsonify(
        message=gettext("已发布第 %(n)s 版", n=published.version) + _vacant(key),
        findings=[],
        redirect=url_for("admin.definition", key=key),
    )


def _ordered(edited: Package) -> Response:
    """It waits for a second administrator; the draft stays until he agrees."""
    actor, repository = current_actor(), engine().repository
    order = engine().confirmations.ask_publish(edited, actor)
    repository.save_draft(edited.key, edited.bpmn, edited.files[edited.bpmn], actor)
    return jsonify(
        message=gettext("已提交复核，另一名系统管理员同意后生效"),
        findings=[],
        redirect=url_for("admin.confirmation", order_id=order),
    )


def _vacant(key: str) -> str:
    """How many desks of the process nobody holds; nothing where all are held."""
    total = seats.of_package(engine(), _package(key)).total
    return gettext("；注意：有 %(n)s 个岗位没有人", n=total) if total else ""


def _package(key: str) -> Package:
    return engine().repository.package(engine().repository.latest(key).id)


def _current_xml(package: Package) -> bytes:
    draft = engine().repository.load_draft(package.key, package.bpmn)
    return draft if draft is not None else package.files[package.bpmn]


def _edited(key: str) -> Package:
    """The latest package with the posted model in place of its own."""
    package = _package(key)
    return dataclasses.replace(package, files={**package.files, package.bpmn: _posted_xml()})


def _posted_xml() -> bytes:
    content = request.get_data(cache=False)
    if not content.strip() or len(content) > MAXIMUM_XML:
        raise errors.InvalidInput("没有收到流程图，或者它太大")
    return content


def _verdict(findings: Iterable[Finding]) -> str:
    wrong = sum(1 for one in findings if one.is_error)
    if wrong:
        return str(gettext("有 %(n)s 处错误，改正后才能发布", n=wrong))
    return str(gettext("检查通过，可以发布"))


def _told(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    ordered = sorted(findings, key=lambda one: (SEVERITIES.get(one.severity, 2), one.line or 0))
    return [
        {
            "element": one.element,
            "severity": one.severity,
            "message": one.message,
            "rule": one.rule,
            "file": one.file,
            "line": one.line,
            "path": list(one.path),
        }
        for one in ordered
    ]


def _catalogue(package: Package) -> dict[str, list[dict[str, str]]]:
    """What the panel offers to choose from."""
    forms = [PurePosixPath(path).stem for path in package.files if path.startswith("forms/")]
    others = {one.key: one.title for one in engine().repository.definitions() if one.is_latest}
    return {
        "forms": [{"id": name, "name": name} for name in sorted(forms)],
        "roles": [{"id": key, "name": title} for key, title in package.roles.items()],
        "operations": [{"id": name, "name": name} for name in package.operations],
        "ladders": [{"id": name, "name": name} for name in package.ladders],
        "decisions": _decisions(package),
        "processes": [{"id": key, "name": title} for key, title in sorted(others.items())],
    }


def _decisions(package: Package) -> list[dict[str, str]]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return [
        {"id": str(node.get("id", "")), "name": str(node.get("name") or node.get("id", ""))}
        for path, content in package.files.items()
        if path.endswith(".dmn")
        for node in etree.fromstring(content, parser).iter("{*}decision")
    ]
