// Stand-ins for Grafana's panel plugins, which are not published as packages, on the components that are.
// Heat maps and state timelines are drawn as lines.
import {PanelPlugin, getDisplayValueAlignmentFactors, getFieldDisplayValues} from '@grafana/data';
import {BigValue, BigValueColorMode, BigValueGraphMode, Table, TimeSeries, VizRepeater, useTheme2} from '@grafana/ui';
import {custom} from './registries';

function Empty({text}) {
  return <div style={{display: 'flex', height: '100%', alignItems: 'center', justifyContent: 'center', opacity: 0.6}}>{text ?? 'No data'}</div>;
}

function Lines({data, width, height, options, timeRange, fieldConfig}) {
  if (!data.series.length) {
    return <Empty text={fieldConfig.defaults.noValue} />;
  }
  return <TimeSeries frames={data.series} structureRev={data.structureRev} timeRange={timeRange} timeZone="utc" width={width} height={height}
    legend={options.legend ?? {showLegend: true, displayMode: 'list', placement: 'bottom', calcs: []}} options={options} />;
}

function Stat({data, width, height, options, fieldConfig, replaceVariables}) {
  const theme = useTheme2();
  const found = getFieldDisplayValues({
    fieldConfig, reduceOptions: options.reduceOptions, replaceVariables, theme, data: data.series, sparkline: options.graphMode !== 'none', timeZone: 'utc',
  });
  const factors = getDisplayValueAlignmentFactors(found);
  return <VizRepeater getValues={() => found} source={data} width={width} height={height} renderCounter={0} orientation="auto" autoGrid
    getAlignmentFactors={() => factors}
    renderValue={({value, width, height, alignmentFactors}) => <BigValue value={value.display} count={found.length} width={width} height={height}
      sparkline={value.sparkline} theme={theme} alignmentFactors={alignmentFactors}
      colorMode={options.colorMode ?? BigValueColorMode.Value} graphMode={options.graphMode ?? BigValueGraphMode.Area} />} />;
}

function Cells({data, width, height, fieldConfig}) {
  const frame = data.series[0];
  if (!frame?.length) {
    return <Empty text={fieldConfig.defaults.noValue} />;
  }
  return <Table data={frame} width={width} height={height} />;
}

function plugin(id, Panel, ...options) {
  const made = new PanelPlugin(Panel).useFieldConfig(custom(...options));
  made.meta = {id, name: id, type: 'panel', module: '', baseUrl: '', sort: 0, info: {
    author: {name: ''}, description: '', links: [], logos: {small: '', large: ''}, screenshots: [], updated: '', version: ''}};
  return made;
}

const drawing = ['drawStyle', 'lineInterpolation', 'lineWidth', 'fillOpacity', 'showPoints', 'spanNulls', 'stacking', 'lineStyle', 'axisPlacement',
  'axisSoftMax', 'scaleDistribution'];

export const plugins = Object.fromEntries([
  plugin('timeseries', Lines, ...drawing),
  plugin('heatmap', Lines, ...drawing),
  plugin('state-timeline', Lines, ...drawing),
  plugin('stat', Stat),
  plugin('table', Cells, 'align', 'cellOptions', 'width', 'minWidth'),
].map(made => [made.meta.id, made]));
