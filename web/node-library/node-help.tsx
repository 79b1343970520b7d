import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { readableName } from '../../engine/workflow/readable-name.ts';
import { asArray, isRecord } from '../../engine/workflow/records.ts';
import type { NodeInfo } from '../api/types.ts';
import { comboChoices, inputSpecs, type InputSpec } from '../graph/input-spec.ts';
import { colorOfType } from '../graph/theme.ts';
import { t } from '../locale/translate.ts';
import type { AppParts } from '../panels/parts.ts';
import { closeDialog, openDialog } from '../state.ts';
import { textOf } from '../text.ts';
import '../style/node-library.css';

type Parts = Pick<AppParts, 'files' | 'server' | 'state'>;

/** Opens what is known of a class: inputs, outputs, and an example that uses it. */
export function openNodeHelp(parts: Parts, info: NodeInfo): void {
  const id: number = openDialog(parts.state, {
    title: info.display_name || info.name,
    className: 'node-help',
    body: () => <NodeHelp {...parts} info={info} close={() => closeDialog(parts.state, id)} />,
  });
}

function NodeHelp({ files, server, info, close }: Parts & { info: NodeInfo; close: () => void }) {
  const example = useSignal<string | null>(null);
  useEffect(() => {
    void exampleWith(server, info.name).then((found) => {
      example.value = found;
    });
  }, []);
  const inputs = inputSpecs(info);
  return (
    <div class="node-help-body">
      <p class="soft">
        {info.name} · {info.category}
      </p>
      {info.description && <p>{info.description}</p>}
      <h3>{t('Inputs')}</h3>
      {inputs.length === 0 && <p class="empty">{t('None')}</p>}
      {inputs.map((spec) => (
        <section key={spec.name}>
          <header>
            <strong>{readableName(spec.name)}</strong> <code>{spec.name}</code>
            <Type type={spec.type} />
            {!spec.required && <small>{t('optional')}</small>}
          </header>
          <p class="soft">{limitsOf(spec)}</p>
          {typeof spec.options.tooltip === 'string' && <p>{spec.options.tooltip}</p>}
        </section>
      ))}
      <h3>{t('Outputs')}</h3>
      {info.output.length === 0 && <p class="empty">{t('None')}</p>}
      {info.output.map((type, i) => (
        <section key={i}>
          <header>
            <strong>{readableName(info.output_name?.[i] ?? typeName(type))}</strong>
            <Type type={typeName(type)} />
            {info.output_is_list?.[i] === true && <small>{t('a list')}</small>}
          </header>
          {info.output_tooltips?.[i] && <p>{info.output_tooltips[i]}</p>}
        </section>
      ))}
      {example.value !== null && (
        <button
          type="button"
          class="text"
          onClick={() => {
            close();
            void files.openExample(example.value as string);
          }}
        >
          {t('Open an example that uses it: {name}', { name: readableName(example.value) })}
        </button>
      )}
    </div>
  );
}

const Type = ({ type }: { type: string }) => (
  <span class="type-chip" style={{ '--type': colorOfType(type) }}>
    {type}
  </span>
);

const typeName = (type: string | readonly unknown[]): string =>
  typeof type === 'string' ? type : 'COMBO';

/** Default and limits of an input in words; the choices of a combo. */
function limitsOf(spec: InputSpec): string {
  const { default: standard, min, max, step } = spec.options;
  const parts = [
    standard === undefined || standard === ''
      ? ''
      : t('default {value}', { value: textOf(standard) }),
    min === undefined || max === undefined
      ? ''
      : t('{min} to {max}', { min: textOf(min), max: textOf(max) }),
    step === undefined ? '' : t('in steps of {step}', { step: textOf(step) }),
  ];
  const choices = spec.widget === 'combo' ? comboChoices(spec) : [];
  if (choices.length > 0) {
    const more = choices.length > 8 ? '…' : '';
    parts.push(t('one of {choices}', { choices: choices.slice(0, 8).join(', ') + more }));
  }
  return parts.filter(Boolean).join(' · ');
}

/** The first example of the server that has a node of the type. */
async function exampleWith(server: AppParts['server'], type: string): Promise<string | null> {
  try {
    for (const name of await server.examples()) {
      const file = await server.example(name);
      const nodes = isRecord(file) ? asArray(file.nodes) : [];
      if (nodes.some((node) => isRecord(node) && node.type === type)) return name;
    }
  } catch {
    // Without examples the page is as good.
  }
  return null;
}
