import assert from 'node:assert/strict';
import {until} from './demo.mjs';

// A Listener keeps what a client of CometD was told.
export class Listener {
  heard = [];      // messages, in order
  handshakes = []; // clientIds
  refused = [];    // replies to handshakes that failed
  replies = [];    // to connects
  subscribed = false; // since the last handshake

  shakenHands(reply) {
    this.subscribed = false;
    if (reply.successful) {
      this.handshakes.push(reply.clientId);
    } else {
      this.refused.push(reply);
    }
  }

  // connected waits until the client has shaken hands so often, has subscribed and connected.
  async connected(handshakes = 1) {
    await until(() => `handshake ${handshakes}`,
      () => this.handshakes.length === handshakes && this.subscribed && this.replies.at(-1)?.successful);
  }

  // voice returns the states of the agent's device as they were told, from the first `from` on.
  voice(from) {
    const states = this.heard.filter(message => message.data.messageType === 'DeviceStateChangeMessage')
      .map(message => message.data.devices[0].userState?.state ?? message.data.devices[0].deviceState);
    return from ? states.slice(states.indexOf(from) < 0 ? states.length : states.indexOf(from)) : states;
  }

  // hears waits for as many states of the device as wanted, and holds them to be those.
  async hears(want, from = want[0]) {
    await until(() => `${want}; there came ${this.voice()}`, () => this.voice(from).length >= want.length);
    assert.deepEqual(this.voice(from), want);
  }
}
