import type { CheckpointEntry } from "../../metrics/read.ts";
import type { RunFolder } from "../../run/files.ts";
import { stringify } from "../../run/json.ts";
import type { Environment } from "../../run/types.ts";
import { formatBytes, formatInteger } from "../format.ts";
import { type Child, type Html, html } from "../html.ts";

const maxCheckpoints = 100;
const maxCharacters = 100_000;

/** Where the weights are. Older checkpoints may have been removed since. */
export function checkpoints(all: readonly CheckpointEntry[]): Child {
  if (all.length === 0) return "";
  const rows = all
    .slice(-maxCheckpoints)
    .reverse()
    .map(({ step, folder }) => html`<tr><td>${formatInteger(step)}</td><td class="text">${folder}</td></tr>`);
  const caption =
    all.length > maxCheckpoints
      ? `The newest ${maxCheckpoints} of ${formatInteger(all.length)} written`
      : `${formatInteger(all.length)} written`;
  return html`<section><h2>Checkpoints</h2><p>As written; the run's retention policy may have removed older ones since.</p>
<div class="scroll"><table class="narrow"><caption>${caption}</caption><thead><tr><th scope="col">Step</th><th scope="col" class="text">Folder</th></tr></thead><tbody>${rows}</tbody></table></div></section>
`;
}

/** How to do it again: command, configuration, environment. */
export function reproduction({ info, config, environment }: RunFolder): Html {
  const text = stringify(config, 2);
  const shown =
    text.length > maxCharacters
      ? `${text.slice(0, maxCharacters)}\n… (${formatInteger(text.length - maxCharacters)} more characters in config.json)`
      : text;
  return html`<section><h2>Reproduction</h2>
<h3>Command</h3><pre>${info.command.map(quote).join(" ")}</pre>
${config === null ? html`<p class="empty">No config.json in this run folder.</p>` : html`<details open><summary><h3>Resolved configuration</h3></summary><pre>${shown}</pre></details>`}
${environment === null ? html`<p class="empty">No environment.json in this run folder.</p>` : environmentTable(environment)}</section>
`;
}

function environmentTable({ node, platform, cpu, cores, memoryBytes, packages, git }: Environment): Html {
  const rows: readonly (readonly [string, string])[] = [
    ["Node", node],
    ["Platform", platform],
    ["Processor", `${cpu}, ${cores} ${cores === 1 ? "core" : "cores"}`],
    ["Memory", formatBytes(memoryBytes)],
    ["Commit", git === null ? "not in a git checkout" : `${git.commit}${git.dirty ? " (with uncommitted changes)" : ""}`],
    ...Object.entries(packages),
  ];
  return html`<h3>Environment</h3><div class="scroll"><table><tbody>${rows.map(([name, value]) => html`<tr><th scope="row">${name}</th><td class="text">${value}</td></tr>`)}</tbody></table></div>`;
}

/** As a shell would need it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
