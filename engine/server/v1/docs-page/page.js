/* global document, fetch, AbortController, TextDecoder, URLSearchParams, performance */
/** Shows /v1/openapi.json for people, with a form to try each operation. No libraries, no network but this server. */

const api = await (await fetch('/v1/openapi.json')).json();
const about = document.getElementById('about');
const list = document.getElementById('operations');
about.textContent = `${api.info.description} Version ${api.info.version}.`;
list.replaceChildren(
  ...api.tags.flatMap(({ name }) => [element('h2', {}, name), ...operations(name)]),
);
list.removeAttribute('aria-busy');
openNamed();

/** All operations of a tag, folded. */
function operations(tag) {
  return Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags.includes(tag))
      .map(([method, operation]) => operationView(method, path, operation)),
  );
}

function operationView(method, path, operation) {
  const view = element(
    'details',
    { class: 'operation', id: operation.operationId },
    element(
      'summary',
      {},
      element('span', { class: 'method' }, method.toUpperCase()),
      element('code', {}, path),
      ` ${operation.summary}`,
    ),
  );
  // Most are never opened: what is inside is made when it is first shown.
  view.addEventListener('toggle', () => {
    if (view.open && view.childElementCount === 1)
      view.append(operationBody(method, path, operation));
  });
  return view;
}

function operationBody(method, path, operation) {
  const { description, requestBody, responses } = operation;
  const body = requestBody?.content['application/json'];
  return element(
    'div',
    {},
    description && element('p', {}, ...prose(description)),
    tryForm(method, path, operation, body),
    body && element('h3', {}, 'Body'),
    body && schemaView(body.schema),
    element('h3', {}, 'Answers'),
    ...Object.entries(responses).map(([status, { description: text, content }]) =>
      element(
        'details',
        {},
        element('summary', {}, element('code', {}, status), ` ${text}`),
        ...Object.entries(content ?? {}).flatMap(([type, { schema }]) => [
          element('p', {}, element('code', {}, type)),
          schemaView(schema),
        ]),
      ),
    ),
  );
}

/** A form that sends the request and shows what came back. */
function tryForm(method, path, { parameters = [] }, body) {
  const fields = parameters.map((parameter) => {
    const input = element('input', {
      name: parameter.name,
      placeholder: typeName(parameter.schema),
    });
    if (parameter.required) input.required = true;
    const label = element('label', {}, element('code', {}, parameter.name), input);
    if (parameter.description) label.append(element('small', {}, ...prose(parameter.description)));
    return { ...parameter, input, label };
  });
  const text = body && element('textarea', { 'aria-label': 'Body', spellcheck: 'false' });
  if (text) text.value = JSON.stringify(body.example ?? {}, null, 2);
  const result = element('div', { class: 'result', 'aria-live': 'polite' });
  const stop = element('button', { type: 'button', hidden: '' }, 'Stop');
  const form = element(
    'form',
    {},
    ...fields.map(({ label }) => label),
    text,
    element('button', { type: 'submit' }, 'Try it'),
    stop,
    result,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const controller = new AbortController();
    stop.hidden = false;
    stop.onclick = () => controller.abort();
    void send(method, addressOf(path, fields), text?.value, {
      result,
      signal: controller.signal,
    }).finally(() => (stop.hidden = true));
  });
  return form;
}

function addressOf(path, fields) {
  const query = new URLSearchParams();
  let address = path;
  for (const { name, in: place, input } of fields) {
    if (place === 'path') address = address.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (input.value !== '') query.set(name, input.value);
  }
  return query.size > 0 ? `${address}?${query}` : address;
}

async function send(method, address, body, { result, signal }) {
  const begin = performance.now();
  const title = element('p', {}, element('code', {}, `${method.toUpperCase()} ${address}`));
  const output = element('pre', {}, '…');
  result.replaceChildren(title, output);
  try {
    const response = await fetch(address, { method: method.toUpperCase(), body, signal });
    const milliseconds = Math.round(performance.now() - begin);
    title.append(` → ${response.status} ${response.statusText}, ${milliseconds} ms`);
    output.textContent = '';
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    for (let part = await reader?.read(); part && !part.done; part = await reader.read()) {
      output.textContent += decoder.decode(part.value, { stream: true });
    }
    if (/json/.test(response.headers.get('content-type') ?? ''))
      output.textContent = pretty(output.textContent);
  } catch (error) {
    if (error.name !== 'AbortError') output.textContent += String(error);
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A schema as nested lists; `seen` ends shapes that hold themselves. */
function schemaView(schema, seen = []) {
  const { $ref } = schema;
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1);
    if (seen.includes(name)) return element('div', { class: 'schema' }, name);
    return schemaView(api.components.schemas[name], [...seen, name]);
  }
  const required = schema.required ?? [];
  const rows = Object.entries(schema.properties ?? {}).map(([name, member]) =>
    element(
      'div',
      {},
      element('code', {}, name),
      required.includes(name) ? '' : '?',
      element('span', { class: 'kind' }, ` ${typeName(member)}`),
      ...describe(member),
      ...inner(member).map((part) => schemaView(part, seen)),
    ),
  );
  const text = rows.length === 0 ? typeName(schema) : '';
  return element('div', { class: 'schema' }, ...prose(schema.description ?? ''), text, ...rows);
}

const describe = ({ description }) =>
  description === undefined ? [] : [' — ', ...prose(description)];

/** Text in which what stands between backticks is code. */
function prose(text) {
  return text
    .split('`')
    .map((part, i) => (i % 2 === 1 && part !== '' ? element('code', {}, part) : part));
}

/** Shapes inside a member that are worth showing. */
function inner(schema) {
  if (schema.$ref !== undefined || schema.properties !== undefined) return [schema];
  if (schema.items !== undefined) return inner(schema.items);
  return (schema.anyOf ?? []).flatMap(inner);
}

function typeName(schema) {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1);
  if (schema.enum !== undefined) return schema.enum.join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.anyOf !== undefined && schema.type === undefined)
    return schema.anyOf.map(typeName).join(' | ');
  if (schema.type === 'array') return `list of ${typeName(schema.items ?? {})}`;
  return schema.type ?? 'anything';
}

/** Opens the operation that the address names (`/docs#runWorkflow`). */
function openNamed() {
  const named = document.getElementById(document.location.hash.slice(1));
  if (named?.matches('details')) named.open = true;
}

/** An element with attributes and children; empty children are left out. */
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== undefined && child !== null && child !== ''));
  return made;
}
