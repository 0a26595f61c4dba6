"""The same few processes as each modelling tool would write them: prefixes, attributes, habits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
CAMUNDA = 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
ZEEBE = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
FLOWABLE = 'xmlns:flowable="http://flowable.org/bpmn"'
ACTIVITI = 'xmlns:activiti="http://activiti.org/bpmn"'
JBPM = 'xmlns:drools="http://www.jboss.org/drools" xmlns:tns="http://www.jboss.org/drools"'
SIGNAVIO = 'xmlns:signavio="http://www.signavio.com"'


@dataclass(frozen=True, kw_only=True)
class Tool:
    """How one tool writes; parts are without prefix and get the tool's."""

    name: str
    prefix: str = "bpmn"
    #: further namespaces
    spaces: str = ""
    #: attributes of definitions
    about: str = 'targetNamespace="http://tool.example/process"'
    encoding: str = "UTF-8"
    declared: str | None = None
    bom: bool = False
    blank: str = ""
    #: the attribute of the process; None leaves it out
    executable: str | None = "true"
    process: str = ""
    flow_ids: bool = True
    lists: bool = True
    #: attributes and extensions
    user: str = ""
    user_extension: str = ""
    start: str = ""
    everywhere: str = ""
    flow_extension: str = ""
    formal: str = 'xsi:type="{p}tFormalExpression"'
    condition: str = "${{{feel}}}"
    documentation: str = ""
    diagram: str = "none"
    beside: str = ""
    inside: str = ""
    names: dict[str, str] = field(default_factory=dict)


