// Entries of the properties panel, made from one line of description each.
import {
  SelectEntry, TextAreaEntry, TextFieldEntry, isSelectEntryEdited, isTextAreaEntryEdited, isTextFieldEntryEdited,
} from '@bpmn-io/properties-panel';
import { useService } from 'bpmn-js-properties-panel';
import { options } from './catalogue.js';

const KINDS = {
  text: [TextFieldEntry, isTextFieldEntryEdited],
  area: [TextAreaEntry, isTextAreaEntryEdited],
  select: [SelectEntry, isSelectEntryEdited],
};

// One component per kind: its identity must not change between renders, or the field loses focus.
const component = (Control) => function Field({ element, id, field }) {
  const debounce = useService('debounceInput');
  const injector = useService('injector');
  const value = field.get(element) ?? '';
  const extra = {};
  if (field.choices) extra.getOptions = () => (typeof field.choices === 'string' ? options(field.choices, value) : field.choices);
  return (
    <Control
      id={id} element={element} label={field.label} description={field.help} tooltip={field.tip}
      debounce={debounce} getValue={() => field.get(element) ?? ''} validate={field.check}
      setValue={(next) => field.set(element, next ?? '', injector)} {...extra}
    />
  );
};
const COMPONENTS = Object.fromEntries(Object.entries(KINDS).map(([kind, [Control]]) => [kind, component(Control)]));

export function entry(element, id, field) {
  const kind = field.choices ? 'select' : field.kind ?? 'text';
  return { id, element, field, component: COMPONENTS[kind], isEdited: KINDS[kind][1] };
}
