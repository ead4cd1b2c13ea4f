// Drives Portico with the CometD client as it is published, in the ways agents' applications use it.
//
//   node portico.mjs PORTICO      PORTICO is the binary

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Tab, loadPage} from './client.mjs';
import {fault, held, operate, restart, until} from './demo.mjs';
import {startShift} from './shift.mjs';

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
    const tab = await new Tab(version, 'bjorn', ['/**'], {browser: 'office', transports: ['websocket'], extensions: ['Ack']}).open();
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
    await held();
    await operate('anna', '/me', 'EndContactCenterSession');
    await until(() => 'the client stops', () => tab.cometd.isDisconnected());
    assert.equal(tab.replies.at(-1).advice.reconnect, 'none');
    assert.equal(tab.handshakes.length, 1);
  });

  test(named('a restart of the server costs a handshake'), async () => {
    const tab = await new Tab(version, 'anna', ['/**']).open();
    await restart();
    await tab.connected(2);
    await operate('anna', '/me', 'Ready');
    await tab.hears(['Ready']);
    await operate('anna', '/me', 'NotReady');
    await tab.hears(['Ready', 'NotReady']);
    await tab.close();
  });
}
