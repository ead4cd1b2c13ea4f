// The demo that a suite drives: Portico in front of both simulators, on free ports. The suite's first
// argument is the binary.

import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import readline from 'node:readline';
import {after, before} from 'node:test';

const patience = 10_000; // ms
const longest = 300_000; // ms, that a suite may take

export let at; // the addresses of portico, admin, icws and htcc
let child;

// start runs the demo on free ports, or again on those it had.
async function start() {
  const port = name => at?.[name] ?? '127.0.0.1:0';
  child = spawn(process.argv[2], ['demo', '--json', '--listen', port('portico'), '--admin', port('admin'),
    '--icws', port('icws'), '--htcc', port('htcc')], {stdio: ['ignore', 'pipe', 'inherit']});
  const [line] = await once(readline.createInterface(child.stdout), 'line');
  at = JSON.parse(line);
}

async function stop() {
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  assert.equal(code, 0, 'the demo ends cleanly');
}

export async function restart() {
  await stop();
  await start();
}

before(start);
after(stop);
setTimeout(() => {
  console.error(`not done after ${longest / 1000} s`);
  child?.kill();
  process.exit(1);
}, longest).unref();

export const basic = agent => 'Basic ' + Buffer.from(`${agent}:${agent}`).toString('base64');

// call sends a request of the agent, who logs in with it, and returns the reply.
export async function call(agent, method, path, body, server = 'portico') {
  const reply = await fetch(`http://${at[server]}/api/v2${path}`,
    {method, headers: {Authorization: basic(agent)}, body: body && JSON.stringify(body)});
  assert.equal(reply.status, 200, `${method} ${path}`);
  await reply.text();
  return reply;
}

export const operate = (agent, path, operationName) => call(agent, 'POST', path, {operationName});

// control tells a simulator to change something, or to fail.
export async function control(site, what, body) {
  const reply = await fetch(`http://${at[site]}/_sim/${what}`, {method: 'POST', body: JSON.stringify(body)});
  assert.ok(reply.ok, await reply.text());
}

export const fault = (site, body) => control(site, 'fault', body);

// metric returns the value of one series of Portico's, 0 if there is none.
export async function metric(series) {
  const text = await (await fetch(`http://${at.admin}/metrics`)).text();
  const line = text.split('\n').find(line => line.startsWith(series + ' '));
  return line ? Number(line.slice(series.length)) : 0;
}

// held waits until so many connects are held, of all clients.
export async function held(count = 1) {
  let seen;
  await until(() => `${count} connects are held; there were ${seen}`, async () => (seen = await metric(`portico_http_requests_in_flight{kind="push"}`)) === count);
}

export async function until(what, holds) {
  const deadline = Date.now() + patience;
  while (!await holds()) {
    assert.ok(Date.now() < deadline, `in vain: ${what()}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
