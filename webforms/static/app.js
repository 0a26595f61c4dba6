// Comfort on top of plain pages: every form works without this file.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const typing = (el) => el.matches('input:not([type=checkbox],[type=radio]), textarea, select, [contenteditable=true]');
const make = (tag, props = {}, ...children) => {
  const el = Object.assign(document.createElement(tag), props);
  el.append(...children);
  return el;
};

// ---- keyboard: / search, j k rows, Ctrl+Enter submit, ? help
document.addEventListener('keydown', (event) => {
  const el = event.target;
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
    const form = el.closest('form') || $('form[data-guard]');
    const button = form && $$('[data-submit]').find((b) => b.form === form);
    if (button) { event.preventDefault(); button.click(); }
    return;
  }
  if (typing(el) || event.ctrlKey || event.metaKey || event.altKey || $('dialog[open]')) return;
  if (event.key === '/' && $('[data-search]')) { event.preventDefault(); $('[data-search]').select(); }
  if (event.key === '?') $('#shortcuts')?.showModal();
  if (event.key === 'j' || event.key === 'k') {
    const rows = $$('[data-rows] tbody tr').filter((row) => $('a, button, input', row));
    const at = rows.indexOf(el.closest('tr'));
    const next = rows[at < 0 ? 0 : at + (event.key === 'j' ? 1 : -1)];
    if (next) ($('a', next) || $('button, input', next)).focus();
  }
});

// ---- clicks: confirm, dismiss, choose all
document.addEventListener('click', (event) => {
  const el = event.target.closest('[data-confirm], [data-dismiss], [data-close], [data-ok], [data-all]');
  if (!el) return;
  if (el.matches('[data-dismiss]')) el.parentElement.remove();
  if (el.matches('[data-close]')) el.closest('dialog').close();
  if (el.matches('[data-all]')) {
    $$('tbody input[type=checkbox]', el.closest('table')).forEach((box) => { box.checked = el.checked; });
    el.closest('form, table').dispatchEvent(new Event('change', { bubbles: true }));
  }
  if (el.matches('[data-confirm]') && !el.dataset.confirmed) {
    const dialog = document.getElementById(el.dataset.confirm);
    if (!dialog) return;
    event.preventDefault();
    if (el.form && !el.formNoValidate && !el.form.reportValidity()) return;
    dialog.asked = el;
    dialog.showModal();
  }
  if (el.matches('[data-ok]')) {
    const dialog = el.closest('dialog');
    const missing = $$('input, textarea, select', dialog).find((field) => !field.reportValidity());
    if (missing) return;
    const button = dialog.asked;
    dialog.close();
    button.dataset.confirmed = '1';
    button.click();
    delete button.dataset.confirmed;
  }
});

// ---- forms: unsaved changes, double submits, upload progress
const dirty = new Set();
addEventListener('beforeunload', (event) => { if (dirty.size) event.preventDefault(); });
addEventListener('pageshow', () => $$('form[data-busy]').forEach((form) => delete form.dataset.busy));
document.addEventListener('input', (event) => {
  const form = event.target.form;
  if (form?.matches('[data-guard]')) dirty.add(form);
});
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === 'dialog') return;
  if (form.dataset.busy) { event.preventDefault(); return; }
  dirty.delete(form);
  if (form.method !== 'post' || form.matches('[hx-post], [hx-put]')) return;
  form.dataset.busy = '1';
  const size = $$('input[type=file]', form).flatMap((input) => [...input.files]).reduce((sum, file) => sum + file.size, 0);
  if (size > 500_000) { event.preventDefault(); send(form, event.submitter); }
});

function send(form, submitter) {
  const bar = make('progress', { max: 1, value: 0 });
  const words = make('span', { textContent: '正在上传…' });
  const box = make('div', { className: 'note info toast', role: 'status' }, words, bar);
  document.body.append(box);
  const request = new XMLHttpRequest();
  const url = submitter?.getAttribute('formaction') || form.getAttribute('action') || location.href;
  request.open('POST', url);
  request.upload.onprogress = (e) => {
    bar.value = e.loaded / e.total;
    words.textContent = e.loaded === e.total ? '正在处理…' : `正在上传 ${Math.floor(bar.value * 100)}%`;
  };
  request.onload = () => {
    if (request.status < 400 && request.responseURL !== new URL(url, location).href) location.assign(request.responseURL);
    else { document.open(); document.write(request.responseText); document.close(); }
  };
  request.onerror = () => {
    delete form.dataset.busy;
    dirty.add(form);
    box.className = 'note bad toast';
    words.textContent = '网络中断，填写的内容还在，请稍后再提交。';
    bar.remove();
    setTimeout(() => box.remove(), 8000);
  };
  request.send(new FormData(form, submitter));
}

