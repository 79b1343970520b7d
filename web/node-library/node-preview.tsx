import { readableName } from '../../engine/workflow/readable-name.ts';
import type { NodeInfo } from '../api/types.ts';
import { inputSpecs } from '../graph/input-spec.ts';
import { colorOfType } from '../graph/theme.ts';
import { textOf } from '../text.ts';

/** A picture of a node that is not on the canvas: its sockets, and fields with their defaults. */
export function NodePreview({ info }: { info: NodeInfo }) {
  const inputs = inputSpecs(info);
  const sockets = inputs.filter(({ widget }) => widget === null);
  const fields = inputs.filter(({ widget }) => widget !== null);
  const rows = Math.max(sockets.length, info.output.length);
  return (
    <div class="node-preview" aria-hidden="true">
      <h4>{info.display_name || info.name}</h4>
      {Array.from({ length: rows }, (_, i) => (
        <p key={i} class="sockets">
          <Socket name={sockets[i]?.name} type={sockets[i]?.type} />
          <Socket name={info.output_name?.[i]} type={typeAt(info, i)} />
        </p>
      ))}
      {fields.map(({ name, options }) => (
        <p key={name} class="field">
          <span>{readableName(name)}</span>
          <b>{textOf(options.default).slice(0, 24)}</b>
        </p>
      ))}
      {info.description && <small>{info.description.slice(0, 220)}</small>}
    </div>
  );
}

function typeAt({ output }: NodeInfo, i: number): string | undefined {
  const type = output.at(i);
  return i >= output.length || type === undefined
    ? undefined
    : typeof type === 'string'
      ? type
      : 'COMBO';
}

function Socket({ name, type }: { name?: string | null; type?: string }) {
  if (type === undefined) return <span />;
  return (
    <span style={{ '--type': colorOfType(type) }}>
      <i />
      {readableName(name ?? type)}
    </span>
  );
}
