// The model editor: bpmn-js with our vocabulary, in Chinese, saving through plain POSTs.
import Modeler from 'bpmn-js/lib/Modeler';
import { BpmnPropertiesPanelModule, BpmnPropertiesProviderModule } from 'bpmn-js-properties-panel';
import minimap from 'diagram-js-minimap';
import linting from 'bpmn-js-bpmnlint';
import groups from './groups.js';
import lintConfig from './lint.js';
import moddle from './moddle.json';
import zh from './zh.js';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import 'bpmn-js/dist/assets/bpmn-font/css/bpmn-embedded.css';
import '@bpmn-io/properties-panel/dist/assets/properties-panel.css';
import 'diagram-js-minimap/assets/diagram-js-minimap.css';
import 'bpmn-js-bpmnlint/dist/assets/css/bpmn-js-bpmnlint.css';
import './modeler.css';

const root = document.getElementById('studio');
const status = document.getElementById('studio-status');
const list = document.getElementById('studio-findings');
const SEVERITY = { error: ['错误', 'bad'], warning: ['提醒', 'warn'], info: ['说明', 'info'] };

const modeler = new Modeler({
  container: '#studio-canvas',
  propertiesPanel: { parent: '#studio-panel' },
  moddleExtensions: { nl: moddle },
  linting: { bpmnlint: lintConfig, active: true },
  additionalModules: [
    BpmnPropertiesPanelModule, BpmnPropertiesProviderModule, minimap, linting, zh,
    { __init__: ['nuanliuGroups'], nuanliuGroups: ['type', groups] },
  ],
});
let dirty = false;

// The whole picture, beside the palette and not under it.
function fit() {
  const canvas = modeler.get('canvas');
  canvas.zoom('fit-viewport', 'auto');
  const { inner, outer } = canvas.viewbox();
  const left = 124;
  const wanted = Math.min(1, (outer.width - left - 24) / inner.width, (outer.height - 48) / inner.height);
  if (!Number.isFinite(wanted) || wanted <= 0) return;
  canvas.viewbox({
    x: inner.x - left / wanted, y: inner.y - Math.max(24, (outer.height - inner.height * wanted) / 2) / wanted,
    width: outer.width / wanted, height: outer.height / wanted,
  });
}
const say = (text, tone = '') => { status.textContent = text; status.className = `studio-status tag ${tone}`; status.hidden = !text; };

async function open() {
  const inline = document.getElementById('model');
  const xml = inline ? JSON.parse(inline.textContent).xml : await (await fetch(root.dataset.xml)).text();
  const { warnings } = await modeler.importXML(xml);
  fit();
  if (warnings.length) say(`读入时有 ${warnings.length} 处不认识的内容，已原样保留`, 'warn');
  modeler.on('commandStack.changed', () => { dirty = true; say('有未保存的修改', 'warn'); });
}

function choose(id) {
  const element = modeler.get('elementRegistry').get(id);
  if (!element) return;
  modeler.get('selection').select(element);
  modeler.get('canvas').scrollToElement(element, { top: 120, bottom: 160, left: 160, right: 160 });
}

// A counter-example, drawn: the nodes that the failing run entered, numbered in the order it entered
// them, and the flows between them.
let drawn = [];
function draw(path = []) {
  const canvas = modeler.get('canvas');
  const registry = modeler.get('elementRegistry');
  const overlays = modeler.get('overlays');
  drawn.forEach((id) => registry.get(id) && canvas.removeMarker(id, 'on-path'));
  overlays.remove({ type: 'nuanliu-path' });
  const turns = new Map();
  path.filter((id) => registry.get(id) && !registry.get(id).waypoints).forEach((id, at) => turns.set(id, [...(turns.get(id) ?? []), at + 1]));
  const follows = (flow) => turns.get(flow.source?.id)?.some((at) => turns.get(flow.target?.id)?.some((then) => then > at));
  drawn = registry.filter((one) => one.type !== 'label' && (one.waypoints ? follows(one) : turns.has(one.id))).map((one) => one.id);
  drawn.forEach((id) => canvas.addMarker(id, 'on-path'));
  for (const [id, numbers] of turns) {
    const text = numbers.length > 3 ? `${numbers.slice(0, 3).join('·')}…` : numbers.join('·');
    overlays.add(id, 'nuanliu-path', { position: { top: -20, left: -14 }, scale: { min: 1 }, html: `<span class="turn">${text}</span>` });
  }
  return [...turns.keys()];
}

