"""What can go wrong, in three families that are never mixed.

* `Rejected`: the caller asked for something that cannot be done; nothing changed.
  Each class carries a stable code and the HTTP status a web shell answers with.
* `Incident`: the model or its data is wrong; it is stored, shown and can be retried.
* `Broken`: our own mistake; it is raised and never caught below the top.

The first line of a class docstring is its default message.  User-facing text is Chinese.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping


class NuanliuError(Exception):
    """流程引擎错误"""

    def __init__(self, message: str | None = None) -> None:
        self.message = message or (inspect.getdoc(type(self)) or "").split("\n", 1)[0]
        super().__init__(self.message)


class Rejected(NuanliuError):
    """请求不能受理"""

    code = "REJECTED"
    http_status = 400


class NotFound(Rejected):
    """没有找到，或者您无权查看"""

    code = "NOT_FOUND"
    http_status = 404


class NotAllowed(Rejected):
    """您没有办理这件事的权限"""

    code = "NOT_ALLOWED"
    http_status = 403


class SeparationOfDuties(NotAllowed):
    """经办与审核不能是同一人"""

    code = "SEPARATION_OF_DUTIES"


class InvalidState(Rejected):
    """当前状态不允许这样做"""

    code = "INVALID_STATE"
    http_status = 409


class Stale(Rejected):
    """您打开页面之后，这件事已经被别人更新，请刷新后再办"""

    code = "STALE"
    http_status = 409


class AlreadyExists(Rejected):
    """已经存在"""

    code = "ALREADY_EXISTS"
    http_status = 409


class InvalidInput(Rejected):
    """填写的内容有误，请按提示修改

    `fields` maps a field path to its message; an empty path is about the whole form.
    """

    code = "INVALID_INPUT"
    http_status = 422

    def __init__(self, message: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields: dict[str, str] = dict(fields or {})


class NotCorrelated(Rejected):
    """没有流程在等待这条消息"""

    code = "NOT_CORRELATED"
    http_status = 409


class DeploymentRefused(Rejected):
    """流程没有通过发布检查

    `findings` holds every reason, each with file, line and element.
    """

    code = "DEPLOYMENT_REFUSED"
    http_status = 422

    def __init__(self, message: str | None = None, findings: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        self.findings = findings


class BusinessError(NuanliuError):
    """业务错误

    Raised by an operation; becomes a BPMN error event with this code (BPMN 2.0.2 §10.5.6). The
    process goes on in the same transaction, so what the operation wrote before stays: decide first,
    then write.
    """

    def __init__(self, error_code: str, message: str | None = None) -> None:
        super().__init__(message)
        self.error_code = error_code


class Incident(NuanliuError):
    """流程模型或数据有误，已登记为异常"""

    code = "INCIDENT"


class ModelFault(Incident):
    """流程模型在运行中出错

    `element` is the id of the flow node at fault, where one is known.
    """

    code = "MODEL_FAULT"

    def __init__(self, message: str | None = None, element: str | None = None) -> None:
        super().__init__(message)
        self.element = element


class Broken(NuanliuError):
    """程序内部错误"""
