// Drives `portico demo` with the CometD client as it is published, in the ways agents' applications
// use it, and tells what does not come as it should.
//
//   node conformance.mjs PORTICO      PORTICO is the binary

import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createRequire} from 'node:module';
import readline from 'node:readline';
import {after, before, test} from 'node:test';

const require = createRequire(import.meta.url);
const portico = process.argv[2];
const patience = 10_000; // ms

// The client takes its XMLHttpRequest and WebSocket from the adapter, and cookies from jars: one for
// each browser, which its requests name in a header.
const jars = new Map();
const jarOf = uri => jars.get(uri.headers['X-Browser']) ?? new Map();
require('cometd-nodejs-client').adapt({cookies: {
  storeCookie(uri, header, done) {
    const [name, value] = header.split(';')[0].split('=');
    jarOf(uri).set(name, value);
    done();
  },
  retrieveCookies: (context, uri, done) => done(null, [...jarOf(uri)].map(pair => pair.join('='))),
}});
const stored = new Map(); // of the one tab that is loaded anew
window.sessionStorage = {
  getItem: name => stored.get(name) ?? null,
  setItem: (name, value) => stored.set(name, value),
  removeItem: name => stored.delete(name),
};

let demo; // {process, at}

// start runs the demo on free ports, or on those of an earlier one.
async function start(at) {
  const port = address => address ?? '127.0.0.1:0';
  const child = spawn(portico, ['demo', '--json', '--listen', port(at?.portico), '--admin', port(at?.admin),
    '--icws', port(at?.icws), '--htcc', port(at?.htcc)], {stdio: ['ignore', 'pipe', 'inherit']});
  const [line] = await once(readline.createInterface(child.stdout), 'line');
  return {process: child, at: JSON.parse(line)};
}

async function stop({process}) {
  process.kill('SIGTERM');
  const [code] = await once(process, 'exit');
  assert.equal(code, 0, 'the demo ends cleanly');
}

before(async () => { demo = await start(); });
after(() => stop(demo));

const basic = agent => 'Basic ' + Buffer.from(`${agent}:${agent}`).toString('base64');

// call sends a request of the agent, who logs in with it, and returns the reply.
async function call(agent, method, path, body) {
  const reply = await fetch(`http://${demo.at.portico}/api/v2${path}`,
    {method, headers: {Authorization: basic(agent)}, body: body && JSON.stringify(body)});
  assert.equal(reply.status, 200, `${method} ${path}`);
  await reply.text();
  return reply;
}

const operate = (agent, path, operationName) => call(agent, 'POST', path, {operationName});

async function fault(site, body) {
  const reply = await fetch(`http://${demo.at[site]}/_sim/fault`, {method: 'POST', body: JSON.stringify(body)});
  assert.ok(reply.ok, await reply.text());
}

