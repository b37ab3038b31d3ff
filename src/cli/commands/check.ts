/** `vivarium check`: what is wrong or risky in one or several `zoo.cfg`, and the remedy. */

import type { Argv, CommandModule } from 'yargs';
import { nodeMachine } from '../../runtime/node/node-machine.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import { checkFiles } from '../../server/checks/check-files.ts';
import type { CheckTools } from '../../server/checks/check-tools.ts';
import type { Finding, Severity } from '../../server/checks/finding.ts';
import { askFourLetter } from '../four-letter-client.ts';

interface CheckArguments {
  readonly files: readonly string[];
  readonly strict: boolean;
  readonly json: boolean;
}

/** `exit` receives 1 when there are errors, or risks with `--strict`; 0 otherwise. */
export function checkCommand(exit: (code: number) => void): CommandModule<object, CheckArguments> {
  return {
    command: 'check <files..>',
    describe: 'say what is wrong or risky in one or several zoo.cfg, and what to do',
    builder: checkOptions,
    handler: async ({ files, strict, json }) => {
      const findings = await checkFiles(files, nodeTools());
      process.stdout.write(json ? findingsJson(findings) : findingsText(findings));
      exit(isPassed(findings, strict) ? 0 : 1);
    },
  };
}

/** The checks on this machine. */
export function nodeTools(): CheckTools {
  const runtime = createNodeRuntime();
  return {
    runtime,
    machine: nodeMachine,
    ask: (address, word, timeoutMs) =>
      askFourLetter(runtime, address, word, timeoutMs).catch(() => undefined),
  };
}

function checkOptions(yargs: Argv<object>): Argv<CheckArguments> {
  return yargs
    .positional('files', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'configurations of the servers of one ensemble',
    })
    .option('strict', { type: 'boolean', default: false, describe: 'exit 1 for risks as well' })
    .option('json', { type: 'boolean', default: false, describe: 'print the findings as JSON' })
    .example('$0 check /etc/vivarium/zoo.cfg', 'one server, with its disks, ports and peers')
    .example('$0 check zk1.cfg zk2.cfg zk3.cfg', 'do the files of three servers agree?')
    .epilogue(
      'Exit status: 0 nothing wrong, 1 errors (with --strict: or risks), 2 wrong use.\n' +
        'Run it as the user that runs the server.',
    );
}

export function isPassed(findings: readonly Finding[], strict: boolean): boolean {
  return !findings.some(({ severity }) => severity === 'error' || (strict && severity === 'risk'));
}

/** Errors first, each finding with its place, what is the case, and what to do. */
export function findingsText(findings: readonly Finding[]): string {
  const severities: readonly Severity[] = ['error', 'risk', 'note'];
  let text = '';
  for (const severity of severities) {
    for (const finding of findings) {
      if (finding.severity !== severity) continue;
      text += `${severity.padEnd(5)}  ${finding.where}: ${finding.what}\n`;
      if (finding.remedy !== undefined) text += `       ${finding.remedy}\n`;
    }
  }
  return `${text}${verdict(findings)}\n`;
}

function verdict(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const risks = findings.filter(({ severity }) => severity === 'risk').length;
  if (errors + risks === 0) return 'nothing wrong was found';
  return `${counted(errors, 'error')}, ${counted(risks, 'risk')}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function findingsJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ findings }, null, 2)}\n`;
}
