// Bundles the page. Grafana's libraries are made to be loaded by Grafana, hence the shims.
import {readFileSync} from 'node:fs';
import {build} from 'esbuild';

const shims = {
  name: 'shims',
  setup(build) {
    // Its class is a member of what it exports here, and the export itself elsewhere.
    build.onResolve({filter: /^react-custom-scrollbars-2$/}, () => ({path: 'scrollbars', namespace: 'shim'}));
    build.onLoad({filter: /.*/, namespace: 'shim'}, () => ({
      contents: `import * as all from '${new URL('node_modules/react-custom-scrollbars-2/lib/index.js', import.meta.url).pathname}';
        export const Scrollbars = all.Scrollbars; export default all.Scrollbars;`,
      resolveDir: new URL('.', import.meta.url).pathname,
    }));
    // The module of the table panel lacks an export that scenes imports.
    build.onLoad({filter: /schema\/dist\/esm\/raw\/composable\/table\/panelcfg\/.*types\.gen\.mjs$/}, args => {
      const source = readFileSync(args.path, 'utf8');
      const has = /export \{[^}]*defaultOptions/.test(source) || /export const defaultOptions/.test(source);
      return {contents: has ? source : source + '\nexport const defaultOptions = {};\n'};
    });
  },
};

await build({
  entryPoints: ['src/page.jsx'], bundle: true, outfile: 'dist/page.js', format: 'esm', jsx: 'automatic',
  platform: 'browser', mainFields: ['browser', 'module', 'main'],
  loader: {'.ttf': 'dataurl', '.woff2': 'dataurl', '.woff': 'dataurl', '.svg': 'dataurl', '.png': 'dataurl'},
  alias: {'react-router-dom-v5-compat': 'react-router-dom'},
  define: {'process.env.NODE_ENV': '"production"', global: 'globalThis'},
  plugins: [shims], logLevel: 'error',
});
