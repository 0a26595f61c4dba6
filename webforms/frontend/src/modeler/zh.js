// Chinese for the editor. Strings nobody translated are collected in window.__i18nMisses.
import community from 'bpmn-js-i18n-zh/lib/bpmn-js/index.js';
import panel from 'bpmn-js-i18n-zh/lib/properties-panel/index.js';
import official from '../../node_modules/bpmn-js-i18n/translations/zn.js';
import own from './zh.json';

const words = { ...official, ...community, ...panel, ...own };
// The panel composes names of events ("Timer Boundary Event (Non Interrupting)"): taken apart here.
const TRIGGERS = {
  Message: '消息', Timer: '定时', Escalation: '升级', Conditional: '条件', Link: '链接', Error: '错误', Cancel: '取消',
  Compensation: '补偿', Compensate: '补偿', Signal: '信号', Terminate: '终止', Multiple: '多重', 'Parallel Multiple': '并行多重', '': '',
};
const PLACES = {
  Start: '开始事件', End: '结束事件', Boundary: '边界事件', 'Intermediate Catch': '中间捕获事件', 'Intermediate Throw': '中间抛出事件', Intermediate: '中间事件',
};
const EVENT = /^(?:([A-Z][A-Za-z ]*?) )?(Start|End|Boundary|Intermediate Catch|Intermediate Throw|Intermediate) Event( \(Non Interrupting\))?$/i;
function composed(template) {
  const [, trigger = '', place, calm] = EVENT.exec(template) ?? [];
  if (!place || !(trigger in TRIGGERS)) return undefined;
  return `${TRIGGERS[trigger]}${PLACES[place]}${calm ? '（不打断）' : ''}`;
}

export const misses = new Set();
window.__i18nMisses = misses;

export function translate(template, replacements = {}) {
  const known = words[template] ?? composed(template);
  if (known === undefined && /[a-z]{2}/i.test(template) && !/[\u4e00-\u9fff]/.test(template)) misses.add(template);
  return (known ?? template).replace(/{([^}]+)}/g, (_, key) => replacements[key] ?? `{${key}}`);
}
export default { translate: ['value', translate] };
