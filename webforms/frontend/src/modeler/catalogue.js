// What the server offers to choose from: roles, forms, operations, ladders, decisions, processes.
const element = document.getElementById('catalogue');
const data = element ? JSON.parse(element.textContent) : {};

export const options = (kind, current, empty = '（未设置）') => {
  const known = (data[kind] ?? []).map(({ id, name }) => ({ value: id, label: name && name !== id ? `${name}（${id}）` : id }));
  const strange = current && !known.some((o) => o.value === current) ? [{ value: current, label: `${current}（目录中没有）` }] : [];
  return [{ value: '', label: empty }, ...strange, ...known];
};
export const knows = (kind, id) => !data[kind] || data[kind].some((entry) => entry.id === id);