async function until(what, holds) {
  const deadline = Date.now() + patience;
  while (!await holds()) {
    assert.ok(Date.now() < deadline, `in vain: ${what()}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

// A Tab is a window of an agent's application. Its browser's cookies prove who it is, or without a
// browser a password with every request. It subscribes whenever it has shaken hands.
class Tab {
  heard = [];      // messages, in order
  handshakes = []; // clientIds
  replies = [];    // to connects

  constructor(version, agent, patterns, {browser, websocket = false, extensions = []} = {}) {
    this.patterns = patterns;
    this.cometd = new (require(`cometd-${version}`).CometD)();
    this.cometd.unregisterTransport(websocket ? 'long-polling' : 'websocket');
    for (const name of extensions) {
      this.cometd.registerExtension(name, new (require(`cometd-${version}/${name}Extension`))());
    }
    this.cometd.configure({
      url: `http://${demo.at.portico}/api/v2/notifications`, logLevel: 'error', backoffIncrement: 100,
      requestHeaders: browser ? {'X-Browser': browser} : {Authorization: basic(agent)},
    });
    this.cometd.addListener('/meta/handshake', reply => reply.successful && this.handshakes.push(reply.clientId) && this.subscribe());
    this.cometd.addListener('/meta/connect', reply => this.replies.push(reply));
  }

  // subscribe subscribes. The client hands what comes on meta channels to wildcards as well.
  subscribe() {
    this.cometd.batch(() => {
      for (const pattern of this.patterns) {
        this.cometd.subscribe(pattern, message => message.data && this.heard.push(message), reply => { this.subscribed = reply.successful; });
      }
    });
  }

  async open() {
    this.cometd.handshake();
    await until(() => 'a tab opens', () => this.subscribed && this.replies.some(reply => reply.successful));
    return this;
  }

  // held waits until the tab's connect is held, where no other tab is open.
  async held() {
    await until(() => 'a connect is held', async () => {
      const metrics = await (await fetch(`http://${demo.at.admin}/metrics`)).text();
      return /portico_http_requests_in_flight\{kind="push"\} [1-9]/.test(metrics);
    });
  }

  async close() {
    await new Promise(resolve => this.cometd.disconnect(resolve));
  }

  // voice returns the states of the agent's device as they were told, from the first `from` on.
  voice(from) {
    const states = this.heard.filter(message => message.data.messageType === 'DeviceStateChangeMessage')
      .map(message => message.data.devices[0].userState?.state ?? message.data.devices[0].deviceState);
    return from ? states.slice(states.indexOf(from) < 0 ? states.length : states.indexOf(from)) : states;
  }

  // hears waits for as many states of the device as wanted, and holds them to be those.
  async hears(want, from = want[0]) {
    await until(() => `${want} by ${this.patterns}; there came ${this.voice()}`, () => this.voice(from).length >= want.length);
    assert.deepEqual(this.voice(from), want);
  }
}

// loadPage asks for the agent, as a page does first, and keeps the cookie for the browser.
async function loadPage(browser, agent) {
  const reply = await call(agent, 'GET', '/me');
  const cookies = reply.headers.getSetCookie?.() ?? [reply.headers.get('set-cookie')];
  jars.set(browser, new Map(cookies.map(cookie => cookie.split(';')[0].split('='))));
}

// startShift leaves the agent NotReady, with all told that leads there.
async function startShift(agent) {
  const tab = await new Tab(7, agent, ['/v2/me/devices']).open();
  await call(agent, 'POST', '/me', {operationName: 'StartContactCenterSession', channels: agent === 'anna' ? ['voice', 'email'] : ['voice', 'chat']});
  for (const operation of ['AfterCallWork', 'Ready', 'NotReady']) { // none of which is what went before
    await operate(agent, '/me/channels/voice', operation);
    await until(() => `${operation} at last; there came ${tab.voice()}`, () => {
      const state = tab.heard.at(-1)?.data.devices?.[0].userState;
      return operation === (state?.workMode ?? state?.state);
    });
  }
  await tab.close();
}

