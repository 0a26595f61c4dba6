// Reading and changing our extension elements, every change one step of undo.
import { getBusinessObject } from 'bpmn-js/lib/util/ModelUtil';

const values = (element) => getBusinessObject(element).get('extensionElements')?.get('values') ?? [];

export const all = (element, type) => values(element).filter((value) => value.$type === type);
export const first = (element, type) => all(element, type)[0];

const update = (element, moddleElement, properties) => (
  { cmd: 'element.updateModdleProperties', context: { element, moddleElement, properties } });

function run(injector, commands) {
  injector.get('commandStack').execute('properties-panel.multi-command-executor', commands);
}

function withHolder(element, injector, commands) {
  const owner = getBusinessObject(element);
  let holder = owner.get('extensionElements');
  if (!holder) {
    holder = injector.get('bpmnFactory').create('bpmn:ExtensionElements', { values: [] });
    holder.$parent = owner;
    commands.push(update(element, owner, { extensionElements: holder }));
  }
  return holder;
}

export function add(element, type, properties, injector) {
  const commands = [];
  const holder = withHolder(element, injector, commands);
  const created = injector.get('bpmnFactory').create(type, properties);
  created.$parent = holder;
  commands.push(update(element, holder, { values: [...holder.get('values'), created] }));
  run(injector, commands);
}

export function remove(element, item, injector) {
  const holder = getBusinessObject(element).get('extensionElements');
  run(injector, [update(element, holder, { values: holder.get('values').filter((v) => v !== item) })]);
}

export function change(element, item, properties, injector) {
  run(injector, [update(element, item, properties)]);
}

// Sets one attribute of the only extension of a type; an extension left empty goes away.
export function set(element, type, name, value, injector) {
  const item = first(element, type);
  const clean = value === '' ? undefined : value;
  if (!item) {
    if (clean !== undefined) add(element, type, { [name]: clean }, injector);
    return;
  }
  const rest = item.$descriptor.properties.filter((p) => p.isAttr && p.ns.localName !== name);
  if (clean === undefined && rest.every((p) => !item.get(p.name))) remove(element, item, injector);
  else change(element, item, { [name]: clean }, injector);
}
