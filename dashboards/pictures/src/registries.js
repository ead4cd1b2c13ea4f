// What Grafana fills at its start: without it units, thresholds and mappings vanish.
import {
  identityOverrideProcessor, standardEditorsRegistry, standardFieldConfigEditorRegistry, standardTransformers, standardTransformersRegistry,
} from '@grafana/data';

const nothing = () => null;

const option = (id, more = {}) => ({
  id, path: id, name: id, editor: nothing, override: nothing, process: identityOverrideProcessor, shouldApply: () => true, settings: {}, ...more,
});

export function fill() {
  standardFieldConfigEditorRegistry.setInit(() => [
    'displayName', 'description', 'unit', 'min', 'max', 'decimals', 'thresholds', 'mappings', 'noValue', 'links', 'actions', 'color',
    'filterable', 'fieldMinMax',
  ].map(id => option(id)));
  standardEditorsRegistry.setInit(() => [
    'text', 'number', 'boolean', 'select', 'unit', 'color', 'radio', 'links', 'mappings', 'thresholds', 'slider',
  ].map(id => option(id)));
  standardTransformersRegistry.setInit(() => [
    {id: 'organize', name: 'organize', editor: nothing, transformation: standardTransformers.organizeFieldsTransformer},
  ]);
}

// custom registers the options of a panel's own under fieldConfig.defaults.custom.
export const custom = (...ids) => ({
  useCustomConfig: builder => ids.forEach(id => builder.addCustomEditor(option(id))),
});
