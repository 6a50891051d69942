/**
 * What runs in the thread of a module, as text: it needs no file beside the built program, and is the same wherever that lies.
 * It takes away what a step has no use for (imports, the network, the process). That keeps mistakes small; it is no security
 * boundary, because a thread shares its process: docs/middleware.md says so.
 *
 * Messages to it: {id, draft, context}, as JSON text. From it: {started}, {loaded}, {id, value} (JSON text), {id, problem},
 * {problem} when the module cannot be loaded.
 */

/** Longest answer of a module as JSON text, in characters. */
export const MAX_ANSWER_CHARS = 1024 * 1024;

/** The program of the thread; `workerData.code` is the module's text. */
export const MODULE_HARNESS = `'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const { registerHooks } = require('node:module');
const { parse, stringify } = JSON;
const text = String;
const post = parentPort.postMessage.bind(parentPort);
const listen = parentPort.on.bind(parentPort);
const exit = process.exit.bind(process);
const url = 'data:text/javascript;base64,' + workerData.code;
const explain = (error) => {
  try { return text(error && error.message !== undefined ? error.message : error).slice(0, 300); } catch { return 'something that has no text'; }
};
registerHooks({
  resolve(specifier) {
    if (specifier === url) return { url, format: 'module', shortCircuit: true };
    throw new Error('a module imports nothing, and this one asked for ' + text(specifier).slice(0, 80));
  },
});
const refuse = (name) => () => { throw new Error('a module has no ' + name); };
process.getBuiltinModule = refuse('built-in modules');
for (const name of ['binding', 'dlopen', 'kill', 'chdir', 'umask']) process[name] = refuse('process.' + name);
for (const name of ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'navigator', 'BroadcastChannel']) delete globalThis[name];
Object.defineProperty(globalThis, 'process', { value: Object.freeze({ env: Object.freeze({}), exit }), configurable: false });
post({ started: true });
import(url).then(
  (module) => {
    const step = module.default;
    if (typeof step !== 'function') return post({ problem: 'it has no function as its default export' });
    listen('message', async (request) => {
      const { id, draft, context } = parse(request);
      try {
        const value = stringify(await step(draft, context));
        if (value === undefined) post({ id, problem: 'it returned nothing: return the message to let it pass' });
        else if (value.length > workerData.maxChars) post({ id, problem: 'its answer is longer than ' + workerData.maxChars + ' characters' });
        else post({ id, value });
      } catch (error) {
        post({ id, problem: 'it threw: ' + explain(error) });
      }
    });
    post({ loaded: true });
  },
  (error) => post({ problem: 'it cannot be loaded: ' + explain(error) }),
);
`;
