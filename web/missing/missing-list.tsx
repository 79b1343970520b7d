import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { isRecord } from '../../engine/workflow/records.ts';
import { t } from '../locale/translate.ts';
import type { AppParts } from '../panels/parts.ts';
import { missingTypes } from './missing-nodes.ts';

/** Classes that are not on this server: how many nodes want each, a way to them, and what replaces it. */
export function MissingList({ editor, server }: Pick<AppParts, 'editor' | 'server'>) {
  const replacements = useSignal<Readonly<Record<string, string>>>({});
  useEffect(() => {
    void replacementsOf(server.url('node_replacements')).then((found) => {
      replacements.value = found;
    });
  }, []);
  return (
    <ul class="missing-list">
      {missingTypes(editor.graph).map(({ type, name, nodes }) => (
        <li key={type}>
          <span>{name}</span>
          {replacements.value[type] !== undefined && (
            <p class="soft">
              {t('{name} takes its place when it is queued', { name: replacements.value[type] })}
            </p>
          )}
          <p>
            {nodes.slice(0, shownNodes).map((node) => (
              <button
                key={node.id}
                type="button"
                class="text"
                aria-label={t('Show node {id}', { id: node.id })}
                onClick={() => editor.showNode(node)}
              >
                #{node.id}
              </button>
            ))}
            {nodes.length > shownNodes && (
              <small>{t('and {count} more', { count: nodes.length - shownNodes })}</small>
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}

const shownNodes = 12;

/** New classes by the old ones that the server rewrites (ComfyUI's /node_replacements). */
async function replacementsOf(address: string): Promise<Record<string, string>> {
  const data: unknown = await fetch(address)
    .then((response) => (response.ok ? response.json() : {}))
    .catch(() => ({}));
  const pairs = Object.entries(isRecord(data) ? data : {}).flatMap(([old, list]) => {
    const [first] = Array.isArray(list) ? (list as unknown[]) : [];
    return isRecord(first) && typeof first.new_node_id === 'string'
      ? [[old, first.new_node_id] as const]
      : [];
  });
  return Object.fromEntries(pairs);
}