// ---- fields that depend on others: data-when='["=","kind","fire"]' (the server decides again)
const truth = {
  '=': (a, b) => a === String(b), '!=': (a, b) => a !== String(b),
  '<': (a, b) => Number(a) < b, '<=': (a, b) => Number(a) <= b, '>': (a, b) => Number(a) > b, '>=': (a, b) => Number(a) >= b,
  in: (a, list) => [a].flat().some((x) => list.map(String).includes(x)), null: (a) => a === '' || a === undefined,
};
function holds([op, ...args], data) {
  if (op === 'and') return args.every((a) => holds(a, data));
  if (op === 'or') return args.some((a) => holds(a, data));
  if (op === 'not') return !holds(args[0], data);
  const values = data.getAll(args[0]);
  return truth[op](values.length > 1 ? values : values[0] ?? '', args[1]);
}
function refresh(form) {
  for (const el of $$('[data-when]', form)) {
    const shown = holds(JSON.parse(el.dataset.when), new FormData(form));
    el.hidden = !shown;
    $$('input, select, textarea', el).forEach((field) => { field.disabled = !shown; });
  }
  const boxes = $$('tbody input[type=checkbox]', form);
  $$('[data-chosen]').forEach((out) => { out.textContent = boxes.filter((b) => b.checked).length; });
}
document.addEventListener('change', (event) => {
  const form = event.target.closest?.('form');
  if (form) refresh(form);
  if (event.target.matches('[data-autosubmit]')) form.requestSubmit();
  if (event.target.matches('[data-upload] input')) show(event.target);
});

// ---- photos: scaled down before they travel; when and where they were taken stays in them
const EDGE = 1920;
async function smaller(file) {
  if (file.type !== 'image/jpeg' || file.size < 400_000) return file;
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, EDGE / Math.max(bitmap.width, bitmap.height));
    const canvas = make('canvas', { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
    canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => { canvas.toBlob(done, 'image/jpeg', 0.82); });
    const exif = await exifOf(file);
    const parts = exif ? [blob.slice(0, 2), exif, blob.slice(2)] : [blob];
    const out = new File(parts, file.name, { type: 'image/jpeg', lastModified: file.lastModified });
    return out.size < file.size ? out : file;
  } catch { return file; }
}
async function exifOf(file) {
  const data = new DataView(await file.slice(0, 262_144).arrayBuffer());
  for (let at = 2; at + 4 < data.byteLength && data.getUint8(at) === 0xff;) {
    const length = data.getUint16(at + 2) + 2;
    if (data.getUint8(at + 1) === 0xe1 && data.getUint32(at + 4) === 0x45786966) return upright(data, at, length);
    at += length;
  }
  return null;
}
function upright(data, at, length) { // the pixels are turned already, so orientation becomes 1
  const tiff = at + 10;
  const little = data.getUint16(tiff) === 0x4949;
  const ifd = tiff + data.getUint32(tiff + 4, little);
  for (let i = 0, n = data.getUint16(ifd, little); i < n; i += 1) {
    const entry = ifd + 2 + i * 12;
    if (data.getUint16(entry, little) === 0x0112) data.setUint16(entry + 8, 1, little);
  }
  return data.buffer.slice(at, at + length);
}
async function show(input) {
  const box = input.closest('[data-upload]');
  const files = await Promise.all([...input.files].map(smaller));
  const transfer = new DataTransfer();
  files.forEach((file) => transfer.items.add(file));
  input.files = transfer.files;
  $$('[data-new]', box).forEach((old) => old.remove());
  for (const file of files) {
    const picture = file.type.startsWith('image/')
      ? make('img', { src: URL.createObjectURL(file), alt: '' }) : make('i', { className: 'doc', textContent: file.name.split('.').pop() });
    const size = file.size > 1e6 ? `${(file.size / 1e6).toFixed(1)} MB` : `${Math.ceil(file.size / 1e3)} KB`;
    const item = make('li', {}, picture, make('span', { textContent: file.name, title: file.name }), make('span', { className: 'sub', textContent: size }));
    item.dataset.new = '';
    $('.files', box).append(item);
  }
}
for (const type of ['dragenter', 'dragleave', 'drop']) {
  document.addEventListener(type, (event) => event.target.closest?.('[data-upload]')?.classList.toggle('over', type === 'dragenter'));
}

