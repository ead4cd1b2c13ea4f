// Mounts the dashboard of ?board=FILE on Grafana's scenes, over the time ?from= to ?to= (Unix seconds).
import {createRoot} from 'react-dom/client';
import {MemoryRouter} from 'react-router-dom';
import {EventBusSrv, ThemeContext, createTheme, dateTime} from '@grafana/data';
import {config, setAppEvents, setDataSourceSrv, setPluginImportUtils, setRunRequest, setTemplateSrv} from '@grafana/runtime';
import {
  CustomVariable, EmbeddedScene, SceneControlsSpacer, SceneDataTransformer, SceneGridItem, SceneGridLayout, SceneGridRow, SceneQueryRunner, SceneTimePicker,
  SceneTimeRange, SceneVariableSet, VariableValueSelectors, VizPanel, sceneGraph,
} from '@grafana/scenes';
import {GlobalStyles, PortalContainer} from '@grafana/ui';
import {plugins} from './panels';
import {fill} from './registries';
import {faults, prometheus, runRequest, values} from './source';

const parameters = new URLSearchParams(location.search);
const theme = createTheme({colors: {mode: 'dark'}});

function prepare() {
  fill();
  config.theme2 = theme;
  setAppEvents(new EventBusSrv());
  setDataSourceSrv({get: async () => prometheus, getInstanceSettings: () => prometheus, getList: () => [prometheus]});
  setRunRequest(runRequest);
  setTemplateSrv({
    replace: (text, scoped) => scoped?.__sceneObject ? sceneGraph.interpolate(scoped.__sceneObject.value.valueOf(), text, scoped) : text,
    getVariables: () => [], containsTemplate: text => text?.includes('$'), updateTimeRange: () => {},
  });
  setPluginImportUtils({importPanelPlugin: async id => plugins[id], getPanelPluginFromCache: id => plugins[id]});
}

async function variable(one) {
  const found = one.type === 'datasource' ? ['Portico'] : await values(...one.definition.match(/label_values\((\w+).*, (\w+)\)/).slice(1));
  const query = found.map(text => text.replaceAll(':', '\\:')).join(',');
  const chosen = one.includeAll ? {value: '$__all', text: 'All'} : {value: found[0], text: found[0]};
  return new CustomVariable({
    name: one.name, label: one.label, query, isMulti: one.multi, includeAll: one.includeAll, allValue: one.allValue, ...chosen,
  });
}

// A heat map's unit is that of its buckets; drawn as lines its numbers are counts.
const asLines = panel => panel.type === 'heatmap' ? {...panel.fieldConfig, defaults: {...panel.fieldConfig.defaults, unit: 'short'}} : panel.fieldConfig;

function item(panel) {
  const runner = new SceneQueryRunner({datasource: panel.datasource, queries: panel.targets, maxDataPoints: 300});
  return new SceneGridItem({
    x: panel.gridPos.x, y: panel.gridPos.y, width: panel.gridPos.w, height: panel.gridPos.h, isDraggable: false, isResizable: false,
    body: new VizPanel({
      pluginId: panel.type, title: panel.title, description: panel.description, options: panel.options, fieldConfig: asLines(panel),
      $data: panel.transformations ? new SceneDataTransformer({$data: runner, transformations: panel.transformations}) : runner,
    }),
  });
}

function rows(panels) {
  const children = [];
  for (const panel of panels) {
    if (panel.type === 'row') {
      children.push(new SceneGridRow({title: panel.title, x: 0, y: panel.gridPos.y, width: 24, height: 1, isCollapsible: true, children: []}));
    } else {
      const row = children.at(-1);
      row.setState({children: [...row.state.children, item(panel)]});
    }
  }
  return children;
}

async function scene(board) {
  const at = name => dateTime(parameters.get(name) * 1000).toISOString();
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({from: at('from'), to: at('to'), timeZone: 'utc'}),
    $variables: new SceneVariableSet({variables: await Promise.all(board.templating.list.map(variable))}),
    controls: [new VariableValueSelectors({}), new SceneControlsSpacer(), new SceneTimePicker({})],
    body: new SceneGridLayout({isLazy: false, isDraggable: false, isResizable: false, children: rows(board.panels)}),
  });
}

prepare();
const board = await (await fetch(`/boards/${parameters.get('board')}`)).json();
const shown = await scene(board);
document.title = board.title;
window.shown = {faults, panels: board.panels.filter(panel => panel.type !== 'row').map(panel => panel.title)};
createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <MemoryRouter>
      <div style={{width: 1480, margin: '0 auto'}}>
        <h1 style={{fontSize: 20, margin: '12px 8px 0'}}>{board.title}</h1>
        <shown.Component model={shown} />
      </div>
    </MemoryRouter>
    <PortalContainer />
  </ThemeContext.Provider>,
);
