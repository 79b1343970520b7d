/** `noodle`: run, compare and info, each loaded only when it is asked for; `serve` never comes here (bin/noodle.js). */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { NoodleError } from '../engine/errors.ts';
import { safeText } from './print.ts';
import type { CompareFlags } from './compare.ts';
import type { InfoFlags } from './info.ts';
import type { RunFlags } from './run.ts';
import type { TrainFlags } from './train.ts';

/** Exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

async function main(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.ok;
  const program = commands((result) => (code = result));
  if (argv.length === 0) program.outputHelp();
  else await program.parseAsync([...argv], { from: 'user' });
  return code;
}

function commands(finish: (code: number) => void): Command {
  const program = new Command('noodle')
    .description('Runs ComfyUI workflows without Python.')
    .version(version())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .showHelpAfterError();

  program
    .command('serve')
    .description("start the server (takes ComfyUI's flags; see noodle serve --help)")
    .allowUnknownOption();

  const run = program
    .command('run')
    .description('run a workflow (API or editor format, or a picture that holds one)')
    .argument(
      '<workflow>',
      'JSON file, PNG or WebP, or the name of a saved workflow; - reads standard input',
    )
    .option(
      '--set <NODE.INPUT=VALUE>',
      'change an input, e.g. 6.text="a blue star", or a field of its form, e.g. steps=30; repeatable',
      collect,
    )
    .option('--seed <N>', 'set every seed; "random" picks one')
    .option('--out <DIR>', 'where results are written (default: the output folder)')
    .option('--server <URL>', 'run on this server and fetch the results')
    .option('--token <TEXT>', 'token of that server')
    .option('--json', 'print one line of JSON per event in place of progress')
    .option('--quiet', 'print nothing but the files');
  addEngineFlags(run).argument(...FURTHER_FLAGS);
  run.action(async (file: string, more: string[], flags: RunFlags) => {
    const { runCommand } = await import('./run.ts');
    finish(await runCommand(file, flags, [...engineArguments(run), ...more]));
  });

  const compare = program
    .command('compare')
    .description('run a workflow in several ways: times, PSNR, and the pictures side by side')
    .argument('<workflow>', 'as for noodle run')
    .option('--device <NAME>', 'compute on this device; repeat for each side', collect)
    .option('--precision <NAME>', 'compute in this precision; repeat for each side', collect)
    .option('--runs <N>', 'runs of each side, the first opens the models (default: 2)')
    .option('--set <NODE.INPUT=VALUE>', 'change an input, as for noodle run', collect)
    .option('--seed <N>', 'set every seed; "random" picks one')
    .option('--out <DIR>', 'where the pictures are written (default: compare)')
    .option('--json', 'print one line of JSON in place of tables')
    .option('--quiet', 'no progress');
  addEngineFlags(compare, COMPARED).argument(...FURTHER_FLAGS);
  compare.action(async (file: string, more: string[], flags: CompareFlags) => {
    const { compareCommand } = await import('./compare.ts');
    finish(await compareCommand(file, flags, [...engineArguments(compare, COMPARED), ...more]));
  });

  const train = program
    .command('train')
    .description('train LoRAs from job files (docs/training.md), one after another')
    .argument('<jobs...>', 'YAML or JSON files, or their names in the folder config')
    .option('-r, --recover', 'go on with the next job after one that failed')
    .option('-n, --name <NAME>', "name of the run, in place of the file's")
    .option('-l, --log <FILE>', 'add everything that is printed to this file');
  addEngineFlags(train);
  train.action(async (files: string[], flags: TrainFlags) => {
    const [{ trainCommand }, { trainHere }] = await Promise.all([
      import('./train.ts'),
      import('./train-engine.ts'),
    ]);
    const run = trainHere(engineArguments(train));
    finish(await trainCommand(files, flags, { cwd: process.cwd(), environment: process.env, run }));
  });

  program
    .command('info')
    .description('what a .safetensors file holds, or what this machine can compute on')
    .argument('[files...]')
    .option('--devices', 'list the devices that models can run on')
    .option('--json', 'print JSON')
    .option('--tensors', 'list every tensor')
    .action(async (files: string[], flags: InfoFlags) => {
      if (flags.devices) {
        const { devicesCommand } = await import('./devices.ts');
        return finish(await devicesCommand(flags));
      }
      if (files.length === 0) throw new CommanderError(EXIT.usage, 'info', 'info: which files?');
      const { infoCommand } = await import('./info.ts');
      finish(await infoCommand(files, flags));
    });
  return program;
}

const ENGINE_FLAGS = [
  '--base-directory <DIR>',
  '--models-directory <DIR>',
  '--input-directory <DIR>',
  '--extra-model-paths-config <FILE>',
  '--device <NAME>',
  '--threads <N>',
  '--memory-budget <GB>',
  '--precision <NAME>',
  '--disable-metadata',
  '--disable-all-custom-nodes',
];

/** The flags that `compare` reads itself, a value for each side. */
const COMPARED = ['device', 'precision'];

/** The rest of them. */
const FURTHER_FLAGS = ['[flags...]', 'further flags of noodle serve, behind --'] as const;

/** Options of `noodle serve` that matter here too. */
function addEngineFlags(command: Command, except: readonly string[] = []): Command {
  for (const form of ENGINE_FLAGS) {
    const option = new Option(form, 'as for noodle serve').argParser(collect);
    if (!except.includes(option.attributeName())) command.addOption(option);
  }
  return command;
}

/** Options that may be repeated. */
const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** The engine flags that were given, as the server's command line would have them. */
function engineArguments(command: Command, except: readonly string[] = []): string[] {
  return command.options.flatMap((option) => {
    const value: unknown = command.getOptionValue(option.attributeName());
    const isRead = except.includes(option.attributeName());
    if (!ENGINE_FLAGS.includes(option.flags) || isRead || value === undefined) return [];
    const flag = option.long as string;
    return Array.isArray(value) ? value.flatMap((item) => [flag, String(item)]) : [flag];
  });
}

function version(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Prints what went wrong for people and answers with the exit code. */
function complain(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    console.error(`${safeText(error.message)}\n(noodle --help shows what there is)`);
    return EXIT.usage;
  }
  if (error instanceof NoodleError) {
    console.error(`error: ${safeText(error.message)}`);
    return error.status < 500 ? EXIT.usage : EXIT.failed;
  }
  console.error(error);
  return EXIT.failed;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = complain(error);
}
