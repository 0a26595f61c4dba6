"""The relief chain by clicks alone: two towns, three villages, every exception, to the archive."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import xlsxwriter

from engine import SYSTEM
from workflows.demo.relief_households import Mark, marked, of_village
from workflows.demo.relief_people import COUNTY, TOWNS, holder
from workflows.domain import bank_account, payout_file
from workflows.domain.roster_import import COLUMNS

WAN, QIAN = TOWNS[0], TOWNS[2]
NEAR, FAR, HILL = "349898101201", "349898101202", "349898103201"


def plain(order: int) -> dict[str, Any]:
    """A household of the invented county without anything special."""
    found = [h for h in of_village("349898102204") if h.mark is None and len(h.data["members"]) < 5]
    return dict(found[order].data)


def entered(data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A household as the page of one household wants it."""
    kept = {key: value for key, value in data.items() if key != "members"} | changes
    people = data["members"]
    return {key: str(v) if not isinstance(v, list) else v for key, v in kept.items()} | {
        "member_name": [one["name"] for one in people],
        "member_relation": [
            one["relation"] if one["relation"] in ("户主", "配偶") else "其他" for one in people
        ],
        "member_id": [one["id_no"] for one in people],
        "member_known": ["" for _ in people],
        "member_needy": ["yes" for _ in people],
    }


def table(*households: dict[str, Any], village: str) -> tuple[str, bytes]:
    """The 25 columns filled in."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, COLUMNS)
    for row, data in enumerate(households, 1):
        cells = {
            "户主姓名": data["head_name"], "身份证号码": data["id_no"], "家庭人口": "1",
            "家庭类型": "低保户", "户口类型": "农村", "行政村代码": village, "需取暖": "200",
            "发放方式": "银行发放", "开户银行": data["bank"], "帐号": data["account_no"],
        }  # fmt: skip
        for column, name in enumerate(COLUMNS):
            sheet.write_string(row, column, str(cells.get(name, "")))
    book.close()
    return "名册.xlsx", out.getvalue()


def register(clerk: Any, *households: dict[str, Any]) -> None:
    """Each household is typed in on its page."""
    clerk.open("登记或导入").follow("登记一户")
    for data in households:
        form = clerk.tree.get_element_by_id("line-form")
        clerk.fill(form, entered(data), button="保存并登记下一户")
        assert "已保存" in clerk.html


def appraise(panel: Any, verdicts: dict[str, dict[str, str]], present: int = 7) -> None:
    """The meeting, then a vote on every household; `verdicts` by head's name."""
    panel.open("民主评议")
    panel.do(
        "roster.set_meeting",
        {"place": "村委会", "host": "主持人", "due_n": "9", "present_n": str(present),
         "attendees": [i.get("value") for i in panel.tree.iterfind(".//input[@name='attendees']")]},
    )  # fmt: skip
    while True:
        folds = [
            fold
            for fold in panel.tree.iterfind(".//details")
            if fold.find(".//input[@name='agree']") is not None
            and "重新表决" not in fold.find("summary").text_content()
        ]
        if not folds:
            break
        head = folds[0].find("summary/b").text_content()
        line = folds[0].find(".//input[@name='line']").get("value")
        panel.do("roster.record_appraisal", verdicts.get(head, {"level": "一般"}), line=line)
    panel.complete()


def visit(clerk: Any, snap: Any) -> None:
    """Two people and a photo."""
    clerk.open("入户核查")
    offered = [box.get("value") for box in clerk.tree.iterfind(".//input[@name='f-surveyors']")]
    clerk.complete(data={"surveyors": offered[:2], "photos": [snap("入户")]})


def hang(person: Any, step: str, snap: Any) -> None:
    """A notice hangs, with a photo."""
    person.open(step)
    person.complete(data={"places": ["村务公开栏", "自然村组"], "photos": [snap("公示")]})


def close(person: Any, step: str, snap: Any) -> None:
    """The notice is photographed at its end."""
    person.open(step)
    person.complete(data={"photos": [snap("届满")]})


def object_to(county: Any, village: str, number: int, kind: str, text: str) -> str:
    """A citizen without any login objects to a household; the receipt."""
    citizen = county.anybody().get("/public/notices").follow(village).follow("我有异议")
    form = citizen.tree.get_element_by_id("objection-form")
    ref = next(
        one.get("value")
        for one in form.iterfind(".//select[@name='line']/option")
        if one.text_content().startswith(f"第 {number} 号")
    )
    citizen.fill(form, {"line": ref, "kind": kind, "text": text, "objector": "一位村民"})
    assert "回执" in citizen.text
    return citizen.page.request.path.rpartition("/")[2]


