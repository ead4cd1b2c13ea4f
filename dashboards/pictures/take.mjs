// Takes a picture of each dashboard, drawn from what a Prometheus has.
//
//   node take.mjs PROMETHEUS FROM TO FOLDER BOARD...      FROM and TO in Unix seconds, CHROMIUM names the browser

import {createServer} from 'node:http';
import {readFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {chromium} from 'playwright-core';

const [prometheus, from, to, folder, ...boards] = process.argv.slice(2);

const page = '<!doctype html><meta charset=utf-8><link rel=stylesheet href=/page.css><body><div id=root></div><script type=module src=/page.js></script>';
const here = new URL('.', import.meta.url).pathname;

// The page asks Prometheus through its own server, as Grafana's pages do.
const server = createServer(async (request, response) => {
  const path = new URL(request.url, 'http://here').pathname;
  const send = (type, body) => response.writeHead(200, {'Content-Type': type}).end(body);
  try {
    if (path === '/') return send('text/html', page);
    if (path === '/page.js') return send('text/javascript', readFileSync(join(here, 'dist/page.js')));
    if (path === '/page.css') return send('text/css', readFileSync(join(here, 'dist/page.css')));
    if (path.startsWith('/boards/')) return send('application/json', readFileSync(boards.find(file => basename(file) === basename(path))));
    if (path.startsWith('/api/v1/')) return send('application/json', await (await fetch(prometheus + request.url)).text());
    response.writeHead(404).end();
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
await new Promise(done => server.listen(0, '127.0.0.1', done));
const address = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox']});
let wrong = 0;

async function take(file) {
  const board = JSON.parse(readFileSync(file, 'utf8'));
  // The whole height from the start: panels are mounted as they come into view.
  const rows = Math.max(...board.panels.map(({gridPos}) => gridPos.y + gridPos.h));
  const tab = await browser.newPage({viewport: {width: 1500, height: rows * 38 + 130}});
  const errors = [];
  tab.on('pageerror', error => errors.push(error.stack ?? String(error)));
  await tab.goto(`${address}/?board=${basename(file)}&from=${from}&to=${to}`);
  const panels = board.panels.filter(({type}) => type !== 'row');
  await tab.waitForFunction(count => document.querySelectorAll('[data-testid^="data-testid Panel header"]').length >= count, panels.length, {timeout: 60000})
    .catch(() => errors.push(`not all of ${panels.length} panels were drawn`));
  await tab.waitForLoadState('networkidle');
  await tab.waitForTimeout(1500); // the plots are drawn after their data have come
  errors.push(...await tab.getByText('An unexpected error happened').locator('..').allInnerTexts());
  errors.push(...(await tab.evaluate(() => window.shown?.faults ?? ['the page shows nothing'])));
  const picture = join(folder, basename(file, '.json') + '.png');
  await tab.screenshot({path: picture});
  await tab.close();
  wrong += errors.length;
  console.log(picture, errors.length ? errors.join('\n') : 'ok');
}

try {
  for (const board of boards) await take(board);
} finally {
  await browser.close();
  server.close();
}
process.exitCode = wrong ? 1 : 0;
