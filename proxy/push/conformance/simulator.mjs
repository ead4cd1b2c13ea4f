// Drives the HTCC simulator, without Portico, with the CometD client as it is published. The
// simulator is strict as a real server: a client is known by its browser's cookie and its clientId
// together, in an HTTP session of its agent.
//
//   node simulator.mjs PORTICO      PORTICO is the binary

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Tab, loadPage} from './client.mjs';
import {at, control, fault, until} from './demo.mjs';
import {jars} from './jars.mjs';

const patterns = [['/v2/me/devices', '/v2/me/channels'], ['/v2/me/*'], ['/**']];

// impose changes the agent's state as somebody else would.
const impose = (user, channel, state) => control('htcc', 'state', {user, channel, state});

// atRest leaves the agent NotReady on all channels.
const atRest = user => control('htcc', 'state', {user, state: 'NotReady'});

// open opens a tab in a new browser, unless one is named that has loaded the page.
let browsers = 0;
async function open(version, agent, patterns, {browser, ...options} = {}) {
  if (!browser) {
    browser = `browser ${browsers++}`;
    await loadPage(browser, agent, 'htcc');
  }
  return await new Tab(version, agent, patterns, {server: 'htcc', browser, ...options}).open();
}

// chat returns the states of the agent's chat channel as they were told.
const chat = tab => tab.heard.filter(message => message.data.messageType === 'ChannelStateChangeMessageV2')
  .map(message => message.data.channels.find(one => one.channel === 'chat').userState.state);

async function sessions(user) {
  const reply = await fetch(`http://${at.htcc}/_sim/state?user=${user}`);
  return (await reply.json()).notifications;
}