def answer(county: Any, town: str, verdict: dict[str, Any]) -> None:
    """Two clerks of the town check; the first may not confirm himself."""
    first, second = (county.person("town_clerk", town, order) for order in (0, 1))
    first.open("受理并核查").complete(data=verdict)
    first.open("第二人确认")
    assert not [b for b in first.tree.iterfind(".//button") if "确认结论" in b.text_content()]
    second.open("第二人确认").complete("确认结论")


def review_all(person: Any, operation: str) -> None:
    """其余通过."""
    person.fill(person.form(f"/actions/{operation}"))


def bank_file(bank: Any, fails: dict[str, str]) -> tuple[str, bytes]:
    """The bank downloads the file and answers every row; `fails` by head's name."""
    form = bank.form("/file", kind="csv")
    bank.send(form.get("action"), {"kind": "csv", "purpose": "代发银行入账"})
    rows = list(csv.reader(io.StringIO(bank.page.get_data().decode("gb18030"))))
    number = rows[0][1]
    results = [
        payout_file.ReturnRow(
            row_no=int(row[1]), is_paid=row[9] not in fails, code="E1" if row[9] in fails else "0",
            reason=fails.get(row[9], ""), booked_at="2026-02-02 10:00", reference=f"T{row[1]}",
            paid_fen=0 if row[9] in fails else round(float(row[14]) * 100),
        )
        for row in rows[2:]
    ]  # fmt: skip
    return f"{number}.csv", payout_file.render_return(number, results)


def pay(county: Any, town: str, fails: dict[str, str] | None = None) -> None:
    """A file is made, checked by another office, handed over, returned."""
    maker, checker = county.person("county_clerk", COUNTY), county.person("county_finance", COUNTY)
    name = {WAN: "柳河镇", QIAN: "青崖乡"}[town]
    maker.open("制作报盘文件", name).complete()
    checker.open("财政复核", name).complete("同意")
    bank = county.person("bank", COUNTY).get("/payouts").follow(f"{name} 第")
    batch = bank.page.request.path
    content = bank_file(bank, fails or {})
    bank.get(batch)
    bank.fill(bank.form("/return"), {"file": [content]})
    assert "回盘已导入" in bank.html