// ---- dates: a Chinese calendar where a mouse is used; phones have a good one of their own
const iso = (d) => `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`;
function dates(root) {
  if (!matchMedia('(pointer: fine)').matches) return;
  for (const input of $$('input[type=date]', root)) {
    input.type = 'text';
    Object.assign(input, { inputMode: 'numeric', placeholder: '年-月-日', autocomplete: 'off', pattern: '\\d{4}-\\d{2}-\\d{2}', title: '格式：2026-01-04' });
    input.addEventListener('change', () => {
      const m = input.value.trim().match(/^(\d{4})\D*?(\d{1,2})\D+(\d{1,2})\D*$|^(\d{4})(\d{2})(\d{2})$/);
      if (m) input.value = [m[1] || m[4], (m[2] || m[5]).padStart(2, '0'), (m[3] || m[6]).padStart(2, '0')].join('-');
    });
    input.addEventListener('click', () => calendar(input));
    input.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowDown') { event.preventDefault(); calendar(input).querySelector('td button[tabindex="0"]').focus(); }
    });
  }
}
function calendar(input, month) {
  $('.cal')?.remove();
  const chosen = /^\d{4}-\d{2}-\d{2}$/.test(input.value) ? input.value : '';
  const today = document.documentElement.dataset.today || iso(new Date());
  const first = month || new Date(`${chosen || today}T00:00`);
  first.setDate(1);
  const turn = (by) => { const d = new Date(first); d.setMonth(d.getMonth() + by); calendar(input, d).querySelector('td button').focus(); };
  const arrow = (label, by) => make('button', { type: 'button', className: 'btn text sm', ariaLabel: label, textContent: by < 0 ? '‹' : '›', onclick: () => turn(by) });
  const body = make('tbody');
  const day = new Date(first);
  day.setDate(1 - ((first.getDay() + 6) % 7));
  do {
    const row = make('tr');
    for (let i = 0; i < 7; i += 1) {
      const value = iso(day);
      const cell = make('td');
      if (day.getMonth() === first.getMonth()) {
        const button = make('button', { type: 'button', textContent: day.getDate(), ariaPressed: value === chosen, ariaLabel: value, disabled: (input.min && value < input.min) || (input.max && value > input.max) });
        button.tabIndex = value === chosen || (!chosen && day.getDate() === 1) ? 0 : -1;
        if (value === today) button.setAttribute('aria-current', 'date');
        button.onclick = () => { input.value = value; box.remove(); input.focus(); input.dispatchEvent(new Event('input', { bubbles: true })); input.dispatchEvent(new Event('change', { bubbles: true })); };
        cell.append(button);
      }
      row.append(cell);
      day.setDate(day.getDate() + 1);
    }
    body.append(row);
  } while (day.getMonth() === first.getMonth());
  const head = make('tr', {}, ...'一二三四五六日'.split('').map((d) => make('th', { textContent: d })));
  const box = make('div', { className: 'cal', role: 'dialog', ariaLabel: '选择日期' },
    make('header', {}, arrow('上一月', -1), make('b', { textContent: `${first.getFullYear()} 年 ${first.getMonth() + 1} 月` }), arrow('下一月', 1)),
    make('table', {}, make('thead', {}, head), body));
  box.addEventListener('keydown', (event) => {
    const buttons = $$('td button', box);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
    if (event.key === 'Escape') { box.remove(); input.focus(); }
    if (step) { event.preventDefault(); buttons[buttons.indexOf(event.target) + step]?.focus(); }
  });
  (input.closest('.field') || input.parentElement).append(box);
  return box;
}
document.addEventListener('pointerdown', (event) => { if (!event.target.closest('.cal')) $('.cal')?.remove(); });

// ---- what every piece of page needs, also pieces that arrive later
export function ready(root = document) {
  dates(root);
  $$('form', root).forEach(refresh);
  ($('[data-focus]', root))?.focus();
  for (const box of $$('.diagram', root)) { // a wide picture opens where the work is
    const now = $('.node:is(.is-incident, .is-overdue, .is-active)', box)?.getBoundingClientRect();
    if (now) box.scrollLeft += now.left - box.getBoundingClientRect().left - box.clientWidth / 2;
  }
  $$('[data-toast]:is(.ok, .info)', root).forEach((toast) => setTimeout(() => toast.remove(), 8000));
}
document.addEventListener('htmx:after:swap', (event) => ready(event.detail?.ctx?.target || event.target));
document.addEventListener('htmx:config:request', (event) => {
  event.detail.ctx.request.headers['X-CSRFToken'] = $('meta[name=csrf-token]').content;
});
ready();