TOOLS = (
    Tool(name="bpmn.io", diagram="full", condition="={feel}"),
    Tool(
        name="Camunda Modeler 7",
        spaces=f'{CAMUNDA} xmlns:modeler="http://camunda.org/schema/modeler/1.0"',
        about='targetNamespace="http://bpmn.io/schema/bpmn" exporter="Camunda Modeler"'
        ' exporterVersion="5.10.0" modeler:executionPlatform="Camunda Platform"'
        ' modeler:executionPlatformVersion="7.19.0"',
        process='camunda:historyTimeToLive="P30D"',
        user='camunda:assignee="${clerk}" camunda:candidateGroups="clerks" camunda:formKey="review"'
        ' camunda:dueDate="P3D" camunda:priority="60" camunda:asyncBefore="true"',
        user_extension='<camunda:formData><camunda:formField id="x" type="string"/></camunda:formData>'
        '<camunda:properties><camunda:property name="a" value="b"/></camunda:properties>',
        diagram="full",
    ),
    Tool(
        name="Camunda Modeler 8",
        spaces=f'{ZEEBE} xmlns:modeler="http://camunda.org/schema/modeler/1.0"',
        about='targetNamespace="http://bpmn.io/schema/bpmn" modeler:executionPlatform="Camunda Cloud"',
        user_extension='<zeebe:userTask/><zeebe:assignmentDefinition assignee="=clerk" candidateGroups="clerks"/>'
        '<zeebe:formDefinition formId="review"/><zeebe:taskSchedule dueDate="=duration(&quot;P3D&quot;)"/>'
        '<zeebe:ioMapping><zeebe:output source="=approved" target="approved"/></zeebe:ioMapping>',
        condition="={feel}",
        diagram="full",
    ),
    Tool(
        name="Flowable Design",
        prefix="",
        spaces=FLOWABLE,
        about='targetNamespace="http://flowable.org/test" typeLanguage="http://www.w3.org/2001/XMLSchema"'
        ' expressionLanguage="http://www.w3.org/1999/XPath"',
        user='flowable:assignee="$INITIATOR" flowable:formFieldValidation="true" flowable:category="x"',
        user_extension='<modeler:initiator-can-complete xmlns:modeler="http://flowable.com/modeler">'
        "<![CDATA[false]]></modeler:initiator-can-complete>",
        start='flowable:initiator="INITIATOR"',
        condition="<![CDATA[${{{feel}}}]]>",
        lists=False,
        diagram="full",
    ),
    Tool(
        name="Flowable's test models", prefix="", spaces=FLOWABLE, flow_ids=False, lists=False,
        about='targetNamespace="Examples"', executable=None,
        user='flowable:candidateGroups="clerks" flowable:async="false"',
    ),
    Tool(
        name="Activiti Designer", prefix="", spaces=ACTIVITI, lists=False, diagram="full",
        about='targetNamespace="http://www.activiti.org/test"',
        user='activiti:assignee="${clerk}" activiti:dueDate="${limit}" activiti:priority="50"',
        condition="<![CDATA[${{{feel}}}]]>",
        user_extension='<activiti:formProperty id="x" name="X" type="string"/>',
    ),
    Tool(
        name="Activiti 5 by hand", prefix="", spaces=ACTIVITI, flow_ids=False, lists=False, formal="",
        about='targetNamespace="Examples"', executable=None,
        user='activiti:candidateUsers="kermit,gonzo"',
    ),
    Tool(
        name="jBPM", prefix="bpmn2", spaces=JBPM, process='drools:packageName="com.x" drools:version="1.0"',
        about='targetNamespace="http://www.omg.org/bpmn20" exporter="jBPM Process Modeler"',
        user='drools:selectable="true"',
        user_extension='<drools:metaData name="elementname"><drools:metaValue><![CDATA[审核]]>'
        "</drools:metaValue></drools:metaData>",
        condition="={feel}", diagram="full",
    ),
    Tool(
        name="Signavio", prefix="", spaces=SIGNAVIO, executable="false", diagram="full",
        about='exporter="Signavio Process Editor, http://www.signavio.com" exporterVersion="16.0"'
        ' targetNamespace="http://www.signavio.com" expressionLanguage="http://www.w3.org/TR/XPath"',
        user='implementation="webService"',
        everywhere='<signavio:signavioMetaData metaKey="bgcolor" metaValue="#ffffcc"/>',
        flow_extension='<signavio:signavioMetaData metaKey="bordercolor" metaValue="#000000"/>',
        condition="{feel}",
    ),
    Tool(
        name="SAP Signavio with a dictionary", prefix="", spaces=SIGNAVIO, executable="false",
        everywhere='<signavio:signavioMetaData metaKey="dictionary" metaValue="x"/>'
        '<signavio:signavioLabel ref="text_name"/>',
        documentation="<![CDATA[<p>审核<b>材料</b></p><!DOCTYPE x>]]>", condition="{feel}",
    ),
    Tool(
        name="Bizagi", prefix="", executable="false",
        spaces='xmlns:bizagi="http://www.bizagi.com/bpmn20"',
        about='targetNamespace="http://www.bizagi.com/definitions/x"',
        everywhere='<bizagi:BizagiExtensions><bizagi:BizagiProperties>'
        '<bizagi:BizagiProperty name="bgColor" value="#ECEFFF"/></bizagi:BizagiProperties>'
        "</bizagi:BizagiExtensions>",
        condition="{feel}", diagram="full", names={"review": "Id_d2a1b1c0-1111-4a6e-9b53-000000000001"},
    ),
    Tool(name="Visio", prefix="", executable=None, about='targetNamespace="http://www.microsoft.com"',
         lists=False, condition="{feel}"),
    Tool(name="ARIS", prefix="semantic", executable="false", bom=True, diagram="full",
         spaces='xmlns:aris="http://www.ariscommunity.com/xml"', condition="{feel}",
         about='targetNamespace="http://www.software-ag.com/aris/bpmn2"', process='processType="None"'),
    Tool(name="ADONIS", prefix="ns2", executable=None, encoding="UTF-16", condition="{feel}",
         about='targetNamespace="http://www.boc-eu.com/"',
         everywhere='<boc:attribute xmlns:boc="http://www.boc-group.com" name="x">y</boc:attribute>'),
    Tool(name="Yaoqiang", prefix="", spaces='xmlns:yaoqiang="http://bpmn.sourceforge.net"',
         about='targetNamespace="http://sourceforge.net/bpmn/definitions/_1" exporter="Yaoqiang BPMN Editor"',
         everywhere='<yaoqiang:style align="right"/>', process='isClosed="false" processType="None"',
         condition="<![CDATA[{feel}]]>", diagram="full", encoding="cp1252", declared="WINDOWS-1252"),
    Tool(name="Trisotec", prefix="semantic", executable="false", condition="{feel}", diagram="full",
         spaces='xmlns:triso="http://www.trisotech.com/2015/triso/modeling"',
         about='targetNamespace="http://www.trisotech.com/definitions/_1" triso:logoChoice="Default"',
         user='triso:shape="x"', documentation="&lt;p&gt;审核&lt;/p&gt;"),
    Tool(name="SAP Build", prefix="bpmn2", executable="false", condition="{feel}",
         spaces='xmlns:sap="http://sap.com/bpmn"', user='sap:kind="approval"'),
    Tool(name="Oracle BPM", prefix="", executable="true", condition="{feel}",
         spaces='xmlns:ojdl="http://xmlns.oracle.com/bpm/OracleExtensions"',
         everywhere='<ojdl:OracleExtensions><ojdl:Layout width="1"/></ojdl:OracleExtensions>'),
    Tool(name="Visual Paradigm", prefix="", executable=None, condition="{feel}",
         about='targetNamespace="http://www.visual-paradigm.com" exporter="Visual Paradigm"',
         everywhere='<vp:x xmlns:vp="http://www.visual-paradigm.com"/>', lists=False),
    Tool(name="Enterprise Architect", prefix="", executable="false", condition="{feel}", lists=False,
         about='exporter="Enterprise Architect" targetNamespace="http://www.sparxsystems.com"'),
    Tool(name="Cardanit", prefix="bpmn", executable="false", condition="{feel}", diagram="twice"),
    Tool(name="iGrafx", prefix="", executable="false", condition="{feel}", lists=False,
         about='targetNamespace="http://www.igrafx.com"', blank="\r\n"),
    Tool(name="Eclipse BPMN2 Modeler", prefix="bpmn2", condition="{feel}", diagram="full",
         spaces='xmlns:ext="http://org.eclipse.bpmn2/ext" xmlns:xs="http://www.w3.org/2001/XMLSchema"',
         about='exporter="org.eclipse.bpmn2.modeler.core" targetNamespace="http://org.eclipse.bpmn2/default/process"',
         inside='<{p}dataObject id="DataObject_1" name="材料" isCollection="false" itemSubjectRef="xs:string"/>'),
    Tool(name="Bonita", prefix="model", condition="{feel}", executable="true",
         about='targetNamespace="http://bonitasoft.com/Pool"',
         beside='<{p}itemDefinition id="id_java" structureRef="java.lang.String"/>'),
    Tool(name="Imixs", prefix="bpmn2", condition="{feel}",
         spaces='xmlns:imixs="http://www.imixs.org/bpmn2"', user='imixs:processid="1000"',
         user_extension='<imixs:item name="txttype" type="xs:string"><imixs:value>x</imixs:value></imixs:item>'),
    Tool(name="ProcessMaker", prefix="bpmn", condition="{feel}",
         spaces='xmlns:pm="http://processmaker.com/BPMN/2.0/Schema.xsd"', user='pm:screenRef="1" pm:allowInterstitial="false"'),
    Tool(name="Kissflow by way of bpmn.io", prefix="bpmn", condition="={feel}", executable=None, flow_ids=False),
    Tool(name="a Chinese office suite", prefix="", encoding="gbk", declared="GBK", executable=None,
         condition="{feel}", lists=False),
    Tool(name="an old Chinese office suite", prefix="", encoding="gb18030", declared="GB18030",
         executable=None, condition="{feel}", blank="\n\n"),
    Tool(name="a tool with a byte order mark", bom=True, condition="{feel}"),
    Tool(name="a tool that draws twice", diagram="twice", condition="{feel}"),
    Tool(name="a tool without target namespace", about="", condition="{feel}"),
    Tool(name="a tool with two default namespaces", prefix="", condition="{feel}", lists=False,
         inside='<task xmlns="http://elsewhere.example/model" id="theirs"/>'),
    Tool(name="a tool with choreography beside", condition="{feel}",
         beside='<{p}choreography id="ch" name="往来"/><{p}partnerEntity id="pe" name="银行"/>'
         '<{p}globalConversation id="gc"/>'),
    Tool(name="a tool with global tasks and data stores", condition="{feel}",
         beside='<{p}globalUserTask id="gt" name="办理"/><{p}dataStore id="ds" name="台账"/>',
         inside='<{p}dataStoreReference id="dsr" name="台账" dataStoreRef="ds"/>'),
    Tool(name="a tool with imports of types", condition="{feel}",
         beside='<{p}import importType="http://www.w3.org/2001/XMLSchema" location="t.xsd" namespace="urn:t"/>'),
    Tool(name="a tool that names everything Start", condition="{feel}", names={"s": "Start"}),
    Tool(name="a tool that numbers its ids", condition="{feel}", names={"review": "1", "e": "2.1"}),
    Tool(name="a tool with empty names", condition="{feel}", user='name=""'),
    Tool(name="a tool with lanes and notes", condition="{feel}",
         inside='<{p}laneSet id="ls"><{p}lane id="l1" name=""><{p}flowNodeRef>{review}</{p}flowNodeRef></{p}lane></{p}laneSet>'
         '<{p}textAnnotation id="ta"><{p}text>注</{p}text></{p}textAnnotation>'
         '<{p}association id="as" sourceRef="{review}" targetRef="ta"/><{p}group id="gr"/>'),
)  # fmt: skip