def test_a_winter_from_campaign_to_archive_by_clicks(county, snap):
    relative = holder("village_panel", NEAR)
    kin, six = marked(Mark.KIN).data, marked(Mark.OVER_CAP).data
    upheld, dismissed = plain(0), plain(1)
    county.engine.runtime.perform(
        "kin.register",
        SYSTEM,
        {"participant": relative.id, "id_no": kin["id_no"], "relation": "兄弟姐妹"},
    )

    # --- the county begins: money, shares, signature
    clerk, approver = (
        county.person("county_clerk", COUNTY),
        county.person("county_approver", COUNTY),
    )
    clerk.get("/processes/relief_main/start")
    begin = clerk.tree.get_element_by_id("start-form")
    money = {"f-name": "2025—2026年度冬春救助", "f-document_no": "安应急〔2025〕12号",
             "f-hotline": "0000-7654321"}  # fmt: skip
    clerk.fill(begin, {**money, "f-total": "很多"}, status=422)
    assert "2025—2026年度冬春救助" in clerk.html
    clerk.fill(begin, {**money, "f-total": "20000.00"})
    county.settle()
    clerk.open("资金分解")
    clerk.do("funds.save_share", {"amount": "25000"}, status=409, unit=WAN)
    assert 'value="25000"' in clerk.html
    clerk.do("funds.save_share", {"amount": "14000.00"}, unit=WAN)
    clerk.do("funds.save_share", {"amount": "6000.00"}, unit=QIAN)
    clerk.complete(data={"document_no": "暖应急〔2026〕1号", "schedule_choice": "公示期优先，顺延"})
    approver.open("分解方案签批").complete("同意")
    county.settle()

    # --- three villages register: by hand, by table, with what must be refused
    near, far, hill = (county.person("village_clerk", v) for v in (NEAR, FAR, HILL))
    register(near, upheld, dismissed, dict(kin), dict(six), plain(2))
    near.open("登记或导入").complete()

    claimed = plain(3)
    stolen = {**claimed, "members": [*claimed["members"], dict(upheld["members"][0])]}
    stolen |= {"members_n": len(stolen["members"]), "need_n": len(stolen["members"])}
    far.open("登记或导入").follow("登记一户")
    form = far.tree.get_element_by_id("line-form")
    far.fill(form, entered(stolen), status=409)
    assert "已登记在“" in far.text
    assert claimed["address"] in far.html
    assert upheld["id_no"] in far.html, "what was typed comes back to whoever typed it"

    mismatch, death, cash = plain(3), plain(4), dict(marked(Mark.CASH).data)
    far.open("登记或导入").follow("从 Excel 导入")
    importing = far.tree.get_element_by_id("import-form")
    wrong = {**mismatch, "id_no": mismatch["id_no"][:-1] + "?"}
    far.fill(importing, {"file": [table(wrong, death, village=FAR)]}, status=422)
    assert "第 2 行·身份证号码" in far.text
    far.fill(importing, {"file": [table(mismatch, death, village=FAR)]})
    assert "已导入 2 户" in far.html
    register(far, cash)
    far.open("登记或导入").complete()

    urban, country = dict(marked(Mark.URBAN).data), plain(6)
    register(hill, urban, country)
    hill.open("登记或导入").complete()

    # --- visits, appraisals, the contradiction
    for who in (near, far, hill):
        if who.tasks("入户核查"):
            visit(who, snap)
    first, second = (county.person("village_panel", NEAR, order) for order in (0, 1))
    first.open("民主评议")
    first.do("roster.set_meeting", {"place": "村委会", "host": "某人", "due_n": "9",
                                    "present_n": "5", "attendees": [relative.id]}, status=409)  # fmt: skip
    assert "三分之二" in first.text
    first.do("roster.set_meeting", {"present_n": "7"})
    assert "须由他人登记表决" in first.text
    task = first.page.request.path
    line = _line_of(county, clerk, kin["head_name"])
    vote = {"line": line, "agree": "7", "against": "0", "abstain": "0", "level": "一般"}
    first.send(f"{task}/actions/roster.record_appraisal", vote, status=403)
    assert "近亲属" in first.text
    first.send(f"{task}/release", {"version": _hidden(first, "version")})
    appraise(second, {kin["head_name"]: {"agree": "6", "level": "一般"}})
    head, leader = county.person("village_head", NEAR), county.person("town_leader", WAN)
    head.open("村说明特殊情形")
    head.do(
        "roster.state_exception", {"amount": "10", "reason": "六口之家，两条标准矛盾"}, status=422
    )
    head.do("roster.state_exception", {"amount": "540", "reason": "六口之家，两条标准矛盾"})
    head.complete()
    leader.open("乡镇核准特殊情形").complete("同意盖章")
    appraise(county.person("village_panel", FAR), {})
    refused = {"level": "", "agree": "0", "against": "7", "reason": "户口为城镇，不在救助范围"}
    hills = county.person("village_panel", HILL)
    hills.open("民主评议")
    hills.do(
        "roster.set_meeting", {"place": "村委会", "host": "某人", "due_n": "9", "present_n": "7"}
    )
    city = _line_of(county, clerk, urban["head_name"])
    hills.do("roster.record_appraisal", {"level": "一般"}, status=409, line=city)
    assert "不含城镇居民" in hills.text
    appraise(hills, {urban["head_name"]: refused})

    # --- notices, objections
    town = county.person("town_clerk", WAN)
    for who in (near, far, hill):
        hang(who, "村内张贴", snap)
    for _ in (near, far):
        hang(town, "乡镇张贴", snap)
    county.settle()
    receipt = object_to(county, "河湾村", 1, "人口虚报", "这一户有人长年在外务工")
    county.settle()
    answer(
        county, WAN, {"verdict": "成立调整", "needy": "1", "reply": "核减长期外出人员，金额调整"}
    )
    county.settle()
    assert "成立调整" in county.anybody().get(f"/public/objections/{receipt}").text
    object_to(county, "河湾村", 2, "金额", "金额比我家多，请核对")
    county.settle()
    answer(county, WAN, {"verdict": "不成立", "reply": "人口较多，金额符合标准"})
    assert _number_free(county, [upheld, dismissed, kin, six, mismatch, death, cash, urban])
    county.travel(11)
    for who in (near, far, hill):
        close(who, "村届满取证", snap)
    for _ in (near, far):
        close(town, "乡镇届满取证", snap)
    county.settle()
    again = near.open("村内张贴")
    assert again.text.count(upheld["head_name"]) >= 1
    assert dismissed["head_name"] not in again.text, "only the changed household is posted again"
    hang(near, "村内张贴", snap)
    hang(town, "乡镇张贴", snap)
    county.travel(11)
    close(near, "村届满取证", snap)
    close(town, "乡镇届满取证", snap)
    county.settle()

    # --- villages report, the town returns one household, signs, reports
    for village in (NEAR, FAR, HILL):
        county.person("village_head", village).open("村报送").complete()
    county.settle()
    town.open("乡审")
    back = _line_of(county, clerk, plain(2)["head_name"])
    town.get(f"{town.page.request.path}?village={NEAR}")
    town.do("roster.review_line", {"opinion": "退回补正", "reason": ""}, status=422, line=back)
    town.do("roster.review_line", {"opinion": "退回补正", "reason": "请核实外出人员"}, line=back)
    review_all(town, "roster.pass_rest")
    town.complete()
    county.settle()
    near.open("补正").follow("修改")
    near.fill(
        near.tree.get_element_by_id("line-form"), {"reason": "已核实，无长期外出"}, button="保存"
    )
    near.open("补正").complete()
    county.settle()
    town.open("乡审")
    review_all(town, "roster.pass_rest")
    town.complete()
    leader.open("分管领导签批").complete("同意")
    qian = county.person("town_clerk", QIAN)
    qian.open("乡审")
    review_all(qian, "roster.pass_rest")
    qian.complete()
    county.person("town_leader", QIAN).open("分管领导签批").complete("同意")
    county.settle()
    hang(qian, "乡镇张贴", snap)
    county.travel(4)
    close(qian, "乡镇届满取证", snap)
    county.settle()
    for one in (town, qian):
        one.open("乡报县").complete()
    county.settle()

    # --- the county checks, decides; somebody dies before the payment
    for name in ("柳河镇", "青崖乡"):
        clerk.open("县审", name)
        review_all(clerk, "roster.county_pass_rest")
        _visit_homes(clerk)
        clerk.complete("审核通过")
        approver.open("县定", name).complete("同意")
    county.settle()
    dead = _line_of(county, clerk, death["head_name"])
    far.get(f"/rosters/lines/{dead}")
    far.fill(far.form("/cancel"), {"reason": ""}, status=422)
    far.fill(far.form("/cancel"), {"reason": "户主1月27日去世"})
    assert "注销" in far.text

    # --- money: one payment fails, is mended by two people and sent again; cash against a receipt
    pay(county, WAN, {mismatch["head_name"]: "户名不符"})
    pay(county, QIAN)
    county.settle()
    far.open("联系本人更正", mismatch["head_name"])
    assert "户名不符" in far.text
    number = bank_account.make_card("629898999999999999")
    far.complete("已取得新账户", {"account_no": number, "account_kind": "社保卡",
                             "photos": [snap("证件与卡")]})  # fmt: skip
    town.open("第二人核实").complete("证件与卡相符")
    town.open("现金或代领").complete(
        data={"receiver": cash["head_name"], "photos": [snap("签收单")]}
    )
    leader.open("第二人核对签收单").complete("签收属实")
    county.settle()
    pay(county, WAN)
    county.settle()

    # --- published, archived
    for who in (near, far, hill):
        who.open("公布发放结果").complete(data={"places": ["村务公开栏"], "photos": [snap("结果")]})
    county.settle()
    clerk.open("归档")
    assert "卷宗齐全" in clerk.text
    clerk.complete()
    clerk.get("/instances?status=completed")
    assert "relief" not in clerk.text
    clerk.get("/payouts")
    assert clerk.text.count("已入账") == 3
    assert not county.engine.history.verify()


