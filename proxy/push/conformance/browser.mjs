// Drives Portico with pages in Debian's Chromium, whose script is the CometD client as it is
// published.
//
//   node browser.mjs PORTICO      PORTICO is the binary

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Tab} from './client.mjs';
import {held, metric, operate, until} from './demo.mjs';
import {Page, Profile} from './page.mjs';
import {startShift} from './shift.mjs';

const isPoll = reply => reply.advice?.['multiple-clients'];

for (const version of [3, 7]) {
  const named = name => `cometd.js ${version} in Chromium: ${name}`;

  test(named('of two tabs the second polls, hears the same, and is held once the first is closed'), async () => {
    await startShift('anna');
    const profile = await new Profile().open();
    const first = await Page.open(profile, version, 'anna');
    await held(1);
    const second = await Page.open(profile, version, 'anna');
    assert.deepEqual((await profile.context.cookies()).map(cookie => cookie.name).sort(), ['BAYEUX_BROWSER', 'JSESSIONID']);

    await until(() => 'polls', () => second.replies.length >= 2);
    for (const reply of second.replies) {
      assert.deepEqual(reply.advice, {'multiple-clients': true, reconnect: 'retry', interval: 2000, timeout: 30000});
    }
    assert.ok(second.connects[1] - second.connects[0] > 1900, 'a poll comes after the interval');

    // What follows a poll has the interval to itself.
    const polls = second.replies.length;
    await operate('anna', '/me', 'Ready');
    await Promise.all([first, second].map(tab => tab.hears(['Ready'])));
    assert.ok(!first.replies.some(isPoll), 'the first is held');
    await until(() => 'a poll after that', () => second.replies.length >= polls + 2);
    await first.close();
    await held(0);
    await held(1); // the second's
    await operate('anna', '/me', 'NotReady');
    await second.hears(['Ready', 'NotReady']);
    await until(() => 'the answer to a connect that was held', () => !isPoll(second.replies.at(-1)));
    assert.deepEqual(second.replies.at(-1).advice, {reconnect: 'retry', interval: 0, timeout: 30000});
    await second.close();
  });

  for (const transport of ['long-polling', 'websocket']) {
    test(named(`a page loaded anew goes on with its client and misses nothing, by ${transport}`), async () => {
      await startShift('anna');
      const witness = await new Tab(version, 'anna', ['/v2/me/devices']).open();
      const profile = await new Profile().open();
      const page = await Page.open(profile, version, 'anna', {transport});
      await operate('anna', '/me', 'Ready');
      await page.hears(['Ready']);
      await until(() => 'all is acknowledged', async () => await metric('portico_push_backlog_events') === 0);
      await page.reload(async () => {
        await operate('anna', '/me', 'NotReady');
        await witness.hears(['Ready', 'NotReady']);
        await operate('anna', '/me', 'Ready');
        await witness.hears(['Ready', 'NotReady', 'Ready']);
      });
      await page.connected(2);
      await operate('anna', '/me', 'NotReady');
      await page.hears(['Ready', 'NotReady', 'Ready', 'NotReady']);
      assert.equal(page.handshakes[0], page.handshakes[1]);
      await Promise.all([page, witness].map(tab => tab.close()));
    });
  }
}