def review(tool: Tool) -> str:
    """Somebody reviews; what is big goes to a second desk."""
    return "".join(
        [
            _node(tool, "startEvent", "s", "收到", tool.start, out=("s", "review")),
            _user(tool, "review", "审核", (("s", "review"), ("back", "review")), (("review", "g"),)),
            _node(
                tool, "exclusiveGateway", "g", "金额大？", f'default="{_flow_id(tool, "g", "e")}"' if tool.flow_ids else "",
                into=(("review", "g"),), out=(("g", "back"), ("g", "e")),
            ),
            _user(tool, "back", "复核", (("g", "back"),), (("back", "review"),)),
            _node(tool, "endEvent", "e", "办结", into=(("g", "e"),)),
            _flow(tool, "s", "review"),
            _flow(tool, "review", "g"),
            _flow(tool, "g", "back", "amount > 3"),
            _flow(tool, "g", "e", None if tool.flow_ids else "amount <= 3"),
            _flow(tool, "back", "review"),
        ]
    )  # fmt: skip


def timer(tool: Tool) -> str:
    """A task that is given up after three days."""
    p = _p(tool)
    return "".join(
        [
            _node(tool, "startEvent", "s", "收到", tool.start, out=("s", "review")),
            _user(tool, "review", "审核", (("s", "review"),), (("review", "e"),)),
            f'<{p}boundaryEvent id="late" name="超期" attachedToRef="{_id(tool, "review")}">'
            + (f"<{p}outgoing>{_flow_id(tool, 'late', 'e2')}</{p}outgoing>" if tool.lists and tool.flow_ids else "")
            + f"<{p}timerEventDefinition><{p}timeDuration {tool.formal.format(p=p)}>P3D</{p}timeDuration>"
            f"</{p}timerEventDefinition></{p}boundaryEvent>",
            _node(tool, "endEvent", "e", "办结", into=(("review", "e"),)),
            _node(tool, "endEvent", "e2", "作废", into=(("late", "e2"),)),
            _flow(tool, "s", "review"),
            _flow(tool, "review", "e"),
            _flow(tool, "late", "e2"),
        ]
    )  # fmt: skip


