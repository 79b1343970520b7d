import type { NodeInfo } from '../api/types.ts';
import { comboChoices, inputSpecs, type InputSpec } from '../graph/input-spec.ts';
import { readableName } from '../../engine/workflow/readable-name.ts';
import { colorOfType } from '../graph/theme.ts';
import { textOf } from '../text.ts';

/** A node as it will look on the canvas: sockets, fields with their first values, what it does. */
export function NodePreview({ info }: { info: NodeInfo }) {
  const specs = inputSpecs(info);
  const sockets = specs.filter((spec) => spec.widget === null);
  const fields = specs.filter((spec) => spec.widget !== null);
  const rows = Math.max(sockets.length, info.output.length);
  return (
    <aside class="node-preview" aria-hidden="true">
      <div class="preview-node">
        <header>{info.display_name || info.name}</header>
        {Array.from({ length: rows }, (_, i) => (
          <div class="preview-row" key={i}>
            <Socket type={sockets[i]?.type} name={sockets[i]?.name} />
            <Socket type={outputType(info, i)} name={info.output_name?.[i] ?? undefined} right />
          </div>
        ))}
        {fields.slice(0, 9).map((spec) => (
          <div class="preview-field" key={spec.name}>
            <span>{readableName(spec.name)}</span>
            <b>{firstValue(spec)}</b>
          </div>
        ))}
        {fields.length > 9 && <small>+ {fields.length - 9}</small>}
      </div>
      {info.description && <p>{info.description}</p>}
      <small>{info.name}</small>
    </aside>
  );
}

interface SocketParts {
  readonly type: string | undefined;
  readonly name: string | undefined;
  readonly right?: boolean;
}

function Socket({ type, name, right }: SocketParts) {
  if (type === undefined) return <span />;
  return (
    <span class={right ? 'socket right' : 'socket'} style={{ '--type': colorOfType(type) }}>
      {readableName(name ?? type)}
    </span>
  );
}

function outputType(info: NodeInfo, index: number): string | undefined {
  const type: unknown = info.output[index];
  return type === undefined ? undefined : typeof type === 'string' ? type : 'COMBO';
}

function firstValue(spec: InputSpec): string {
  const { options, widget } = spec;
  if (widget === 'boolean') return String(options.default === true);
  const [first = ''] = widget === 'combo' ? comboChoices(spec) : [];
  return textOf(options.default ?? first);
}
