import { stringify } from "../../run/json.ts";
import type { Sample } from "../../run/types.ts";
import { formatInteger } from "../format.ts";
import { type Child, type Html, html } from "../html.ts";

const maxSamples = 12;
const maxCharacters = 4000;

/** What the model wrote, newest first, and its first attempt for comparison. */
export function samples(all: readonly Sample[]): Child {
  if (all.length === 0) return "";
  const shown = all.length > maxSamples ? [...all.slice(-(maxSamples - 1)).reverse(), ...all.slice(0, 1)] : [...all].reverse();
  const note =
    shown.length < all.length
      ? html`<p class="note">The newest ${maxSamples - 1} and the first of ${formatInteger(all.length)} samples; samples.jsonl holds all.</p>`
      : "";
  return html`<section><h2>Samples</h2><p>The prompt is set in bold; the model wrote the rest.</p>${shown.map(sample)}${note}</section>
`;
}

function sample({ step, prompt, text, options = {} }: Sample): Html {
  const settings = Object.entries(options).map(([name, value]) => `${name} ${stringify(value)}`);
  return html`<article class="sample"><h3>Step ${formatInteger(step)}</h3><p class="unit">${settings.join(", ")}</p><pre><b>${cut(prompt)}</b>${cut(text)}</pre></article>
`;
}

function cut(text: string): string {
  if (text.length <= maxCharacters) return text;
  // Not through the middle of a character that takes two units.
  const end = /[\ud800-\udbff]/.test(text.charAt(maxCharacters - 1)) ? maxCharacters - 1 : maxCharacters;
  return `${text.slice(0, end)} … (${formatInteger(text.length - end)} more characters)`;
}
