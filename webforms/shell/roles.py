"""Groups of roles that open areas of the shell (domain: roles and levels)."""

from __future__ import annotations

SYSTEM_ADMIN = "sys_admin"
SECURITY_ADMIN = "sec_admin"
AUDIT_ADMIN = "audit_admin"
ADMINISTRATORS = (SYSTEM_ADMIN, SECURITY_ADMIN, AUDIT_ADMIN)

OBSERVERS = ("province_view", "audit", "discipline", SYSTEM_ADMIN, AUDIT_ADMIN)
"""Who may look into any case below his unit: oversight, and whoever mends what is stuck."""

LEADERS = (
    "village_head",
    "town_leader",
    "county_clerk",
    "county_approver",
    "station_head",
    "safety_head",
    "inspector",
    "city_leader",
    "province_view",
    "audit",
    "discipline",
)
"""Who watches a subtree: the overdue board and the load of the units below."""

TITLES = {
    "village_clerk": "村（社区）经办人",
    "village_panel": "民主评议会成员",
    "village_head": "村（居）委会主任",
    "town_clerk": "乡镇业务经办",
    "town_leader": "乡镇分管领导",
    "county_clerk": "县级经办",
    "county_approver": "县级审批",
    "county_finance": "县财政",
    "bank": "代发银行",
    "station_duty": "救助站值班员",
    "station_care": "救助站照料员",
    "station_head": "救助站站长",
    "safety_officer": "机构安全员",
    "safety_head": "机构主要负责人",
    "inspector": "市级检查组",
    "city_leader": "市级领导",
    "dispatcher": "调度席",
    "province_view": "省级督查",
    "audit": "审计",
    "discipline": "纪检监察",
    "sys_admin": "系统管理员",
    "sec_admin": "安全管理员",
    "audit_admin": "审计管理员",
}
"""What the roles are called; a role of an administrator's own package shows its key."""


def title(role: str) -> str:
    """The Chinese name of a role key."""
    return TITLES.get(role, role)
