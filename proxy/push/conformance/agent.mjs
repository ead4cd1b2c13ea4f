import {createRequire} from 'node:module';
import {cookiesOf, fill} from './jars.mjs';

const require = createRequire(import.meta.url);
const {CometD} = require('cometd-7');
const AckExtension = require('cometd-7/AckExtension');

const operations = ['Ready', 'NotReady']; // of those who write, in turn
const patience = 30_000; // ms, for all that opening takes
const settles = 1900; // ms; a write that takes about 2 s is answered though the site does not show it yet

// An Agent is one with an application. It keeps what it saw for who reports it.
export class Agent {
  heard = {devices: [], channels: []}; // {at, state} of voice, in the order they came
  handshakes = 0;
  reads = 0;
  writes = 0;
  unsure = 0;    // writes that Portico answered without having seen them done
  slowest = 0;   // of its requests, in ms
  failures = []; // what did not succeed, with the time, in ms
  wrong = [];    // what a read showed right after a write

  constructor(door, {name, channels, ack, writes}) {
    Object.assign(this, {door, name, channels, ack, writing: writes});
  }

  // open logs in, and returns once the client waits for changes.
  async open() {
    await this.logIn();
    this.cometd = new CometD();
    this.cometd.unregisterTransport('websocket');
    if (this.ack) {
      this.cometd.registerExtension('ack', new AckExtension());
    }
    this.cometd.configure({url: `http://${this.door}/api/v2/notifications`, logLevel: 'error', backoffIncrement: 100, requestHeaders: {'X-Browser': this.name}});
    await new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error(`${this.name} could not listen: ${JSON.stringify(this.failures)}`)), patience).unref();
      this.listen(resolve);
      this.cometd.handshake();
    });
  }

  async logIn() {
    const basic = 'Basic ' + Buffer.from(`${this.name}:${this.name}`).toString('base64');
    fill(this.name, await this.call('GET', '/me', undefined, {Authorization: basic}));
    await this.call('POST', '/me', {operationName: 'StartContactCenterSession', channels: this.channels});
  }

  // listen keeps what the client is told, and calls connected when it first waits for more.
  listen(connected) {
    this.cometd.addListener('/meta/handshake', reply => {
      this.check('handshake', reply);
      this.handshakes++;
      if (reply.successful) {
        this.cometd.batch(() => {
          this.cometd.subscribe('/v2/me/devices', message => this.hear('devices', message.data.devices?.[0]));
          this.cometd.subscribe('/v2/me/channels', message => this.hear('channels', message.data.channels?.find(one => one.channel === 'voice')));
        });
      }
    });
    this.cometd.addListener('/meta/subscribe', reply => this.check('subscribe', reply));
    this.cometd.addListener('/meta/connect', reply => {
      this.check('connect', reply);
      if (reply.successful) {
        connected();
      }
    });
  }

  check(what, reply) {
    if (!reply.successful) {
      this.fail(`${what}: ${reply.error ?? JSON.stringify(reply.failure?.httpCode ?? reply.failure)}`);
    }
  }

  hear(what, thing) {
    if (thing) {
      this.heard[what].push({at: Date.now(), state: thing.userState?.displayName ?? thing.deviceState ?? ''});
    }
  }

  fail(what) {
    this.failures.push({at: Date.now(), what});
  }

  // call sends a request with the session's cookie, and returns the answer if it is a success.
  async call(method, path, body, headers = {Cookie: cookiesOf(this.name).join('; ')}) {
    const began = Date.now();
    const reply = await fetch(`http://${this.door}/api/v2${path}`, {method, headers, body: body && JSON.stringify(body)});
    reply.text = await reply.text();
    this.slowest = Math.max(this.slowest, Date.now() - began);
    if (reply.status !== 200) {
      throw Object.assign(new Error(`${reply.status} ${reply.text}`), {status: reply.status});
    }
    return reply;
  }

  // work has it read every so many ms, from some moment on, until it rests.
  work(every) {
    this.resting = false;
    this.working = (async () => {
      await new Promise(resolve => setTimeout(resolve, every * Math.random()));
      while (!this.resting) {
        await this.turn();
        await new Promise(resolve => setTimeout(resolve, every));
      }
    })();
  }

  async rest() {
    this.resting = true;
    await this.working;
  }

  async turn() {
    const wanted = this.writing && operations[this.writes % operations.length];
    const began = Date.now();
    let sure = true;
    try {
      if (wanted) {
        await this.call('POST', '/me/channels/voice', {operationName: wanted});
        this.writes++;
        sure = Date.now() - began < settles;
        this.unsure += sure ? 0 : 1;
      }
    } catch (error) {
      await this.failed('POST', error);
      return;
    }
    try {
      const shown = JSON.parse((await this.call('GET', '/me/devices?fields=*')).text).devices[0].userState.state;
      this.reads++;
      if (wanted && sure && shown !== wanted) {
        this.wrong.push({at: Date.now(), what: `${shown} right after ${wanted}`});
      }
    } catch (error) {
      await this.failed('GET', error);
    }
  }

  // failed notes it, and logs in again if the session has ended.
  async failed(what, error) {
    this.fail(`${what}: ${describe(error)}`);
    if (error.status === 403) {
      await this.logIn().catch(error => this.fail(`log-in: ${describe(error)}`));
    }
  }

  report() {
    const {heard, handshakes, reads, writes, unsure, slowest, failures, wrong} = this;
    return {...heard, handshakes, reads, writes, unsure, slowest, failures, wrong};
  }

  forget() {
    Object.assign(this, {heard: {devices: [], channels: []}, handshakes: 0, reads: 0, unsure: 0, slowest: 0, failures: [], wrong: []});
  }
}

// describe adds what fetch keeps to itself.
const describe = error => error.cause ? `${error.message}: ${error.cause.message}` : error.message;