for (const version of [3, 7]) {
  const named = name => `cometd.js ${version}: ${name}`;

  for (const agent of ['anna', 'bjorn', 'cleo']) {
    test(named(`${agent} hears of each change once, in order, by every way to subscribe`), async () => {
      await startShift(agent);
      const tabs = [];
      for (const patterns of [['/v2/me/devices', '/v2/me/channels'], ['/v2/me/*'], ['/**'], ['/v2/me/*', '/**', '/v2/me/devices']]) {
        tabs.push(await new Tab(version, agent, patterns).open());
      }
      const done = [];
      for (const operation of ['Ready', 'NotReady', 'Ready', 'NotReady']) {
        await operate(agent, '/me/channels/voice', operation);
        done.push(operation);
        await Promise.all(tabs.slice(0, 3).map(tab => tab.hears(done))); // what is wanted next shows at once
      }
      // The client itself hands a message to each subscription that matches.
      await tabs[3].hears(['Ready', 'NotReady', 'Ready', 'NotReady'].flatMap(state => [state, state, state]));
      await Promise.all(tabs.map(tab => tab.close()));
    });
  }

  test(named('two tabs of a browser hear the same, and nothing of another agent'), async () => {
    await startShift('anna');
    await loadPage('office', 'anna');
    const tabs = [await new Tab(version, 'anna', ['/**'], {browser: 'office'}).open(), await new Tab(version, 'anna', ['/v2/me/*'], {browser: 'office'}).open()];
    const other = await new Tab(version, 'cleo', ['/**']).open();
    await operate('anna', '/me', 'Ready');
    await Promise.all(tabs.map(tab => tab.hears(['Ready'])));
    await operate('anna', '/me', 'NotReady');
    await Promise.all(tabs.map(tab => tab.hears(['Ready', 'NotReady'])));
    assert.deepEqual(other.heard, []);
    await Promise.all([...tabs, other].map(tab => tab.close()));
  });

  test(named('a tab that is loaded anew goes on with its client'), async () => {
    await startShift('anna');
    const options = {extensions: ['Reload', 'Ack']};
    const old = await new Tab(version, 'anna', ['/**'], options).open();
    old.cometd.reload();
    old.cometd.registerExtension('gone', {outgoing: () => null}); // a page that was left sends nothing
    await operate('anna', '/me', 'Ready');
    const tab = await new Tab(version, 'anna', ['/**'], options).open();
    await tab.hears(['Ready']);
    assert.deepEqual(tab.handshakes, old.handshakes);
    await tab.close();
  });

  test(named('an outage of the site is told, and the client stays'), async () => {
    await startShift('anna');
    await operate('anna', '/me', 'Ready');
    const tab = await new Tab(version, 'anna', ['/v2/me/*']).open();
    await fault('icws', {scenario: 'expire-session', user: 'anna'});
    await tab.hears(['Inactive', 'NotReady']);
    assert.equal(tab.handshakes.length, 1);
    await tab.close();
  });

  test(named('a websocket of a browser, acknowledged'), async () => {
    await startShift('bjorn');
    await loadPage('office', 'bjorn');
    const plain = window.WebSocket;
    window.WebSocket = class extends plain { // a browser sends its cookies along
      constructor(url, protocols) {
        super(url, protocols, {headers: {Cookie: [...jars.get('office')].map(pair => pair.join('=')).join('; ')}});
      }
    };
    const tab = await new Tab(version, 'bjorn', ['/**'], {browser: 'office', websocket: true, extensions: ['Ack']}).open();
    window.WebSocket = plain;
    for (const operation of ['Ready', 'NotReady', 'Ready']) {
      await operate('bjorn', '/me/channels/voice', operation);
    }
    await tab.hears(['Ready', 'NotReady', 'Ready']);
    await tab.close();
  });

  test(named('who logs out is told to stop'), async () => {
    await startShift('anna');
    await loadPage('office', 'anna');
    const tab = await new Tab(version, 'anna', ['/**'], {browser: 'office'}).open();
    await tab.held();
    await operate('anna', '/me', 'EndContactCenterSession');
    await until(() => 'the client stops', () => tab.cometd.isDisconnected());
    assert.equal(tab.replies.at(-1).advice.reconnect, 'none');
    assert.equal(tab.handshakes.length, 1);
  });

  test(named('a restart of the server costs a handshake'), async () => {
    const tab = await new Tab(version, 'anna', ['/**']).open();
    await stop(demo);
    demo = await start(demo.at);
    await until(() => 'another handshake', () => tab.handshakes.length === 2 && tab.replies.at(-1).successful);
    await operate('anna', '/me', 'Ready');
    await tab.hears(['Ready']);
    await operate('anna', '/me', 'NotReady');
    await tab.hears(['Ready', 'NotReady']);
    await tab.close();
  });
}
