// Which groups the panel shows for which element: the vocabulary of our extension as a table.
import { ListGroup, Group } from '@bpmn-io/properties-panel';
import { getBusinessObject, is, isAny } from 'bpmn-js/lib/util/ModelUtil';
import { add, all, change, first, remove, set } from './extension.js';
import { entry } from './fields.jsx';
import { translate } from './zh.js';

export const DURATION = /^(\d+(wd|d|h|m)|P(?=.)(\d+[YMWD])*(T(?=.)(\d+[HMS])+)?|=.+)$/;
const duration = (v) => (!v || DURATION.test(v.trim()) ? undefined : '写法如 5wd（工作日）、7d（自然日）、PT24H，或以 = 开头的表达式');
const name = (v) => (!v || /^[\p{L}_][\p{L}\p{N}_]*$/u.test(v) ? undefined : '只能用字母、数字和下划线');
const feel = '以 = 开头为 FEEL 表达式';

const attr = (type) => (key, label, more = {}) => ({
  key, label, get: (el) => first(el, type)?.get(key), set: (el, v, injector) => set(el, type, key, v, injector), ...more,
});
const task = attr('nl:Task');
const call = attr('nl:Call');
const loop = attr('nl:Loop');
const operation = attr('nl:Operation');
const decision = attr('nl:Decision');

const expression = (label, read, holder, property, help) => ({
  key: property, label, kind: 'area', help, get: (el) => read(el)?.get(property)?.get('body'),
  set(el, value, injector) {
    const owner = holder(el);
    const body = value && injector.get('bpmnFactory').create('bpmn:FormalExpression', { body: value });
    if (body) body.$parent = owner;
    injector.get('modeling').updateModdleProperties(el, owner, { [property]: body || undefined });
  },
});
const bo = getBusinessObject;
const conditional = (el) => is(el, 'bpmn:SequenceFlow')
  && isAny(bo(el).sourceRef ?? {}, ['bpmn:ExclusiveGateway', 'bpmn:InclusiveGateway', 'bpmn:ComplexGateway', 'bpmn:Activity']);
const multi = (el) => is(el, 'bpmn:Activity') && bo(el).get('loopCharacteristics')?.$instanceOf?.('bpmn:MultiInstanceLoopCharacteristics');
const hasMessage = (el) => is(el, 'bpmn:ReceiveTask') || bo(el).get('eventDefinitions')?.some((d) => is(d, 'bpmn:MessageEventDefinition'));

const FORMS = [
  { id: 'task', label: '办理', when: (el) => is(el, 'bpmn:UserTask'), open: true, fields: [
    task('form', '表单', { choices: 'forms', check: (v) => (v ? undefined : '人工任务必须绑定表单') }),
    task('role', '办理岗位', { choices: 'roles', tip: '按岗位与辖区解析可以办理的人' }),
    task('unit', '办理单位', { help: `留空为事项所在辖区；${feel}` }),
    task('subject', '待办标题', { help: feel }),
    task('deadline', '办理时限', { check: duration, help: '5wd 为 5 个工作日；留空表示不限' }),
    task('ladder', '督办阶梯', { choices: 'ladders' }),
    task('priority', '优先级', { check: (v) => (!v || /^\d{1,3}$/.test(v) ? undefined : '0 到 100 的整数'), help: '数字越大越靠前，默认 50' }) ] },
  { id: 'duty', label: '职责分离', when: (el) => is(el, 'bpmn:UserTask'), fields: [
    task('owner', '指定办理人', { help: feel }),
    task('differentFrom', '不得与这些环节同一人', { help: '环节标识，用空格分开' }),
    task('excludedBy', '回避名单来自', { choices: 'operations' }),
    task('returns', '可退回到', { help: '环节标识，用空格分开' }),
    task('withdrawable', '办结后可撤回', { choices: [{ value: '', label: '不可以（默认）' }, { value: 'true', label: '后面没人开始办理时可以' }], help: '提交时执行的操作必须声明可以撤回' }) ] },
  { id: 'work', label: '业务操作', when: (el) => is(el, 'bpmn:UserTask'), fields: [
    task('operation', '提交时执行', { choices: 'operations' }),
    task('actions', '办理中可用', { help: '操作名，用空格分开' }) ] },
  { id: 'operation', label: '系统操作', open: true, when: (el) => isAny(el, ['bpmn:ServiceTask', 'bpmn:SendTask']), fields: [
    operation('name', '操作', { choices: 'operations', check: (v) => (v ? undefined : '系统任务必须选择操作') }),
    operation('mode', '执行方式', { choices: [{ value: '', label: '事务内（默认）' }, { value: 'transaction', label: '事务内' }, { value: 'job', label: '提交后作业' }] }) ] },
  { id: 'decision', label: '规则', open: true, when: (el) => is(el, 'bpmn:BusinessRuleTask'), fields: [
    decision('ref', '决策表', { choices: 'decisions', check: (v) => (v ? undefined : '规则任务必须选择决策表') }),
    decision('result', '结果存入变量', { check: name }) ] },
  { id: 'call', label: '调用流程', open: true, when: (el) => is(el, 'bpmn:CallActivity'), fields: [
    { key: 'calledElement', label: '流程', choices: 'processes', check: (v) => (v ? undefined : '必须选择被调用的流程'),
      get: (el) => bo(el).get('calledElement'),
      set: (el, v, injector) => injector.get('modeling').updateProperties(el, { calledElement: v || undefined }) },
    call('binding', '版本', { choices: [{ value: '', label: '最新版本（默认）' }, { value: 'latest', label: '最新版本' }, { value: 'deployment', label: '同批发布的版本' }] }),
    call('region', '辖区', { help: feel }), call('businessKey', '业务编号', { help: feel }), call('title', '标题', { help: feel }) ] },
  { id: 'message', label: '消息关联', when: hasMessage, fields: [
    attr('nl:Message')('key', '关联键', { help: `${feel}；与来信的键按文本比较` }) ] },
  { id: 'loop', label: '逐项办理', open: true, when: multi, fields: [
    loop('collection', '清单', { help: feel }), loop('item', '每项变量名', { check: name }),
    loop('output', '每项结果', { help: feel }), loop('outputs', '结果清单变量名', { check: name }) ] },
  { id: 'condition', label: '条件', open: true, when: conditional, fields: [
    expression('条件表达式', bo, bo, 'conditionExpression', 'FEEL，例：town_review.outcome = "return"') ] },
  { id: 'process', label: '事项', open: true, when: (el) => is(el, 'bpmn:Process') || (is(el, 'bpmn:Participant') && bo(el).processRef), fields: [
    attr('nl:Process')('title', '事项标题', { help: feel }),
    attr('nl:Process')('region', '事项辖区', { help: `由定时、消息或信号启动时归哪个单位；${feel}` }) ] },
];

