// Bundles the browser islands into ../static/dist: hashed names, manifest.json, .br and .gz.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, gzipSync, constants } from 'node:zlib';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const authored = path.join(here, '../static');
const out = path.join(authored, 'dist');
fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(out, { recursive: true });

const result = await build({
  absWorkingDir: here,
  entryPoints: { app: 'src/app.js', style: '../static/app.css', modeler: 'src/modeler/index.jsx' },
  outdir: out,
  bundle: true,
  format: 'esm',
  minify: true,
  metafile: true,
  target: ['es2022', 'chrome100', 'firefox100', 'safari15.4'],
  entryNames: '[name]-[hash]',
  assetNames: 'assets/[name]-[hash]',
  loader: { '.woff': 'file', '.woff2': 'file', '.ttf': 'file', '.eot': 'empty', '.svg': 'dataurl' },
  external: ['/static/*'],
  jsx: 'automatic',
  // entries of the properties panel must share the panel's own preact (two copies break hooks)
  jsxImportSource: '@bpmn-io/properties-panel/preact',
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'linked',
  logLevel: 'warning',
});

// logical name → file below /static; what templates ask for
const manifest = {};
for (const [file, info] of Object.entries(result.metafile.outputs)) {
  if (!info.entryPoint) continue;
  const name = path.relative(out, path.resolve(here, file)).replaceAll('\\', '/');
  const logical = name.replace(/-[A-Z0-9]{8}(?=\.)/, '').replace(/^style\.css$/, 'app.css');
  manifest[logical] = `dist/${name}`;
  if (info.cssBundle) {
    const css = path.relative(out, path.resolve(here, info.cssBundle)).replaceAll('\\', '/');
    manifest[css.replace(/-[A-Z0-9]{8}(?=\.)/, '')] = `dist/${css}`;
  }
}
for (const name of ['icons.svg']) {
  const data = fs.readFileSync(path.join(authored, name));
  const hash = createHash('sha256').update(data).digest('hex').slice(0, 8);
  const target = name.replace('.', `-${hash}.`);
  fs.writeFileSync(path.join(out, target), data);
  manifest[name] = `dist/${target}`;
}

// the licences of everything that was bundled travel with it
const packages = new Map();
for (const input of Object.keys(result.metafile.inputs)) {
  const found = /^(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (found) packages.set(found[1], path.join(here, found[1]));
}
const licences = [...packages].sort().map(([, folder]) => {
  const { name, version, license } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const file = fs.readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));
  const text = file ? fs.readFileSync(path.join(folder, file), 'utf8').trim() : '';
  return `${name} ${version} (${license})\n\n${text}\n`;
});
fs.writeFileSync(path.join(out, 'LICENSES.txt'), licences.join(`\n${'-'.repeat(72)}\n\n`));

for (const entry of fs.readdirSync(out, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(js|css|svg)$/.test(entry.name)) continue;
  const file = path.join(entry.parentPath ?? entry.path, entry.name);
  const data = fs.readFileSync(file);
  if (data.length < 1024) continue;
  fs.writeFileSync(`${file}.gz`, gzipSync(data, { level: 9 }));
  fs.writeFileSync(`${file}.br`, brotliCompressSync(data, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: data.length },
  }));
}
fs.writeFileSync(path.join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
