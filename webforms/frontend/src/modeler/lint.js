// Early feedback while drawing; the server checks everything again before it publishes.
import StaticResolver from 'bpmnlint/lib/resolver/static-resolver.js';
import conditionalFlows from 'bpmnlint/rules/conditional-flows.js';
import endEventRequired from 'bpmnlint/rules/end-event-required.js';
import labelRequired from 'bpmnlint/rules/label-required.js';
import noDisconnected from 'bpmnlint/rules/no-disconnected.js';
import noDuplicateFlows from 'bpmnlint/rules/no-duplicate-sequence-flows.js';
import noGatewayJoinFork from 'bpmnlint/rules/no-gateway-join-fork.js';
import noImplicitSplit from 'bpmnlint/rules/no-implicit-split.js';
import singleBlankStart from 'bpmnlint/rules/single-blank-start-event.js';
import startEventRequired from 'bpmnlint/rules/start-event-required.js';
import superfluousGateway from 'bpmnlint/rules/superfluous-gateway.js';
import { DURATION } from './groups.js';
import { knows } from './catalogue.js';

const found = (node, type) => node.get('extensionElements')?.get('values')?.find((v) => v.$type === type);
const rule = (check) => () => ({ check });

const own = {
  'task-bound': rule((node, reporter) => {
    if (node.$type !== 'bpmn:UserTask') return;
    const task = found(node, 'nl:Task');
    if (!task?.get('form')) reporter.report(node.id, '人工任务没有绑定表单');
    else if (!knows('forms', task.get('form'))) reporter.report(node.id, `目录中没有表单 ${task.get('form')}`);
    if (!task?.get('role') && !task?.get('owner')) reporter.report(node.id, '人工任务没有办理岗位');
    if (task?.get('deadline') && !DURATION.test(task.get('deadline').trim())) reporter.report(node.id, '办理时限写法不对');
  }),
  'work-bound': rule((node, reporter) => {
    if (node.$type === 'bpmn:ServiceTask' && !found(node, 'nl:Operation')?.get('name')) reporter.report(node.id, '系统任务没有选择操作');
    if (node.$type === 'bpmn:BusinessRuleTask' && !found(node, 'nl:Decision')?.get('ref')) reporter.report(node.id, '规则任务没有选择决策表');
    if (node.$type === 'bpmn:CallActivity' && !node.get('calledElement')) reporter.report(node.id, '调用活动没有选择流程');
  }),
};

const standard = {
  'conditional-flows': [conditionalFlows, 'error'], 'end-event-required': [endEventRequired, 'error'],
  'label-required': [labelRequired, 'warn'], 'no-disconnected': [noDisconnected, 'error'],
  'no-duplicate-sequence-flows': [noDuplicateFlows, 'error'], 'no-gateway-join-fork': [noGatewayJoinFork, 'warn'],
  'no-implicit-split': [noImplicitSplit, 'warn'], 'single-blank-start-event': [singleBlankStart, 'warn'],
  'start-event-required': [startEventRequired, 'error'], 'superfluous-gateway': [superfluousGateway, 'warn'],
};
const cache = {};
const rules = {};
for (const [name, [factory, level]] of Object.entries(standard)) { cache[`rule:bpmnlint/${name}`] = factory; rules[name] = level; }
for (const [name, factory] of Object.entries(own)) { cache[`rule:bpmnlint-plugin-nl/${name}`] = factory; rules[`nl/${name}`] = 'error'; }

export default { resolver: new StaticResolver(cache), config: { rules } };