const pair = (first_, second) => [['name', first_, { check: name }], ['value', second, { help: 'FEEL 表达式' }]];
const node = (el) => isAny(el, ['bpmn:Activity', 'bpmn:Event']) && !is(el, 'bpmn:SubProcess');
const LISTS = [
  { id: 'outcomes', type: 'nl:Outcome', label: '办理结果', when: (el) => is(el, 'bpmn:UserTask'), fresh: (n) => [{ id: 'agree', name: '同意', tone: 'primary' }, { id: 'return', name: '退回', requires: 'reason', tone: 'danger' }][n] ?? {},
    title: (o) => `${o.get('name') ?? ''}（${o.get('id') ?? ''}）`, fields: [
      ['id', '标识', { check: name }], ['name', '按钮文字'], ['requires', '必填字段', { help: '字段名，用空格分开；意见为 reason' }],
      ['tone', '样式', { choices: [{ value: '', label: '普通' }, { value: 'primary', label: '主要' }, { value: 'danger', label: '警示' }] }] ] },
  { id: 'permissions', type: 'nl:Permission', label: '字段权限', when: (el) => is(el, 'bpmn:UserTask'), fresh: () => ({ mode: 'r' }),
    title: (p) => `${p.get('field') ?? '（未选字段）'}：${{ h: '隐藏', r: '只读', w: '可改' }[p.get('mode')] ?? ''}`, fields: [
      ['field', '字段'], ['mode', '权限', { choices: [{ value: 'w', label: '可改' }, { value: 'r', label: '只读' }, { value: 'h', label: '隐藏' }] }] ] },
  { id: 'assigns', type: 'nl:Assign', label: '赋值', when: (el) => is(el, 'bpmn:ScriptTask'), fresh: () => ({}), title: (a) => a.get('name') || '（未命名）', fields: pair('变量', '值') },
  { id: 'inputs', type: 'nl:Input', label: '数据传入', when: node, fresh: () => ({}), title: (a) => a.get('name') || '（未命名）', fields: pair('变量', '取值') },
  { id: 'outputs', type: 'nl:Output', label: '数据传出', when: node, fresh: () => ({}), title: (a) => a.get('name') || '（未命名）', fields: pair('变量', '取值') },
];

function listItem(element, list, item, index, injector) {
  const id = `nl-${list.id}-${index}`;
  return {
    id, label: list.title(item), autoFocusEntry: `${id}-${list.fields[0][0]}`,
    remove: (event) => { event.stopPropagation(); remove(element, item, injector); },
    entries: list.fields.map(([key, label, more]) => entry(element, `${id}-${key}`, {
      label, ...more, get: () => item.get(key), set: (el, v) => change(el, item, { [key]: v || undefined }, injector),
    })),
  };
}

export default class NuanliuGroups {
  constructor(propertiesPanel, injector) {
    this.injector = injector;
    propertiesPanel.registerProvider(500, this);
  }

  getGroups(element) {
    const ours = [
      ...FORMS.filter((g) => g.when(element)).map((g) => ({
        id: `nl-${g.id}`, label: g.label, component: Group, shouldOpen: Boolean(g.open),
        entries: g.fields.map((field) => entry(element, `nl-${g.id}-${field.key}`, field)),
      })),
      ...LISTS.filter((l) => l.when(element)).map((l) => ({
        id: `nl-${l.id}`, label: l.label, component: ListGroup,
        items: all(element, l.type).map((item, i) => listItem(element, l, item, i, this.injector)),
        add: (event) => { event.stopPropagation(); add(element, l.type, l.fresh(all(element, l.type).length), this.injector); },
      })),
    ];
    return (groups) => {
      const at = groups.findIndex((g) => g.id === 'general') + 1;
      // the panel's own words (expand, delete, add) are translated only where a group brings this
      return [...groups.slice(0, at), ...ours, ...groups.slice(at)].map((g) => ({ ...g, translate }));
    };
  }
}
NuanliuGroups.$inject = ['propertiesPanel', 'injector'];
