// What the CometD client takes from a browser, for Node. Its cookies come from jars: one for each
// browser, which its requests name in a header.

import {createRequire} from 'node:module';

const require = createRequire(import.meta.url);

export const jars = new Map();
export const cookiesOf = browser => [...jars.get(browser) ?? []].map(pair => pair.join('='));

// fill keeps what an answer sets for a browser that comes for the first time.
export function fill(browser, reply) {
  const cookies = reply.headers.getSetCookie?.() ?? [reply.headers.get('set-cookie')];
  jars.set(browser, new Map(cookies.map(cookie => cookie.split(';')[0].split('='))));
}

require('cometd-nodejs-client').adapt({cookies: {
  storeCookie(uri, header, done) {
    const [name, value] = header.split(';')[0].split('=');
    jars.get(uri.headers['X-Browser'])?.set(name, value);
    done();
  },
  retrieveCookies: (context, uri, done) => done(null, cookiesOf(uri.headers['X-Browser'])),
}});
