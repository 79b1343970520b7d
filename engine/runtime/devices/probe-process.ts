/**
 * Tries a kind of device: opens a program of one addition, or of an attention, in each of its precisions, runs
 * it, and says in a line of JSON how that went. A process of its own: drivers hang and crash.
 */
import { memorySource } from '../../weights/source.ts';
import { add, cast } from '../../tensor/nn.ts';
import { trace } from '../../tensor/trace.ts';
import { type DeviceKind, type PrecisionRow, deviceKinds } from '../providers.ts';
import { tryAttention } from './try-attention.ts';
import { openSession } from '../session.ts';

/** What is said of each precision, in the order of the table. */
export interface Attempt {
  readonly precision: string;
  readonly problem?: string;
}

/** The sum in the type that the row computes in; nothing of it may be left to the processor. */
async function trySum({ provider }: PrecisionRow): Promise<void> {
  const type = provider.compute;
  const program = trace('probe', memorySource('probe', 'probe', new Map()), ({ input }) => {
    const x = input('x', type, ['n']);
    return { y: cast(add(x, x), 'f32') };
  });
  const { config, providers } = provider.session;
  const only = providers.length > 1 ? nothingOnTheProcessor : {};
  const session = await openSession(program, {
    provider: {
      ...provider,
      exact: () => false,
      session: { ...provider.session, config: { ...config, ...only } },
    },
  });
  const { y } = await session.run({ x: { data: Float32Array.of(1.5, -2), shape: [2] } });
  if (y.data[0] !== 3 || y.data[1] !== -4) throw new Error(`1.5 + 1.5 came out as ${y.data[0]}`);
}

/** Where the processor stands in for a provider, it is not what was to be tried. */
const nothingOnTheProcessor = { 'session.disable_cpu_ep_fallback': '1' };

/** Without the name of our program, and where in ONNX Runtime's sources the message was written. */
const plain = (message: string): string =>
  message
    .replace(/^model 'probe': /, '')
    .replace(/^.* was false\. /s, '')
    .trim();

/** What is tried. */
const attempts = { sum: trySum, attention: tryAttention };
export type ProbeTask = keyof typeof attempts;

const [, , kind, task] = process.argv as [string, string, DeviceKind, ProbeTask];
const rows: Readonly<Record<string, PrecisionRow>> = deviceKinds[kind];
for (const [precision, row] of Object.entries(rows)) {
  const told: Attempt = await attempts[task](row).then(
    () => ({ precision }),
    (error: Error) => ({ precision, problem: plain(error.message) }),
  );
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
// What native code would still do at an orderly end is not waited for.
process.exit(0);
