// Agents of a fleet of replicas: each has an application with the CometD client as it is published,
// which listens for changes of state, reads, and of some also writes. The program that starts it says
// what they do, in requests to the port that it prints, and judges what they report.
//
//   POST /open {door, agents: [{name, channels, ack, writes}]}   log in, and listen
//   POST /work {every}   read, or write and read at once, every so many ms
//   POST /rest           end what /work began
//   POST /report         what each has seen since it opened, or since /forget
//   POST /forget

import http from 'node:http';
import {Agent} from './agent.mjs';

let agents = [];

const todo = {
  async '/open'({door, agents: list}) {
    const opened = list.map(one => new Agent(door, one));
    agents = agents.concat(opened);
    await each(opened, 32, agent => agent.open());
  },
  async '/work'({every}) {
    for (const agent of agents) {
      agent.work(every);
    }
  },
  '/rest': () => Promise.all(agents.map(agent => agent.rest())),
  '/report': () => Object.fromEntries(agents.map(agent => [agent.name, agent.report()])),
  async '/forget'() {
    for (const agent of agents) {
      agent.forget();
    }
  },
};

// each does something for all of a list, so many at a time.
async function each(list, atOnce, act) {
  const rest = list.values();
  await Promise.all(Array.from({length: atOnce}, async () => {
    for (const one of rest) {
      await act(one);
    }
  }));
}

const server = http.createServer(async (request, reply) => {
  let text = '';
  for await (const part of request) {
    text += part;
  }
  try {
    reply.end(JSON.stringify(await todo[request.url](text && JSON.parse(text)) ?? {}));
  } catch (error) {
    reply.writeHead(500).end(String(error));
  }
});
server.listen(0, '127.0.0.1', () => console.log(`agents at 127.0.0.1:${server.address().port}`));