MODELS: dict[str, Callable[[Tool], str]] = {"review": review, "timer": timer}


def written(tool: Tool, model: str) -> bytes:
    """The file as the tool writes it."""
    p = _p(tool)
    own = f'xmlns{":" + tool.prefix if tool.prefix else ""}="{MODEL}"'
    executable = "" if tool.executable is None else f'isExecutable="{tool.executable}"'
    names = {"p": p, "review": _id(tool, "review")}
    text = (
        f'<?xml version="1.0" encoding="{tool.declared or tool.encoding}"?>\n'
        f'<{p}definitions {own} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"'
        ' xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"'
        f' xmlns:di="http://www.omg.org/spec/DD/20100524/DI" {tool.spaces} id="d" {tool.about}>\n'
        f"{tool.beside.format(**names)}"
        f'<{p}process id="case" name="流程" {executable} {tool.process}>\n'
        f"{tool.inside.format(**names)}{MODELS[model](tool)}\n</{p}process>\n"
        f"{_diagram(tool, model)}</{p}definitions>"
    )
    content = text.encode(tool.encoding, "xmlcharrefreplace")
    return tool.blank.encode() + (b"\xef\xbb\xbf" if tool.bom else b"") + content


def _p(tool: Tool) -> str:
    return f"{tool.prefix}:" if tool.prefix else ""