const READABLE = 0.65;
// The whole of the path in view, not larger than life, beside the palette.
function reveal(ids) {
  const registry = modeler.get('elementRegistry');
  const canvas = modeler.get('canvas');
  const shapes = ids.map((id) => registry.get(id)).filter(Boolean);
  if (!shapes.length) return;
  const left = Math.min(...shapes.map((one) => one.x)) - 40;
  const top = Math.min(...shapes.map((one) => one.y)) - 40;
  const width = Math.max(...shapes.map((one) => one.x + one.width)) + 40 - left;
  const height = Math.max(...shapes.map((one) => one.y + one.height)) + 60 - top;
  const { outer } = canvas.viewbox();
  const beside = 112;
  const scale = Math.max(READABLE, Math.min(1, (outer.width - beside) / width, outer.height / height));
  const seen = { width: outer.width / scale, height: outer.height / scale };
  const room = seen.width - beside / scale;
  // A path too long to be read at once shows its end: that is where the fault lies.
  const end = shapes.at(-1);
  const x = width <= room ? left - (room - width) / 2 : Math.min(end.x + end.width + 140, left + width) - room;
  const y = height <= seen.height ? top - (seen.height - height) / 2 : end.y - seen.height / 2;
  canvas.viewbox({ x: x - beside / scale, y, ...seen });
}

const called = (id) => modeler.get('elementRegistry').get(id)?.businessObject.name || id;
// The same path in words, for whoever cannot see the picture.
function told(ids) {
  const steps = ids.filter((id) => modeler.get('elementRegistry').get(id) && !modeler.get('elementRegistry').get(id).waypoints).map(called);
  return steps.length > 14 ? [...steps.slice(0, 6), `…（${steps.length - 12} 步）…`, ...steps.slice(-6)] : steps;
}

function pick(button, finding) {
  list.querySelectorAll('.finding').forEach((one) => one.setAttribute('aria-pressed', String(one === button)));
  const ids = draw(finding.path);
  const element = modeler.get('elementRegistry').get(finding.element);
  if (element) modeler.get('selection').select(element);
  modeler.get('contextPad').close();
  if (ids.length) reveal([...ids, finding.element].filter(Boolean));
  else choose(finding.element);
}

function show(findings) {
  draw();
  const items = findings.map((finding) => {
    const [word, tone] = SEVERITY[finding.severity] ?? SEVERITY.error;
    const element = finding.element && modeler.get('elementRegistry').get(finding.element);
    const button = Object.assign(document.createElement('button'), { type: 'button', className: 'finding' });
    const tag = Object.assign(document.createElement('span'), { className: `tag ${tone}`, textContent: word });
    const where = Object.assign(document.createElement('b'), { textContent: element?.businessObject.name || finding.element || (finding.file && !finding.file.endsWith('.bpmn') ? finding.file : '整个流程') });
    const text = Object.assign(document.createElement('span'), { textContent: finding.message ?? finding.reason ?? '' });
    button.append(tag, where, text);
    if (finding.path?.length) {
      const words = Object.assign(document.createElement('small'), { className: 'way', textContent: `经过：${told(finding.path).join(' → ')}` });
      text.append(words);
    }
    button.setAttribute('aria-pressed', 'false');
    button.addEventListener('click', () => pick(button, finding));
    return button;
  });
  list.querySelector('[data-list]').replaceChildren(...items);
  list.querySelector('[data-count]').textContent = findings.length ? `共 ${findings.length} 条` : '没有发现问题';
  list.hidden = false;
  modeler.get('canvas').resized();
}

async function post(action) {
  const { xml } = await modeler.saveXML({ format: true });
  say('正在提交…');
  let answer;
  try {
    const response = await fetch(root.dataset[action], {
      method: 'POST', body: xml,
      headers: { 'Content-Type': 'application/xml', Accept: 'application/json', 'X-CSRFToken': document.querySelector('meta[name=csrf-token]').content },
    });
    answer = await response.json();
    answer.ok = response.ok;
  } catch {
    say('没有送达，请检查网络或重新登录；图还在，没有丢失', 'bad');
    return;
  }
  if (answer.findings?.length || action === 'validate' || !answer.ok) show(answer.findings ?? []);
  if (answer.ok && action !== 'validate') dirty = false;
  const text = { validate: '校验完成', draft: '草稿已保存', publish: '新版本已发布' }[action];
  const wrong = !answer.ok || (action === 'validate' && answer.findings?.some((one) => one.severity === 'error'));
  say(answer.message ?? (wrong ? '没有通过，原因见下方' : text), wrong ? 'bad' : 'ok');
  if (answer.redirect) { dirty = false; location.assign(answer.redirect); }
}

const actions = {
  undo: () => modeler.get('commandStack').undo(),
  redo: () => modeler.get('commandStack').redo(),
  fit,
  close: () => { draw(); list.hidden = true; modeler.get('canvas').resized(); },
  validate: () => post('validate'),
  draft: () => post('draft'),
  publish: () => document.getElementById('publish-dialog').showModal(),
  'publish-now': () => { document.getElementById('publish-dialog').close(); return post('publish'); },
};
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-studio]');
  if (button) actions[button.dataset.studio]?.();
});
document.addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === 's') { event.preventDefault(); post('draft'); }
});
addEventListener('beforeunload', (event) => { if (dirty) event.preventDefault(); });

window.studio = modeler;
// On a small screen the page only says that this is work for a computer; there is no canvas to open.
let opened = false;
function start() {
  if (opened || !document.getElementById('studio-canvas').offsetWidth) return;
  opened = true;
  open().then(() => { root.dataset.ready = '1'; }, (error) => say(`打不开这个流程：${error.message}`, 'bad'));
}
addEventListener('resize', start);
start();
