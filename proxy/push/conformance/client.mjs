// The CometD client as it is published, in Node.

import {createRequire} from 'node:module';
import {afterEach} from 'node:test';
import {at, basic, call} from './demo.mjs';
import {cookiesOf, fill} from './jars.mjs';
import {Listener} from './listener.mjs';

const require = createRequire(import.meta.url);

let opening; // the browser whose tab was opened last
window.WebSocket = class extends window.WebSocket { // which sends no cookies by itself
  constructor(url, protocols) {
    super(url, protocols, {headers: {Cookie: cookiesOf(opening).join('; ')}});
  }
};

const stored = new Map(); // of the one tab that is loaded anew
window.sessionStorage = {
  getItem: name => stored.get(name) ?? null,
  setItem: (name, value) => stored.set(name, value),
  removeItem: name => stored.delete(name),
};

// loadPage asks for the agent, as a page does first, and keeps the cookie for the browser.
export async function loadPage(browser, agent, server = 'portico') {
  fill(browser, await call(agent, 'GET', '/me', undefined, server));
}

// What a test leaves open, as one that fails does, ends with it.
const opened = [];
afterEach(() => opened.splice(0).filter(tab => !tab.cometd.isDisconnected()).forEach(tab => tab.cometd.disconnect()));

// A Tab is a window of an agent's application. Its browser's cookies prove who it is, or without a
// browser a password with every request. It subscribes whenever it has shaken hands.
export class Tab extends Listener {
  constructor(version, agent, patterns, {server = 'portico', browser, transports = ['long-polling'], extensions = []} = {}) {
    super();
    this.patterns = patterns;
    this.browser = browser;
    this.cometd = new (require(`cometd-${version}`).CometD)();
    for (const name of ['websocket', 'long-polling'].filter(name => !transports.includes(name))) {
      this.cometd.unregisterTransport(name);
    }
    for (const name of extensions) {
      this.cometd.registerExtension(name, new (require(`cometd-${version}/${name}Extension`))());
    }
    this.cometd.configure({
      url: `http://${at[server]}/api/v2/notifications`, logLevel: 'error', backoffIncrement: 100,
      requestHeaders: browser ? {'X-Browser': browser} : {Authorization: basic(agent)},
    });
    this.cometd.addListener('/meta/handshake', reply => {
      this.shakenHands(reply);
      if (reply.successful) {
        this.subscribe();
      }
    });
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
    opening = this.browser;
    opened.push(this);
    this.cometd.handshake();
    await this.connected();
    return this;
  }

  // close disconnects and is gone, with the websocket that the client may leave open.
  async close() {
    const transport = this.cometd.getTransport();
    await new Promise(resolve => this.cometd.disconnect(resolve));
    transport.abort();
  }
}
