// Bundles the page, its service worker and the command run-model into dist/.
import {copyFile, cp, mkdir, readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {promisify} from 'node:util';
import {brotliCompress, constants} from 'node:zlib';
import {build} from 'esbuild';

const DIST = 'dist';
// Of the runtime's four builds the page uses that with SIMD, or else the one without.
const WASM = ['litert_wasm_internal', 'litert_wasm_compat_internal'];
const WASM_FOLDER = 'node_modules/@litertjs/core/wasm';
const BROTLI_QUALITY = 9; // the highest takes half a minute for a file, and saves a tenth more

const shared = {bundle: true, minify: true, format: 'esm', target: 'es2022', legalComments: 'none'};

await rm(DIST, {recursive: true, force: true});
await mkdir(`${DIST}/wasm`, {recursive: true});
await build({
  ...shared,
  entryPoints: {page: 'src/page/main.ts', style: 'src/page/style.css'},
  outdir: `${DIST}/page`,
});
await build({
  ...shared,
  format: 'iife',
  entryPoints: {'service-worker': 'src/service_worker.ts'},
  outdir: DIST,
});
await build({
  ...shared,
  minify: false,
  platform: 'node',
  entryPoints: {'run-model': 'src/parity/run_model.ts'},
  outdir: DIST,
  outExtension: {'.js': '.mjs'},
});
await cp('static', `${DIST}/page`, {recursive: true});
await copyFile('index.html', `${DIST}/index.html`);
await Promise.all(
  (await readdir(WASM_FOLDER))
    .filter((name) => WASM.some((build) => name.startsWith(`${build}.`)))
    .map(async (name) => {
      const content = await readFile(`${WASM_FOLDER}/${name}`);
      await writeFile(`${DIST}/wasm/${name}`, content);
      const params = {
        [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
        [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      };
      const small = await promisify(brotliCompress)(content, {params});
      await writeFile(`${DIST}/wasm/${name}.br`, small);
    }),
);
