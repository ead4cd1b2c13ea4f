// Debian's Chromium, without a window, and pages in it that use the CometD client as it is published.

import {createRequire} from 'node:module';
import {after, afterEach, before} from 'node:test';
import {chromium} from 'playwright-core';
import {at} from './demo.mjs';
import {Listener} from './listener.mjs';

const require = createRequire(import.meta.url);

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    chromiumSandbox: process.getuid() !== 0, // which does not start for root
  });
});
after(() => browser?.close());
afterEach(() => Promise.all(browser.contexts().map(context => context.close())));

// A Profile is one person's browser: cookies that all of its pages share. The pages are Portico's own
// as far as the browser can tell, but come from here. It ends with its test.
export class Profile {
  async open() {
    // Chromium does not see that a page which comes from here is local, as Portico is.
    this.context = await browser.newContext({permissions: ['local-network-access']});
    await this.context.route(`http://${at.portico}/desktop/**`, route => this.serve(route));
    return this;
  }

  // serve answers with the page or a script of the client.
  async serve(route) {
    const [, version, file] = new URL(route.request().url()).pathname.match(/^\/desktop\/(\d)\/(.*)$/);
    if (!file) {
      await this.meanwhile?.();
    }
    await route.fulfill({path: require.resolve(file ? `cometd-${version}/${file}` : './desktop.html')});
  }
}

// A Page is a tab of a profile, with an agent's application in it.
export class Page extends Listener {
  connects = []; // when each was sent, in ms

  // open opens a page in profile.
  static async open(profile, version, agent, {transport = 'long-polling'} = {}) {
    const page = new Page();
    page.profile = profile;
    page.tab = await profile.context.newPage();
    await page.tab.exposeFunction('tell', (what, value) => page.told(what, value));
    await page.tab.goto(`http://${at.portico}/desktop/${version}/?agent=${agent}&transport=${transport}`);
    await page.connected();
    return page;
  }

  told(what, value) {
    switch (what) {
      case 'shook':
        return this.shakenHands(value);
      case 'subscribed':
        this.subscribed = value;
        return;
    }
    this[what].push(value);
  }

  // reload loads the page anew. Between the old page's end and the new one's begin meanwhile happens.
  async reload(meanwhile) {
    this.profile.meanwhile = meanwhile;
    await this.tab.reload();
    this.profile.meanwhile = undefined;
  }

  // close disconnects first: else its client would go on gathering events until Portico gave it up.
  async close() {
    await this.tab.evaluate(() => new Promise(resolve => { cometd.disconnect(resolve); }));
    await this.tab.close();
  }
}