def _visit_homes(clerk: Any) -> None:
    """Every household is visited, so that every relative and the share to spot-check is."""
    page = clerk.page.request.path
    for address in dict.fromkeys(
        a.get("href") for a in clerk.tree.iterfind(".//nav[@class='tabs']/a")
    ):
        clerk.get(address.partition("#")[0])
        for line in [i.get("value") for i in clerk.tree.iterfind(".//input[@name='line']")]:
            clerk.do("roster.county_review_line", {"opinion": "通过", "spot": "入户"}, line=line)
            clerk.get(address.partition("#")[0])
    clerk.get(page)


def _line_of(county: Any, person: Any, head: str) -> str:
    """Looks a household up by its name, as people do."""
    browser = county.person("county_clerk", COUNTY, 1)
    browser.get(f"/rosters?q={head}")
    return str(re.search(r'href="/rosters/lines/([0-9a-f-]{36})"', browser.html)[1])


def _hidden(person: Any, name: str) -> str:
    return str(re.search(rf'name="{name}" value="([^"]*)"', person.html)[1])


def _number_free(county: Any, households: list[dict[str, Any]]) -> bool:
    """No identity, account or phone number of anybody occurs in what everybody may read."""
    citizen = county.anybody().get("/public/notices")
    pages = [citizen.html]
    for address in re.findall(r'href="(/public/notices/[0-9a-f-]{36})"', citizen.html):
        pages += [citizen.get(address).html, citizen.get(f"{address}/objection").html]
    numbers = [
        number
        for data in households
        for number in (
            data["id_no"], data["account_no"], data["phone"], data["id_no"][6:14],
            *(one["id_no"] for one in data["members"]),
        )
    ]  # fmt: skip
    assert len(pages) == 7
    return not [n for n in numbers for page in pages if n in page]
