import {Tab} from './client.mjs';
import {call, operate, until} from './demo.mjs';

// startShift leaves the agent NotReady, with all told that leads there.
export async function startShift(agent) {
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
