// A data source that asks Prometheus, through the page's own server, as Grafana's does.
import {FieldType, LoadingState, toDataFrame, getDefaultTimeRange} from '@grafana/data';
import {sceneGraph} from '@grafana/scenes';
import {from, map} from 'rxjs';

const scrape = 1; // seconds between scrapes

export const faults = [];

async function ask(path, parameters) {
  const response = await fetch(`/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const answer = await response.json();
  if (answer.status !== 'success') {
    faults.push(`${parameters.query}: ${answer.error}`);
    throw new Error(answer.error);
  }
  return answer.data;
}

// What a number is in a plot: one that is none leaves a hole, where else it would blank the plot.
const number = text => Number.isFinite(Number(text)) ? Number(text) : null;

const legend = (format, labels) => format.replace(/\{\{(\w+)\}\}/g, (_, label) => labels[label] ?? '');

function line(target, {metric, values}) {
  return toDataFrame({
    refId: target.refId,
    name: legend(target.legendFormat, metric),
    fields: [
      {name: 'Time', type: FieldType.time, values: values.map(([at]) => at * 1000)},
      {name: 'Value', type: FieldType.number, labels: metric, values: values.map(([, text]) => number(text)),
        config: {displayNameFromDS: legend(target.legendFormat, metric)}},
    ],
  });
}

function table(target, result) {
  const names = [...new Set(result.flatMap(({metric}) => Object.keys(metric)))];
  return toDataFrame({
    refId: target.refId,
    fields: [
      {name: 'Time', type: FieldType.time, values: result.map(({value}) => value[0] * 1000)},
      ...names.map(name => ({name, type: FieldType.string, values: result.map(({metric}) => metric[name] ?? '')})),
      {name: 'Value', type: FieldType.number, values: result.map(({value}) => number(value[1]))},
    ],
  });
}

async function run(request, target) {
  const [start, end] = [request.range.from.unix(), request.range.to.unix()];
  const step = Math.max(Math.ceil(request.intervalMs / 1000), scrape);
  const scene = request.scopedVars.__sceneObject.value.valueOf();
  const query = sceneGraph.interpolate(scene, target.expr, {
    ...request.scopedVars,
    __rate_interval: {value: `${Math.max(step + scrape, 4 * scrape)}s`},
    __range: {value: `${end - start}s`},
  });
  if (target.instant) {
    const {result} = await ask('query', {query, time: end});
    return [table(target, result)];
  }
  const {result} = await ask('query_range', {query, start, end, step});
  return result.map(one => line(target, one));
}

export const prometheus = {
  name: 'Portico', uid: 'portico-prometheus', type: 'prometheus', id: 1, meta: {id: 'prometheus'}, interval: `${scrape}s`,
  getRef: () => ({uid: 'portico-prometheus', type: 'prometheus'}),
  query: request => from(Promise.all(request.targets.map(target => run(request, target)))).pipe(map(frames => ({data: frames.flat()}))),
};

export const values = async (metric, label) => ask(`label/${label}/values`, {'match[]': metric});

export const runRequest = (source, request) => source.query(request).pipe(map(({data}) => ({
  state: LoadingState.Done, series: data, timeRange: request.range ?? getDefaultTimeRange(), request,
})));