for (const version of [3, 7]) {
  const named = name => `cometd.js ${version}, HTCC: ${name}`;

  test(named('an agent hears of each change once, by every way to subscribe, and nothing of another'), async () => {
    await atRest('bjorn');
    const tabs = await Promise.all(patterns.map(some => open(version, 'bjorn', some)));
    const other = await open(version, 'cleo', ['/**']);
    for (const state of ['Ready', 'NotReady', 'Ready']) {
      await impose('bjorn', 'voice', state);
      await impose('bjorn', 'chat', state);
    }
    for (const tab of tabs) {
      await tab.hears(['Ready', 'NotReady', 'Ready']);
      await until(() => `chat; there came ${chat(tab)}`, () => chat(tab).length >= 3);
      assert.deepEqual(chat(tab), ['Ready', 'NotReady', 'Ready']);
    }
    assert.deepEqual(other.heard, []);
    await Promise.all([...tabs, other].map(tab => tab.close()));
    assert.equal(await sessions('bjorn'), 0);
  });

  test(named('of services hears who asks for everything'), async () => {
    await atRest('bjorn');
    const [own, all] = [await open(version, 'bjorn', ['/v2/me/*']), await open(version, 'bjorn', ['/**'])];
    await fault('htcc', {scenario: 'voice-down'});
    await fault('htcc', {scenario: 'voice-up'});
    await impose('bjorn', 'voice', 'Ready');
    await Promise.all([own, all].map(tab => tab.hears(['Ready'])));
    const services = tab => tab.heard.filter(message => message.channel === '/notifications/services').map(message => message.data.services[0].state);
    assert.deepEqual([services(own), services(all)], [[], ['Inactive', 'Active']]);
    await Promise.all([own, all].map(tab => tab.close()));
  });

  test(named('of two tabs of a browser the second is told to poll, and hears the same'), async () => {
    await atRest('bjorn');
    await loadPage('shared', 'bjorn', 'htcc');
    const first = await open(version, 'bjorn', ['/**'], {browser: 'shared'});
    const second = await open(version, 'bjorn', ['/**'], {browser: 'shared'});
    await until(() => 'a poll', () => second.replies.some(reply => reply.advice?.['multiple-clients']));
    await impose('bjorn', 'voice', 'Ready');
    await Promise.all([first, second].map(tab => tab.hears(['Ready'])));
    assert.ok(!first.replies.some(reply => reply.advice?.['multiple-clients']), 'the first is held');
    await Promise.all([first, second].map(tab => tab.close()));
  });

  test(named('without the cookie of its browser a client is unknown, and shakes hands'), async () => {
    await atRest('bjorn');
    const tab = await open(version, 'bjorn', ['/v2/me/*']);
    jars.get(tab.browser).delete('BAYEUX_BROWSER');
    await impose('bjorn', 'voice', 'Ready'); // answers the connect that is held; the next one lacks the cookie
    await tab.connected(2);
    const refused = tab.replies.find(reply => !reply.successful);
    assert.deepEqual([refused.error, refused.advice.reconnect], ['402::Unknown client', 'handshake']);
    assert.notEqual(tab.handshakes[0], tab.handshakes[1]);
    await impose('bjorn', 'voice', 'NotReady');
    await tab.hears(['NotReady']);
    await tab.close();
  });

  test(named('a client that would acknowledge goes on with a server that does not know how'), async () => {
    await atRest('bjorn');
    const tab = await open(version, 'bjorn', ['/**'], {extensions: ['Ack']});
    await impose('bjorn', 'voice', 'Ready');
    await tab.hears(['Ready']);
    await impose('bjorn', 'voice', 'NotReady');
    await tab.hears(['Ready', 'NotReady']);
    assert.ok(!tab.replies.some(reply => reply.ext), 'no acknowledgements');
    await tab.close();
  });

  test(named('a client that would have a websocket gets long-polling'), async () => {
    await atRest('bjorn');
    const tab = await open(version, 'bjorn', ['/**'], {transports: ['websocket', 'long-polling']});
    assert.equal(tab.cometd.getTransport().getType(), 'long-polling');
    await impose('bjorn', 'voice', 'Ready');
    await tab.hears(['Ready']);
    await tab.close();
  });

  test(named('a connection that breaks costs no handshake'), async () => {
    await atRest('bjorn');
    const tab = await open(version, 'bjorn', ['/**']);
    await fault('htcc', {scenario: 'reset-connection', user: 'bjorn'});
    await until(() => 'a failure', () => tab.replies.some(reply => !reply.successful));
    await impose('bjorn', 'voice', 'Ready');
    await tab.hears(['Ready']);
    assert.equal(tab.handshakes.length, 1);
    await tab.close();
  });

  test(named('an answer cut short costs its events alone'), async () => {
    await atRest('bjorn');
    const tab = await open(version, 'bjorn', ['/**']);
    await fault('htcc', {scenario: 'truncate-event', user: 'bjorn'});
    await impose('bjorn', 'voice', 'Ready');
    await until(() => 'a failure', () => tab.replies.some(reply => !reply.successful));
    await impose('bjorn', 'voice', 'NotReady');
    await until(() => 'a change', () => tab.heard.length > 0);
    assert.deepEqual([tab.voice(), tab.handshakes.length], [['NotReady'], 1]);
    await tab.close();
  });

  test(named('a CometD session that ended costs a handshake'), async () => {
    await atRest('bjorn');
    const tab = await open(version, 'bjorn', ['/**']);
    await fault('htcc', {scenario: 'drop-stream', user: 'bjorn'});
    await tab.connected(2);
    assert.deepEqual(tab.refused, []);
    await impose('bjorn', 'voice', 'Ready');
    await tab.hears(['Ready']);
    await tab.close();
  });

  test(named('an HTTP session that ended costs a log-in besides, and the state stays'), async () => {
    await impose('bjorn', 'voice', 'Ready');
    const tab = await open(version, 'bjorn', ['/**']);
    await fault('htcc', {scenario: 'expire-session', user: 'bjorn'});
    // A connect that is held is told 402, and the handshake is refused; one on its way is refused itself.
    await until(() => 'a refusal', () => [...tab.refused, ...tab.replies].some(reply => reply.failure?.httpCode === 403));
    await loadPage(tab.browser, 'bjorn', 'htcc');
    await tab.connected(2);
    await impose('bjorn', 'voice', 'NotReady');
    await until(() => 'a change', () => tab.heard.length > 0);
    assert.deepEqual(tab.voice(), ['NotReady']);
    await tab.close();
  });
}