def _id(tool: Tool, name: str) -> str:
    return tool.names.get(name, name)


def _flow_id(tool: Tool, source: str, target: str) -> str:
    return f"flow_{source}_{target}"


def _node(
    tool, tag, name, title, attributes="", *, into=(), out=(), extension="", documentation=""
):
    p = _p(tool)
    if out and isinstance(out[0], str):
        out = (out,)
    inside = documentation
    if extension or tool.everywhere:
        inside += f"<{p}extensionElements>{extension}{tool.everywhere}</{p}extensionElements>"
    if tool.lists and tool.flow_ids:
        inside += "".join(f"<{p}incoming>{_flow_id(tool, *ends)}</{p}incoming>" for ends in into)
        inside += "".join(f"<{p}outgoing>{_flow_id(tool, *ends)}</{p}outgoing>" for ends in out)
    named = "" if "name=" in attributes else f'name="{title}"'
    return f'<{p}{tag} id="{_id(tool, name)}" {named} {attributes}>{inside}</{p}{tag}>'


def _user(tool, name, title, into, out):
    p = _p(tool)
    documentation = (
        f"<{p}documentation>{tool.documentation}</{p}documentation>" if tool.documentation else ""
    )
    return _node(tool, "userTask", name, title, tool.user, into=into, out=out,
                 extension=tool.user_extension, documentation=documentation)  # fmt: skip


def _flow(tool: Tool, source: str, target: str, feel: str | None = None) -> str:
    p = _p(tool)
    identity = f'id="{_flow_id(tool, source, target)}"' if tool.flow_ids else ""
    ends = f'sourceRef="{_id(tool, source)}" targetRef="{_id(tool, target)}"'
    inside = (
        f"<{p}extensionElements>{tool.flow_extension}</{p}extensionElements>"
        if tool.flow_extension
        else ""
    )
    if feel is not None:
        escaped = (
            feel if "CDATA" in tool.condition else feel.replace("<", "&lt;").replace(">", "&gt;")
        )
        formal = tool.formal.format(p=p)
        inside += f"<{p}conditionExpression {formal}>{tool.condition.format(feel=escaped)}</{p}conditionExpression>"
    return f"<{p}sequenceFlow {identity} {ends}>{inside}</{p}sequenceFlow>"


def _diagram(tool: Tool, model: str) -> str:
    if tool.diagram == "none":
        return ""
    names = (
        ["s", "review", "g", "back", "e"]
        if model == "review"
        else ["s", "review", "late", "e", "e2"]
    )
    shapes = "".join(
        f'<bpmndi:BPMNShape id="{"same" if tool.diagram == "twice" else name + "_di"}" bpmnElement="{_id(tool, name)}">'
        f'<dc:Bounds x="{place * 150}" y="{400 - place * 10}" width="100" height="80"/></bpmndi:BPMNShape>'
        for place, name in enumerate(reversed(names))
    )
    return (
        '<bpmndi:BPMNDiagram id="dg"><bpmndi:BPMNPlane id="pl" bpmnElement="case">'
        f"{shapes * (2 if tool.diagram == 'twice' else 1)}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"
    )
